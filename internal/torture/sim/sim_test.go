// Package sim runs the server's engine, store and webhook dispatcher in a simulation that a seed decides: around a real
// SQLite database stand a network, customers' phones and an application in memory, all in one bubble of testing/synctest.
// Hours pass in it, the process crashes and starts again, network and application fail. A model (model_test.go) that knows
// only what the outside has seen judges the history.
//
//	go test ./internal/torture/sim -seeds 5000                 many seeds
//	go test ./internal/torture/sim -run TestSeeds -seed 17 -v  one of them again, with all that happened
//	go test ./internal/torture/sim -overlay faults.json        the same of a product with a fault
//	go test ./internal/torture/sim -run TestSeeds -share 1 -cpuprofile sim.prof   seeds in this process, for a profile
//
// # How a seed replays exactly
//
// What the server does to the outside waits at a gate (gate_test.go): a transmission, a webhook, the acknowledgement of a
// mail, the answer to a request. The store's writer waits behind each commit for a permit. When nothing runs any more
// (synctest.Wait), the seed picks what happens next: one gate opens, well or badly, the writer commits what has gathered,
// somebody asks, writes or ticks, time passes, the process dies. Between two decisions goroutines run in any order, and
// three things keep that out of sight. What they do meets in the next commit, where only operations of one customer depend
// on each other, and of these there is never more than one that no decision has made. What comes of itself at the same
// instant is kept apart: deadlines of customers have slots of their own (world_test.go), time passes in steps of five
// seconds, so that the engine's random pauses of one to two never end behind one. And what is random by nature, keys,
// public ids, bytes, has labels instead.
//
// # What a crash is
//
// A killed process leaves the files as they are: database and log are saved while the writer stands still, the old server
// is cut off from all gates and ended, what it has still written is undone, and a new one finds what was saved and recovers
// the log. They lie on a disk in memory, and SQLite's connections outlive the server (disk_test.go). Of what waited at the gates some has happened without
// the server's knowing. Power cuts, torn writes and failing disks are other harnesses' work; so are the encryption, which a
// counter in the network's fake stands for, media, several numbers, and the API's wire format.
package sim

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var (
	seeds = flag.Int("seeds", 100, "how many seeds are played")
	seed  = flag.Uint64("seed", 0, "play this seed only; with -v, show what happens")
	twice = flag.Int("twice", 20, "how many seeds are played twice, to see that they replay exactly")
)

// decisions are how many a seed makes before everything is brought to its end, which takes about as many again.
const decisions = 100

// stage is where seeds are played.
type stage struct {
	origin *origin
	dir    string

	mu     sync.Mutex
	places []*place // that nobody plays at
	made   int
}

func newStage(t *testing.T) *stage {
	t.Helper()
	before := debug.SetGCPercent(1600) // there is little that lives, and much that is left behind
	t.Cleanup(func() { debug.SetGCPercent(before) })
	dir := t.TempDir()
	// No disk, if possible: what is lost in a power cut is another test's.
	if memory, err := os.MkdirTemp("/dev/shm", "kabar-sim"); err == nil { //nolint:usetesting // it is another file system
		t.Cleanup(func() { _ = os.RemoveAll(memory) })
		dir = memory
	}
	o, err := newOrigin(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{origin: o, dir: dir}
	t.Cleanup(func() {
		for _, p := range s.places {
			if err := p.close(); err != nil {
				t.Error(err)
			}
		}
	})
	return s
}

// take returns a place where nobody plays.
func (s *stage) take() (*place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.places); n > 0 {
		p := s.places[n-1]
		s.places = s.places[:n-1]
		return p, nil
	}
	s.made++
	dir := filepath.Join(s.dir, fmt.Sprint("place", s.made))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	return newPlace(dir)
}

func (s *stage) give(p *place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.places = append(s.places, p)
}

// play plays a seed and returns its world as it was at the end.
func (s *stage) play(t *testing.T, seed uint64, mu mutant) *world {
	t.Helper()
	p, err := s.take()
	if err != nil {
		t.Fatal(err)
	}
	defer s.give(p)
	defer func() {
		if p := recover(); p != nil {
			panic(fmt.Sprintf("seed %d: %v", seed, p))
		}
	}()
	var w *world
	synctest.Test(t, func(t *testing.T) {
		w = newWorld(t, s.origin, p, seed, mu)
		w.live(decisions)
	})
	return w
}

// show tells of a seed that has failed.
func show(t *testing.T, seed uint64, w *world) {
	t.Helper()
	trace := w.trace
	if !testing.Verbose() {
		trace = trace[max(0, len(trace)-40):]
	}
	t.Errorf("seed %d: %s\n\n%s\n\nagain: go test ./internal/torture/sim -run TestSeeds -seed %d -v", seed,
		strings.Join(w.model.faults, "\n"), strings.Join(trace, "\n"), seed)
}

// each plays seeds 1 to n side by side, and hands each to f, one at a time.
func (s *stage) each(t *testing.T, n int, f func(t *testing.T, seed uint64)) {
	t.Helper()
	var next atomic.Uint64
	t.Run("all", func(t *testing.T) {
		for i := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint("player ", i), func(t *testing.T) {
				t.Parallel()
				for seed := next.Add(1); seed <= uint64(n); seed = next.Add(1) {
					f(t, seed)
				}
			})
		}
	})
}

// volume returns how much a test that wants n does: less with -short.
func volume(n int) int {
	if testing.Short() {
		return (n + 9) / 10
	}
	return n
}

func TestSeeds(t *testing.T) {
	switch {
	case *seed > 0:
		if w := newStage(t).play(t, *seed, none); len(w.model.faults) > 0 {
			show(t, *seed, w)
		} else {
			t.Log("\n" + strings.Join(w.trace, "\n"))
		}
		return
	case *share > 0:
		playShare(t, volume(*seeds))
		return
	}
	began := time.Now()
	all := shares(t, volume(*seeds))
	t.Logf("%.0f seeds a minute; of each, on average: %s", float64(all.Seeds)/time.Since(began).Minutes(), all)
	for what, n := range all.crashed() {
		if t.Logf("crashes between %s: %d", what, n); n < all.Seeds/20 {
			t.Errorf("only %d crashes in %d seeds came between %s", n, all.Seeds, what)
		}
	}
}

// A seed that fails must fail again: what happens depends on nothing but the seed.
func TestASeedReplaysExactly(t *testing.T) {
	s := newStage(t)
	s.each(t, volume(*twice), func(t *testing.T, n uint64) {
		same(t, n, s.play(t, n, none).trace, s.play(t, n, none).trace)
	})
}

func TestASeedReplaysExactlyOnAnyNumberOfProcessors(t *testing.T) {
	s := newStage(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for n := range uint64(min(volume(*twice), 8)) {
		runtime.GOMAXPROCS(1)
		one := s.play(t, n+1, none)
		runtime.GOMAXPROCS(2)
		same(t, n+1, one.trace, s.play(t, n+1, none).trace)
	}
}

// same compares two traces of a seed.
func same(t *testing.T, seed uint64, a, b []string) {
	t.Helper()
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			t.Errorf("seed %d: line %d is different\n%s\n\n%s", seed, i, strings.Join(a[max(0, i-5):min(len(a), i+3)], "\n"),
				strings.Join(b[max(0, i-5):min(len(b), i+3)], "\n"))
			return
		}
	}
}
