//go:build unix

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"

	"kabar/internal/secrets"
	"kabar/internal/torture/disk"
)

// options are what all rounds have in common.
type options struct {
	dir       string   // a folder for each round is made here
	templates []string // what rounds begin with, one of them
	master    secrets.Key
	lying     bool
}

// verdict says what kind of promise was broken.
type verdict int

const (
	lost    verdict = iota // something acknowledged is not there
	corrupt                // the store does not open, or bytes are damaged
	wrong                  // anything else: a counter used twice, an event twice, an error without a cause
)

// round is a business whose power goes, once or more often.
type round struct {
	options
	seed uint64
	book ledger
	net  *ratchet

	mu      sync.Mutex
	found   [3]int
	faults  []string
	calls   int64 // on the disk, all in all
	failing bool  // calls on the disk fail before the power goes: errors are no fault of the server's
	added   bool  // the number was stored, in a round that sets up a store
}

func (r *round) fault(v verdict, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found[v]++
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// The power goes at a call up to the first figure, which lies within the load; at a second cut, half of the time, up to the
// other, which lies within recovery and start. A server whose load ends before stops, and loses its power meanwhile. In some
// rounds it goes while a new store is set up.
const anyCall, earlyCall, stopCall, setUpCall = 1500, 60, 60, 300

// One of so many rounds sets up a new store, and one of so many others has its power go twice; in one of so many lives a few
// calls on the disk fail before.
const fresh, twice, failing = 25, 3, 8

// run runs the round and keeps its folder if a promise was broken.
func (r *round) run() error {
	dir := filepath.Join(r.dir, fmt.Sprintf("round-%d", r.seed))
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	luck := rand.New(rand.NewPCG(r.seed, 0))
	at, lives, work := filepath.Join(dir, "life-1"), 1, (*round).load
	if luck.IntN(fresh) == 0 {
		work = (*round).setUp
		if err := os.MkdirAll(at, 0o700); err != nil {
			return err
		}
	} else {
		if err := os.CopyFS(at, os.DirFS(r.templates[luck.IntN(len(r.templates))])); err != nil {
			return err
		}
		lives += count(luck.IntN(twice) == 0)
	}
	for i := range lives {
		next := filepath.Join(dir, fmt.Sprintf("life-%d", i+2))
		if err := r.live(at, next, work, luck, i > 0 && luck.IntN(2) == 0); err != nil {
			return err
		}
		at = next
	}
	found := filepath.Join(dir, "as-found") // the judge goes on with the other one
	if err := os.CopyFS(found, os.DirFS(at)); err != nil {
		return err
	}
	r.judge(at)
	if len(r.faults) > 0 {
		return nil
	}
	return os.RemoveAll(dir)
}

// live has a server work in a folder until the power goes, and leaves in next what is there when it is back.
func (r *round) live(dir, next string, work func(*round, *disk.Disk, string, *rand.Rand), luck *rand.Rand, early bool) error {
	d, err := disk.Claim(dir)
	if err != nil {
		return err
	}
	defer d.Release()
	d.Lie(r.lying)
	n := 1 + luck.Int64N(anyCall)
	if early {
		n = 1 + luck.Int64N(earlyCall)
	}
	d.CutAt(n)
	if r.failing = luck.IntN(failing) == 0; r.failing {
		kinds := disk.Kinds()
		if err := d.Fail(1+luck.Int64N(n), kinds[luck.IntN(len(kinds))], 1+luck.Int64N(3)); err != nil {
			return err
		}
	}
	work(r, d, dir, luck)
	if r.calls += d.Calls(); d.Calls() == 0 {
		return errors.New("nothing has reached the disk: the fault layer is not in use")
	}
	return d.Cut(luck.Uint64(), next)
}

// load runs a server under load until the power goes.
func (r *round) load(d *disk.Disk, dir string, luck *rand.Rand) {
	l := &life{round: r, down: d.Down(), seed: luck.Uint64()}
	stop := 1 + luck.Int64N(stopCall)
	s, err := open(dir, r.master)
	if err == nil {
		defer func() { _ = s.close() }() // of what no longer counts
		err = s.start(r.net)
	}
	if l.over("the start", err) || err != nil {
		return
	}
	l.s = s
	l.run()
	if !l.over("the load", nil) {
		d.CutAt(stop)
	}
}

// setUp has the power go while a new store is made.
func (r *round) setUp(d *disk.Disk, dir string, luck *rand.Rand) {
	d.CutAt(1 + luck.Int64N(setUpCall))
	l := &life{round: r, down: d.Down()}
	s, err := open(dir, r.master)
	if err == nil {
		if err = s.add(); err == nil {
			r.added = true
		}
		defer func() { _ = s.close() }() // of what no longer counts
	}
	l.over("the set-up", err)
}
