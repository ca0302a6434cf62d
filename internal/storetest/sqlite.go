package storetest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"kabar/internal/store"
)

// kinds are the databases by name. They hold what a test process makes once: the templates and the server.
var kinds = map[string]kind{"sqlite": &sqliteKind{}, "postgres": &postgresKind{}}

type sqliteKind struct {
	once  sync.Once
	err   error
	image []byte // of the template's file
	world *world
}

func (k *sqliteKind) ready() error { return nil }

func (k *sqliteKind) fresh(tb testing.TB) store.Options {
	return store.Options{Path: filepath.Join(tb.TempDir(), "kabar.db")}
}

func (k *sqliteKind) copyOf(tb testing.TB) (store.Options, *world) {
	tb.Helper()
	o := k.fresh(tb)
	k.once.Do(func() {
		t := k.fresh(tb)
		if k.world, k.err = newWorld(t); k.err == nil {
			k.image, k.err = os.ReadFile(t.Path)
		}
	})
	if k.err != nil {
		tb.Fatal(k.err)
	}
	if err := os.WriteFile(o.Path, k.image, 0o600); err != nil {
		tb.Fatal(err)
	}
	o.Master = k.world.master
	return o, k.world
}
