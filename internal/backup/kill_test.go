package backup_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kabar/internal/backup"
	"kabar/internal/media"
	"kabar/internal/network"
	"kabar/internal/secrets"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// childVariable makes the test binary a backup or a restore, until it is killed: "make|restore FROM TO KEYFILE".
const childVariable = "KABAR_TEST_BACKUP"

func TestMain(m *testing.M) {
	if order := os.Getenv(childVariable); order != "" {
		if err := child(context.Background(), strings.Fields(order)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	storetest.Main(m)
}

func child(ctx context.Context, order []string) error {
	master, err := secrets.LoadMasterKey(order[3])
	if err != nil {
		return err
	}
	from, to := order[1], order[2]
	if order[0] == "restore" {
		o := store.Options{Path: filepath.Join(to, "kabar.db"), Master: master}
		_, err := backup.Restore(ctx, from, backup.Target{Data: to, Store: o, Mark: network.RestoredKey, Now: time.Now()})
		return err
	}
	s, err := store.OpenSnapshot(ctx, store.Options{Path: filepath.Join(from, "kabar.db")}, sessions)
	if err != nil {
		return err
	}
	files, err := media.Open(filepath.Join(from, "media"))
	if err != nil {
		return err
	}
	_, err = backup.Make(ctx, to, backup.Options{Snapshot: s, Media: files, Now: time.Now()})
	return err
}

// doomed runs a child and kills it after a while; done says that it came to its end before.
func doomed(t *testing.T, after time.Duration, order ...string) (done bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), after)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+strings.Join(order, " "))
	out, err := cmd.CombinedOutput()
	if err != nil && ctx.Err() == nil {
		t.Fatalf("%s: %v\n%s", order, err, out)
	}
	return err == nil
}

// TestKilled kills backups and restores at any moment. A folder with the backup's name is whole, and a store that can be
// opened is.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "master.key")
	master, err := secrets.CreateMasterKey(key)
	if err != nil {
		t.Fatal(err)
	}
	server := filepath.Join(dir, "server")
	wanted := fill(t, server, master)
	whole := filepath.Join(dir, "whole")
	took := time.Now()
	if !doomed(t, time.Minute, "make", server, whole, key) {
		t.Fatal("a backup took a minute")
	}
	most, made, opened := 2*time.Since(took), 0, 0
	times := 12
	if testing.Short() {
		times = 3
	}
	for i := range times {
		to := filepath.Join(dir, fmt.Sprint("b", i))
		doomed(t, rand.N(most), "make", server, to, key)
		if _, err := os.Stat(to); err == nil {
			made++
			if m, err := backup.Verify(t.Context(), to, nil); err != nil || m.Rows("message") != wanted {
				t.Errorf("a folder that looks like a backup: %+v, %v", m, err)
			}
		}
	}
	for i := range times {
		to := filepath.Join(dir, fmt.Sprint("r", i))
		if restored(t, to, master, doomed(t, rand.N(2*most), "restore", whole, to, key), wanted) {
			opened++
		}
	}
	t.Logf("of %d backups %d were made, of %d restores %d left a store that opens", times, made, times, opened)
}

// fill makes a server's data folder and returns how many messages it has.
func fill(t *testing.T, dir string, master secrets.Key) int64 {
	t.Helper()
	s := storetest.Open(t, "sqlite")
	e := newEnv(t, s)
	bodies := make([]string, 3000)
	e.fill(t, bodies...)
	for range 20 {
		e.medium(t, 10_000)
	}
	if err := s.DB.Rotate(t.Context(), master); err != nil {
		t.Fatal(err)
	}
	s.Close(t)
	for _, err := range []error{e.media.Close(), os.CopyFS(filepath.Join(dir, "media"), os.DirFS(e.dir))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(s.Options.Path)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "kabar.db"), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return int64(len(bodies))
}

// restored checks what a restore has left that may have been killed, and reports whether it can be used.
func restored(t *testing.T, dir string, master secrets.Key, done bool, wanted int64) bool {
	t.Helper()
	o := store.Options{Path: filepath.Join(dir, "kabar.db"), Master: master}
	if _, err := os.Stat(o.Path); err != nil {
		return false // it had not begun
	}
	s, err := store.OpenSnapshot(t.Context(), o, "")
	var unfinished *store.RestoringError
	switch {
	case errors.As(err, &unfinished) && !done:
		return false
	case err != nil && strings.Contains(err.Error(), "the store is empty") && !done:
		return false // killed before there was a single row: as good as an empty folder
	case err != nil:
		t.Errorf("what a restore has left (finished: %v): %v", done, err)
		return false
	}
	defer func() { _ = s.Close() }()
	for _, table := range s.Tables {
		if table.Name != "message" {
			continue
		}
		if n, err := s.Count(t.Context(), table); n != wanted || err != nil {
			t.Errorf("a restored store has %d messages of %d, %v", n, wanted, err)
		}
	}
	return true
}
