package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"kabar/internal/store"
)

// olderStore makes a data folder with a store of schema 1, and returns it with the file of its master key.
func olderStore(t *testing.T) (data, key string) {
	t.Helper()
	from := filepath.Join("..", "..", "internal", "store", "testdata")
	dir := t.TempDir()
	data, key = filepath.Join(dir, "server"), filepath.Join(dir, "master.key")
	text, err := os.ReadFile(filepath.Join(from, "schema1.key"))
	if err != nil {
		t.Fatal(err)
	}
	packed, err := os.Open(filepath.Join(from, "schema1.sqlite.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = packed.Close() }()
	r, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	image, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{key: text, filepath.Join(data, "kabar.db"): image} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return data, key
}

// command runs the program and wants its exit status, and texts in what it says.
func command(t *testing.T, status int, args []string, want ...string) {
	t.Helper()
	var said bytes.Buffer
	if got := run(t.Context(), args, nil, streams{&said, &said}); got != status {
		t.Errorf("kabar %s: status %d, want %d", strings.Join(args, " "), got, status)
	}
	for _, text := range want {
		if !strings.Contains(said.String(), text) {
			t.Errorf("kabar %s said\n%s\nwant %q in it", strings.Join(args, " "), said.String(), text)
		}
	}
}

// newest is the number of the schema that this program wants.
func newest(t *testing.T) string {
	t.Helper()
	n, err := store.SchemaWanted()
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(n)
}

func TestMigrateShowsItsPlanAndItsSteps(t *testing.T) {
	data, key := olderStore(t)
	migrate := []string{"migrate", "--data", data}
	const file = "0002_server.sql"
	command(t, 1, []string{"serve", "--data", data, "--master-key-file", key, "--relay", "ws://127.0.0.1:1", "--addr", "127.0.0.1:0"},
		"has schema 1 and this program needs "+newest(t), "kabar migrate", file)
	command(t, 0, append(migrate, "--plan"), "schema 1, this program needs "+newest(t), file+"  5 statements: Keys of an API", "Nothing was changed")

	ctx, stop := context.WithCancel(t.Context())
	err := store.Migrate(ctx, store.Options{Path: filepath.Join(data, "kabar.db")}, func(s store.Step) {
		if s.Done && s.Number == 2 { // of the first one
			stop()
		}
	})
	if err == nil {
		t.Fatal("the migration was not cut short")
	}
	command(t, 1, []string{"user", "add", "x", "--data", data, "--master-key-file", key}, file+", 2 of 5 statements done")
	command(t, 0, append(migrate, "--plan"), "2 of them are done")
	command(t, 0, append(migrate, "--master-key-file", key), file+" 3/5  ALTER TABLE api_key ADD COLUMN revoked", "Done: the store has schema "+newest(t)+".")
	command(t, 0, migrate, "up to date: schema "+newest(t))
	command(t, 0, []string{"user", "add", "x", "--data", data, "--master-key-file", key}, "Added x")
}

func TestMigrateRefusesWhatItCannotDo(t *testing.T) {
	command(t, 2, []string{"migrate", "--data", t.TempDir()}, "there is no store of a server here")
	data, key := olderStore(t)
	dev := t.TempDir()
	if err := os.Symlink(data, filepath.Join(dev, "server")); err != nil {
		t.Fatal(err)
	}
	command(t, 2, []string{"migrate", "--data", dev}, "is a folder of kabar dev: give --data "+dev+"/server --master-key-file "+dev+"/keys/master.key")
	command(t, 2, []string{"status", "--data", dev}, "is a folder of kabar dev: give --data "+dev+"/server")
	other := filepath.Join(t.TempDir(), "other.key")
	command(t, 0, []string{"key", "master", other})
	command(t, 1, []string{"migrate", "--data", data, "--master-key-file", other}, "up to date, but the store does not open", "the store was made with")
	command(t, 0, []string{"migrate", "--data", data, "--master-key-file", key}, "up to date: schema "+newest(t))
}
