package backup_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"kabar"
	"kabar/internal/backup"
	"kabar/internal/media"
	"kabar/internal/secrets"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

const (
	sessions = "peer/"
	mark     = "restored"
)

// env is a store with something in it, and its media.
type env struct {
	*storetest.Env
	media *media.Store
	dir   string            // of the media
	files map[string][]byte // plain, by the medium's file
	keys  []*store.Medium
}

func newEnv(t *testing.T, s *storetest.Env) *env {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "media")
	files, err := media.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close() })
	return &env{Env: s, media: files, dir: dir, files: map[string][]byte{}}
}

// medium stores a medium of n bytes.
func (e *env) medium(t *testing.T, n int) *store.Medium {
	t.Helper()
	plain := make([]byte, n)
	for i := range plain {
		plain[i] = byte(rand.N(256))
	}
	m := &store.Medium{Account: e.A.Account, Number: e.A.ID, MIME: "image/png", Size: int64(n), Filename: "a b", Key: secrets.NewKey(), Created: e.Now}
	info, err := e.media.Put(t.Context(), bytes.NewReader(plain), m.Key, int64(n))
	if err != nil {
		t.Fatal(err)
	}
	m.File, m.SHA256 = info.Name, hex.EncodeToString(info.SHA256[:])
	e.Write(t, func(tx *store.Tx) error { return tx.AddMedium(m) })
	e.files[m.File], e.keys = plain, append(e.keys, m)
	return m
}

// fill stores a bit of everything that restoring treats in its own way, and messages with these bodies.
func (e *env) fill(t *testing.T, bodies ...string) {
	t.Helper()
	e.Write(t, func(tx *store.Tx) error {
		c, err := tx.CreateConversation(e.A, kabar.Customer{WaID: fmt.Sprint("49", rand.Uint64()), Name: "Ana"})
		if err != nil {
			return err
		}
		endpoint := &kabar.Endpoint{Account: e.A.Account, Number: e.A.ID, Dialect: kabar.OnPrem, EndpointConfig: kabar.EndpointConfig{URL: "https://app.example/"}}
		errs := []error{tx.AddEndpoint(endpoint, e.Now)}
		for _, name := range []string{sessions + "1", sessions + "2", "device", "onetime/1"} {
			errs = append(errs, tx.SetState(e.A, name+fmt.Sprint(c.ID), 0, []byte(name)))
		}
		for _, body := range bodies {
			m := &kabar.Message{Direction: kabar.Outbound, Status: kabar.Accepted, Content: &kabar.Text{Body: body}, At: e.Now}
			errs = append(errs, tx.AppendMessage(c, m), tx.AddAudit(&store.Audit{Account: c.Account, At: e.Now, Actor: "operator", Action: "test.done"}),
				tx.AddJob(&store.Job{Account: c.Account, Number: c.Number, Conversation: c.ID, Kind: "send", Message: m.ID}),
				tx.AddEvent(&kabar.Event{Account: c.Account, Number: c.Number, Conversation: c.ID, Kind: kabar.EventStatus, At: e.Now, Message: m.ID}))
		}
		return errors.Join(errs...)
	})
}

// make makes a backup of the open store.
func (e *env) make(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "b")
	if _, err := e.makeIn(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (e *env) makeIn(ctx context.Context, dir string) (*backup.Manifest, error) {
	s, err := e.DB.Snapshot(ctx, sessions)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	return backup.Make(ctx, dir, backup.Options{Snapshot: s, Media: e.media, HasFile: e.DB.HasFile, Program: "1.2.3", Now: e.Now})
}

// restore restores a backup into a new store of a kind.
func (e *env) restore(t *testing.T, dir, kind string) (backup.Target, *backup.Result) {
	t.Helper()
	to := e.target(t, kind)
	r, err := backup.Restore(t.Context(), dir, to)
	if err != nil {
		t.Fatal(err)
	}
	return to, r
}

func (e *env) target(t *testing.T, kind string) backup.Target {
	t.Helper()
	to := backup.Target{Data: filepath.Join(t.TempDir(), "new"), Mark: mark, Now: e.Now.Add(time.Hour)}
	if kind == e.Database {
		to.Store = e.Fresh(t)
	} else {
		to.Store = storetest.Open(t, kind).Fresh(t)
	}
	if to.Store.Path != "" {
		to.Store.Path = filepath.Join(to.Data, "kabar.db")
	}
	to.Store.Master = e.Master
	return to
}

// rows returns every row of a store that nobody has open, sorted and in one spelling, without the sessions.
func rows(t *testing.T, o store.Options) map[string][]string {
	t.Helper()
	s, err := store.OpenSnapshot(t.Context(), o, sessions)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	all := map[string][]string{}
	for _, table := range s.Tables {
		if err := s.Rows(t.Context(), table, func(row []any) error {
			all[table.Name] = append(all[table.Name], fmt.Sprintf("%q", row))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		slices.Sort(all[table.Name])
	}
	return all
}

// same compares what was restored with what there was: row by row, but for counters and what the restore adds.
func same(t *testing.T, got, want map[string][]string) {
	t.Helper()
	for table, rows := range want {
		if table == "counter" {
			continue
		}
		have := got[table]
		if table == "meta" || table == "driver_state" {
			have = slices.DeleteFunc(slices.Clone(have), func(r string) bool { return !slices.Contains(rows, r) })
		}
		if !slices.Equal(have, rows) {
			t.Errorf("%s: restored\n%s\nof\n%s", table, have, rows)
		}
	}
	if extra := len(got["driver_state"]) - len(want["driver_state"]); extra != 2 {
		t.Errorf("%d more entries of drivers, want a mark for each number", extra)
	}
}

// changeFile changes the bytes of a file.
func changeFile(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}
