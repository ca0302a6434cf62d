package history_test

import (
	"os"
	"path/filepath"
	"testing"

	"kabar/internal/torture/history"
)

// What is written is read, by time; the line that a killed recorder left unfinished is not.
func TestReadWhatWasWritten(t *testing.T) {
	dir := t.TempDir()
	for _, by := range []string{"sink", "client-1"} {
		r, err := history.Open(dir, by)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Write(history.Record{Op: history.Hook, ID: by}); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.OpenFile(filepath.Join(dir, "sink.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"at":1,"op":"hoo`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	all, err := history.Read(dir)
	if err != nil || len(all) != 2 || all[0].ID != "sink" || all[1].By != "client-1" {
		t.Errorf("read %v, %v", all, err)
	}
	if _, err := history.Read(t.TempDir()); err == nil {
		t.Error("an empty folder was read")
	}
}

func TestTokens(t *testing.T) {
	token := history.Token("client-1", "34600111222", 17)
	if got := history.FindToken("Hello " + token + ", how are you?"); got != token {
		t.Errorf("found %q", got)
	}
	if by, to, n, ok := history.ParseToken(token); !ok || by != "client-1" || to != "34600111222" || n != 17 {
		t.Errorf("parsed %q %q %d %v", by, to, n, ok)
	}
	for _, text := range []string{"", "<", "no token", "<a>b", "<a>b#"} {
		if _, _, _, ok := history.ParseToken(history.FindToken(text)); ok {
			t.Errorf("%q has a token", text)
		}
	}
}
