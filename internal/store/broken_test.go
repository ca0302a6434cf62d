package store_test

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kabar/internal/secrets"
	"kabar/internal/store"
)

// TestBrokenStatementIsLogged: whoever asked is told 1023 and no more, so the log says which statement, and why.
func TestBrokenStatementIsLogged(t *testing.T) {
	var lines bytes.Buffer
	db, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "kabar.db"), Master: secrets.NewKey(),
		Log: slog.New(slog.NewTextHandler(&lines, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // the test is over
	refused := errors.New("refused by a rule")
	if err := db.Write(t.Context(), nil, func(*store.Tx) error { return refused }); !errors.Is(err, refused) {
		t.Fatal(err)
	}
	if lines.Len() > 0 {
		t.Errorf("a refusal is logged: %s", &lines)
	}
	if err := db.WriterExec(t.Context(), "CREATE TRIGGER broken BEFORE INSERT ON meta BEGIN SELECT RAISE(ABORT, 'out of order'); END"); err != nil {
		t.Fatal(err)
	}
	if err := db.Probe(t.Context(), time.Now()); err == nil {
		t.Fatal("the statement has not failed")
	}
	if n := strings.Count(lines.String(), "out of order"); n != 1 {
		t.Errorf("%d lines tell of the failed statement:\n%s", n, &lines)
	}
}
