package webhook_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"kabar"
	"kabar/internal/store"
)

// app is an application that fails as a script has it, and remembers what it has accepted.
type app struct {
	mu       sync.Mutex
	rng      *rand.Rand
	fails    int                           // of a hundred requests
	down     bool                          // all of them
	poison   map[kabar.ConversationID]bool // all of these customers
	hang     bool                          // failures take forever
	mute     bool                          // it accepts, and the answer is lost
	largest  int                           // it refuses more events at a time
	accepted []*call
	bodies   map[string]string // by id
	ids      map[string]string // by body
	faults   []string
	batches  int // requests of several events
}

func (a *app) answer(ctx context.Context, c *call) (*http.Response, error) {
	a.mu.Lock()
	bad := a.down || a.rng.IntN(100) < a.fails || len(c.Batch) > a.largest
	for _, e := range c.Batch {
		bad = bad || a.poison[e.Conversation]
	}
	hang, mute, delay := bad && a.hang, !bad && a.mute, time.Duration(a.rng.IntN(50))*time.Millisecond
	a.see(c)
	a.mu.Unlock()
	time.Sleep(delay)
	if bad && !hang {
		return response(500, "no"), nil
	}
	if !bad {
		a.mu.Lock()
		a.accepted = append(a.accepted, c)
		a.mu.Unlock()
	}
	if hang || mute {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return response(200, ""), nil
}

// see checks what every request must satisfy.
func (a *app) see(c *call) {
	if body, ok := a.bodies[c.id]; ok && body != c.body {
		a.faults = append(a.faults, fmt.Sprintf("id %s with %s and %s", c.id, body, c.body))
	}
	if id, ok := a.ids[c.body]; ok && id != c.id {
		a.faults = append(a.faults, fmt.Sprintf("%s with ids %s and %s", c.body, id, c.id))
	}
	a.bodies[c.id], a.ids[c.body] = c.body, c.id
	if len(c.Batch) > 10 || !slices.IsSortedFunc(c.Batch, func(a, b told) int { return cmp.Compare(a.Seq, b.Seq) }) {
		a.faults = append(a.faults, "a body of too many events, or not in order: "+c.body)
	}
	kinds := map[kabar.ConversationID]kabar.EventKind{}
	for _, e := range c.Batch {
		if k, ok := kinds[e.Conversation]; ok && k != e.Kind {
			a.faults = append(a.faults, "the order of a customer's events does not show: "+c.body)
		}
		kinds[e.Conversation] = e.Kind
	}
	if len(c.Batch) > 1 {
		a.batches++
	}
}

func (a *app) set(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

// verdict checks what has been accepted in all: every event, and those of a customer in their order.
func (a *app) verdict(events int64, s *sink, width int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range a.faults {
		return errors.New(f)
	}
	seen, last := map[int64]bool{}, map[kabar.ConversationID]int64{}
	for _, c := range a.accepted {
		for _, e := range c.Batch {
			if seen[e.Seq] {
				continue // the application knows the event already, by what it tells
			}
			seen[e.Seq] = true
			if e.Seq < last[e.Conversation] {
				return fmt.Errorf("customer %d: event %d after %d", e.Conversation, e.Seq, last[e.Conversation])
			}
			last[e.Conversation] = e.Seq
		}
	}
	if int64(len(seen)) != events {
		return fmt.Errorf("%d of %d events have been accepted", len(seen), events)
	}
	if s.overlap {
		return errors.New("two requests of a customer at a time")
	}
	if s.most > width {
		return fmt.Errorf("%d requests at a time", s.most)
	}
	return nil
}

// step is one thing that happens in a script.
type step struct {
	kind string
	n    int
}

var steps = []string{"tell", "tell", "tell", "tell", "wait", "wait", "long", "flaky", "down", "up", "poison", "cure", "hang", "mute", "restart", "crash", "away", "move", "batch", "burst", "burst", "status", "picky", "swamp"}

// checks lowers the number of checks of a property that takes long, unless the command line says how many.
func checks(t *testing.T, n int) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	if f.Value.String() != f.DefValue {
		return
	}
	if err := f.Value.Set(strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Value.Set(f.DefValue); err != nil {
			t.Error(err)
		}
	})
}

// TestEveryEventOnceInOrder runs scripts of failures, restarts and changes of the URL.
func TestEveryEventOnceInOrder(t *testing.T) {
	checks(t, 10+volume(10))
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		var script []step
		for i := range rapid.IntRange(5, 40).Draw(rt, "steps") {
			script = append(script, step{rapid.SampledFrom(steps).Draw(rt, fmt.Sprint(i)), rapid.IntRange(1, 30).Draw(rt, fmt.Sprint("n", i))})
		}
		var err error
		synctest.Test(t, func(t *testing.T) { err = play(t, seed, script) })
		if err != nil {
			rt.Fatal(err)
		}
	})
}

func play(t *testing.T, seed uint64, script []step) error {
	const customers = 5
	v := newEnv(t, customers)
	rng := rand.New(rand.NewPCG(seed, 1))
	a := &app{rng: rand.New(rand.NewPCG(seed, 2)), poison: map[kabar.ConversationID]bool{}, largest: 10, bodies: map[string]string{}, ids: map[string]string{}}
	v.settings.Batch = rng.IntN(11)
	v.narrow(rng.IntN(2) * (3 + rng.IntN(20))) // every other one is soon far behind
	v.sink.respond(a.answer)
	v.start()
	events := int64(0)
	for _, s := range script {
		switch s.kind {
		case "tell":
			for range s.n {
				v.tell(rng.IntN(customers))
				events++
				time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
			}
		case "burst", "status":
			var who []int
			for range s.n {
				who = append(who, rng.IntN(customers))
			}
			v.tellKind(map[string]kabar.EventKind{"burst": kabar.EventMessage, "status": kabar.EventStatus}[s.kind], who...)
			events += int64(s.n)
		case "swamp":
			v.tell(slices.Repeat([]int{rng.IntN(customers)}, 2*s.n)...)
			events += 2 * int64(s.n)
		case "batch":
			v.set(func(st *kabar.Settings) { st.Batch = s.n % 11 })
		case "wait":
			time.Sleep(time.Duration(s.n) * 300 * time.Millisecond)
		case "long":
			time.Sleep(time.Duration(s.n) * time.Minute)
		case "restart":
			v.restart()
		case "crash":
			v.crash()
		case "away":
			v.aim("")
		case "move":
			v.aim(fmt.Sprintf("https://app%d.example/", s.n))
		default:
			a.set(func() { a.turn(s, v.customers[s.n%customers]) })
		}
	}
	a.set(func() {
		a.fails, a.down, a.mute, a.largest, a.poison = 0, false, false, 10, map[kabar.ConversationID]bool{}
	})
	if v.endpointURL() == "" {
		v.aim(hook)
	}
	settle(3 * time.Hour)
	v.wantDone(events)
	return a.verdict(events, v.sink, 6)
}

func (a *app) turn(s step, c kabar.ConversationID) {
	switch s.kind {
	case "flaky":
		a.fails = s.n
	case "down":
		a.down = true
	case "up":
		a.down, a.hang, a.mute, a.fails = false, false, false, 0
	case "poison":
		a.poison[c] = true
	case "cure":
		a.poison = map[kabar.ConversationID]bool{}
	case "hang":
		a.hang = !a.hang
	case "mute":
		a.mute = !a.mute
	case "picky":
		a.largest = 1 + s.n%10
	}
}

func (v *env) endpointURL() string {
	v.t.Helper()
	eps, err := v.DB.Endpoints(context.Background(), v.number.ID)
	if err != nil {
		v.t.Fatal(err)
	}
	return eps[0].URL
}

// TestNextEventWaitsForTheCommit: whatever is killed, a customer's finished event is not repeated after the next one.
func TestNextEventWaitsForTheCommit(t *testing.T) {
	bubble(t, 2, func(v *env) {
		v.sink.respond(func(_ context.Context, c *call) (*http.Response, error) {
			if c.Conversation == v.customers[0] && c.Seq == 1 {
				time.Sleep(time.Second) // so that the other customer's events are above the mark
				return response(200, ""), nil
			}
			done, rows := v.disk()
			for _, d := range rows {
				if d.State == store.Finished {
					done = max(done, d.Seq)
				}
			}
			if c.Seq > 2 && done < c.Seq-1 {
				t.Errorf("event %d was sent before %d was finished on disk", c.Seq, c.Seq-1)
			}
			return response(200, ""), nil
		})
		v.tell(0)
		v.tell(slices.Repeat([]int{1}, 20)...)
		v.start()
		settle(2 * time.Second)
		v.wantDone(21)
	})
}
