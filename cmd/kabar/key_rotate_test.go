package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"kabar/internal/control"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// rotation is a store with its master key file.
type rotation struct {
	cmd keyRotateCmd
	o   store.Options
	db  *store.DB
}

func newRotation(t *testing.T) *rotation {
	t.Helper()
	dir := t.TempDir()
	v := &rotation{o: store.Options{Path: filepath.Join(dir, "kabar.db")}}
	v.cmd.MasterKeyFile = filepath.Join(dir, "master.key")
	if _, err := secrets.CreateMasterKey(v.cmd.MasterKeyFile); err != nil {
		t.Fatal(err)
	}
	v.open(t)
	t.Cleanup(func() { _ = v.db.Close() })
	return v
}

// open opens the store as a start of the server does.
func (v *rotation) open(t *testing.T) {
	t.Helper()
	v.o.Master = v.inFile(t)
	db, err := v.cmd.openWith(t.Context(), v.o)
	if err != nil {
		t.Fatal(err)
	}
	v.db = db
	if id, err := db.MasterKeyID(t.Context()); err != nil || id != v.inFile(t).ID() {
		t.Fatalf("the store is under %s, %v, and the file holds %s", id, err, v.inFile(t).ID())
	}
}

func (v *rotation) inFile(t *testing.T) secrets.Key {
	t.Helper()
	key, err := secrets.LoadMasterKey(v.cmd.MasterKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// restart closes and opens the store.
func (v *rotation) restart(t *testing.T) {
	t.Helper()
	if err := v.db.Close(); err != nil {
		t.Fatal(err)
	}
	v.open(t)
}

func (v *rotation) client() *control.Client {
	m := control.NewMux()
	rotateOperation(m, &parts{db: v.db})
	return control.Local(m)
}

// wantPrevious looks for the file of an earlier key.
func (v *rotation) wantPrevious(t *testing.T, id string) {
	t.Helper()
	if key, err := secrets.LoadMasterKey(v.cmd.MasterKeyFile + ".previous-" + id); err != nil || key.ID() != id {
		t.Errorf("the earlier key %s was not kept: %v", id, err)
	}
	if _, err := os.Stat(nextMasterKey(v.cmd.MasterKeyFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the next key is still there: %v", err)
	}
}

func TestRotateExchangesTheFile(t *testing.T) {
	v := newRotation(t)
	for range 3 {
		old := v.inFile(t).ID()
		var out bytes.Buffer
		if err := v.cmd.toNext(t.Context(), v.client(), &out, old); err != nil {
			t.Fatal(err)
		}
		if now := v.inFile(t).ID(); now == old || !strings.Contains(out.String(), now) || !strings.Contains(out.String(), ".previous-"+old) {
			t.Errorf("from %s to %s, it said %s", old, now, out.String())
		}
		v.wantPrevious(t, old)
		v.restart(t)
	}
}

// A rotation is killed after each of its steps; then the server starts, or the command runs again beside the running server.
func TestAnExchangeThatWasCutShortIsFinished(t *testing.T) {
	steps := []func(t *testing.T, v *rotation, old string){
		func(t *testing.T, v *rotation, _ string) {
			if _, err := secrets.CreateMasterKey(nextMasterKey(v.cmd.MasterKeyFile)); err != nil {
				t.Fatal(err)
			}
		},
		func(t *testing.T, v *rotation, old string) {
			if _, err := (&parts{db: v.db}).rotateKey(t.Context(), rotateKey{Current: old, File: nextMasterKey(v.cmd.MasterKeyFile)}, nil); err != nil {
				t.Fatal(err)
			}
		},
		func(t *testing.T, v *rotation, old string) {
			if err := os.Link(v.cmd.MasterKeyFile, v.cmd.MasterKeyFile+".previous-"+old); err != nil {
				t.Fatal(err)
			}
		},
	}
	for done := range len(steps) + 1 {
		for _, restart := range []bool{true, false} {
			v := newRotation(t)
			old := v.inFile(t).ID()
			for _, step := range steps[:done] {
				step(t, v, old)
			}
			if restart {
				v.restart(t)
				if done >= 2 {
					v.wantPrevious(t, old)
				}
			}
			before := v.inFile(t).ID()
			if err := v.cmd.toNext(t.Context(), v.client(), &bytes.Buffer{}, before); err != nil {
				t.Errorf("again after %d steps, restarted %v: %v", done, restart, err)
			}
			v.wantPrevious(t, before)
			v.restart(t)
		}
	}
}

// The command on a stopped server finishes what was cut short when it opens the store, and then does not rotate once more.
func TestRotateFinishesAndStops(t *testing.T) {
	v := newRotation(t)
	old := v.inFile(t).ID()
	if _, err := secrets.CreateMasterKey(nextMasterKey(v.cmd.MasterKeyFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := (&parts{db: v.db}).rotateKey(t.Context(), rotateKey{Current: old, File: nextMasterKey(v.cmd.MasterKeyFile)}, nil); err != nil {
		t.Fatal(err)
	}
	v.restart(t) // as the command does when no server runs
	now := v.inFile(t).ID()
	var out bytes.Buffer
	if err := v.cmd.toNext(t.Context(), v.client(), &out, old); err != nil || !strings.Contains(out.String(), "is finished") {
		t.Errorf("%v, it said %s", err, out.String())
	}
	if after := v.inFile(t).ID(); after != now || after == old {
		t.Errorf("from %s to %s to %s", old, now, after)
	}
}

func TestRotateRefusesTheWrongFile(t *testing.T) {
	v := newRotation(t)
	right := v.cmd.MasterKeyFile
	v.cmd.MasterKeyFile = filepath.Join(t.TempDir(), "other.key")
	other, err := secrets.CreateMasterKey(v.cmd.MasterKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	err = v.cmd.toNext(t.Context(), v.client(), &bytes.Buffer{}, other.ID())
	if err == nil || !strings.Contains(err.Error(), other.ID()) || !strings.Contains(err.Error(), "the file that the server uses") {
		t.Errorf("rotate with another key's file = %v", err)
	}
	v.o.Master = other
	if _, err := v.cmd.openWith(t.Context(), v.o); err == nil {
		t.Error("the store, in use, was opened twice")
	}
	v.cmd.MasterKeyFile = right
	v.restart(t)
	var usage *usageError
	if err := new(keyRotateCmd).Run(t.Context(), streams{}); !errors.As(err, &usage) {
		t.Errorf("rotate without a key = %v, want a usage error", err)
	}
}

// A key that lies elsewhere is replaced by a file that its owner has made.
func TestRotateToAGivenKey(t *testing.T) {
	v := newRotation(t)
	file := filepath.Join(t.TempDir(), "new.key")
	v.cmd.NewMasterKeyFile = file
	if err := v.cmd.toGiven(t.Context(), v.client(), &bytes.Buffer{}); err == nil {
		t.Error("a file that is not there was taken")
	}
	key, err := secrets.CreateMasterKey(file)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := v.cmd.toGiven(t.Context(), v.client(), &out); err != nil || !strings.Contains(out.String(), key.ID()) {
		t.Errorf("it said %s, %v", out.String(), err)
	}
	v.cmd.MasterKeyFile = file
	v.restart(t)
}

// Several commands at once: each finds the key of the one before, and whatever they meet, the file opens the store in the end.
func TestRotationsAtOnce(t *testing.T) {
	v := newRotation(t)
	for range 5 {
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				_ = v.cmd.alone(func() error { // busy is an answer, too
					before, err := v.cmd.load(t.Context())
					if err != nil {
						return err
					}
					return v.cmd.toNext(t.Context(), v.client(), &bytes.Buffer{}, before.ID())
				})
			})
		}
		all.Wait()
		inFile, err := v.db.MasterKeyID(t.Context())
		if err != nil || inFile != v.inFile(t).ID() {
			t.Fatalf("the store is under %s, %v; the file holds %s", inFile, err, v.inFile(t).ID())
		}
	}
	v.restart(t)
}

// A file that has changed meanwhile is not replaced: it may hold the only key.
func TestExchangeLooksFirst(t *testing.T) {
	v := newRotation(t)
	present := v.inFile(t).ID()
	next, err := secrets.CreateMasterKey(nextMasterKey(v.cmd.MasterKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to string }{{next.ID(), next.ID()}, {present, present}, {"0123456789abcdef", next.ID()}} {
		if _, err := v.cmd.exchange(t.Context(), c.from, c.to); err == nil {
			t.Errorf("exchanged %s for %s", c.from, c.to)
		}
	}
	if now := v.inFile(t).ID(); now != present {
		t.Errorf("the file holds %s, not %s any more", now, present)
	}
}
