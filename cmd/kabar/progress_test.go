package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"kabar/internal/control"
)

// watched shows progress that takes a second from one report to the next.
func watched(terminal bool, all ...control.Progress) string {
	var b bytes.Buffer
	p := newProgress(&b)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p.terminal, p.now = terminal, func() time.Time { return now }
	for _, r := range all {
		p.report(r)
		now = now.Add(time.Second)
	}
	p.end()
	p.end()
	return b.String()
}

func reports(what string, total int64, unit string, done ...int64) (all []control.Progress) {
	for _, n := range done {
		all = append(all, control.Progress{What: what, Done: n, Total: total, Unit: unit})
	}
	return all
}

func TestProgressOnATerminal(t *testing.T) {
	got := watched(true, append(reports("rows", 4000, "", 0, 2000, 4000), reports("media", 1<<20, "B", 0, 1<<19)...)...)
	want := "\rrows [............]   0% 0 of 4000" +
		"\rrows [######......]  50% 2000 of 4000, 2000/s, 1s left" +
		"\rrows [############] 100% 4000 of 4000, 2000/s         " +
		"\rrows [############] 100% 4000 of 4000, 1333/s\n" +
		"\rmedia [............]   0% 0 B of 1.0 MiB" +
		"\rmedia [######......]  50% 512.0 KiB of 1.0 MiB, 512.0 KiB/s, 1s left" +
		"\rmedia [######......]  50% 512.0 KiB of 1.0 MiB, 256.0 KiB/s, 2s left\n"
	if got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestProgressElsewhere(t *testing.T) {
	if got := watched(false, reports("rows", 4, "", 0, 1, 2, 3, 4)...); got != "" {
		t.Errorf("what takes less than five seconds was shown: %q", got)
	}
	got := watched(false, reports("rows", 0, "", 0, 1, 2, 3, 4, 50, 60, 70, 80, 90, 1000, 2000)...)
	want := "rows 50, 10/s\nrows 1000, 100/s\nrows 2000, 166/s\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestProgressFits has a terabyte and a billion rows: the line stays within 80 columns.
func TestProgressFits(t *testing.T) {
	for _, all := range [][]control.Progress{reports("restore media", 1<<40, "B", 0, 1<<30, 1<<36), reports("restore rows", 1e9, "", 0, 1e5, 2e5)} {
		for line := range strings.SplitSeq(watched(true, all...), "\r") {
			if len(strings.TrimSpace(line)) > 80 {
				t.Errorf("%d characters: %q", len(line), line)
			}
		}
	}
	if got := watched(true, reports("rows", 5, "", 7)...); strings.Contains(got, "left") || !strings.Contains(got, "100%") {
		t.Errorf("more than all: %q", got)
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if newProgress(f).terminal {
		t.Error("a file was taken for a terminal")
	}
}
