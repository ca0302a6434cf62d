package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kabar/internal/torture/history"
)

// save writes a history as its recorders would have.
func save(t *testing.T, records []history.Record) string {
	t.Helper()
	dir := t.TempDir()
	for _, rec := range records {
		f, err := os.OpenFile(filepath.Join(dir, rec.By+".jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.NewEncoder(f).Encode(rec); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCommand(t *testing.T) {
	garbage := t.TempDir()
	if err := os.WriteFile(filepath.Join(garbage, "sink.jsonl"), []byte("no record\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	kept := save(t, notation(t, ordinary))
	lost := save(t, notation(t, `
		ask c>A#1
		answer c>A#1 201 x1
		thread A
		quiet`))
	for _, c := range []struct {
		name   string
		args   []string
		status int
		last   string // line of the output
		has    string
	}{
		{"a promise kept", []string{kept}, good, "check: 12 records, 1 messages asked, 1 acknowledged, 0 violations", ""},
		{"a promise broken", []string{lost}, violated, "check: 4 records, 1 messages asked, 1 acknowledged, 2 violations",
			"loss: <c>A#1 was acknowledged as gBECEjQCCQEgICAgICB4MQ; its phone does not show it, and no failure was told [c.jsonl 2000000000 answer] [people.jsonl 3000000000 thread]\n"},
		{"as JSON", []string{"--json", lost}, violated, "", `{"file":"people.jsonl","at":3000000000,"op":"thread"}`},
		{"no end", []string{save(t, notation(t, "ask c>A#1"))}, unreadable, "check: 1 records, 1 messages asked, 0 acknowledged, 0 violations", ""},
		{"no history", []string{t.TempDir()}, unreadable, "", ""},
		{"no records", []string{garbage}, unreadable, "", ""},
		{"no folder", nil, unreadable, "", ""},
		{"no such option", []string{"--no", kept}, unreadable, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if status := command(c.args, &out, &errs); status != c.status {
				t.Errorf("status %d, want %d; %s", status, c.status, &errs)
			}
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if last := lines[len(lines)-1]; c.last != "" && last != c.last {
				t.Errorf("last line %q, want %q", last, c.last)
			}
			if !strings.Contains(out.String(), c.has) {
				t.Errorf("no %q in %s", c.has, &out)
			}
			if c.status == unreadable && errs.Len() == 0 {
				t.Error("it does not say why")
			}
		})
	}
}
