package sim

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/media"
	"kabar/internal/network/networktest"
)

// world is one seed's: a server, and everything around it.
type world struct {
	t      *testing.T
	rng    *rand.Rand
	origin *origin
	mutant mutant
	place  *place
	logged int64 // how long the write-ahead log was before the last commit
	stats  stats

	media   *media.Store
	network *networktest.Fake
	gates   *gates
	server  *server
	model   *model

	phones   []*phone
	byName   map[string]*phone
	byHandle map[string]*phone
	orders   []*order
	byLabel  map[string]*order
	calls    []*call // under way

	ratchet bool             // the driver has one
	offline bool             // the network is
	sinkIs  string           // how the application answers
	held    map[string]*gate // of a mutant: webhooks that are repeated behind the next one

	born  time.Time
	trace []string
}

// stats count what has happened, so that a test can demand that it has.
type stats struct {
	Seeds, Decisions, Crashes, Messages, Hooks int
	Passed                                     time.Duration
	transmitted, hooked                        int // since the last commit

	Unanswered, Unsent, UnmarkedSent, UnmarkedHook, Unacked int // see crashed
}

func (s *stats) add(o stats) {
	s.Seeds += o.Seeds
	s.Decisions += o.Decisions
	s.Crashes += o.Crashes
	s.Messages += o.Messages
	s.Hooks += o.Hooks
	s.Passed += o.Passed
	s.Unanswered += o.Unanswered
	s.Unsent += o.Unsent
	s.UnmarkedSent += o.UnmarkedSent
	s.UnmarkedHook += o.UnmarkedHook
	s.Unacked += o.Unacked
}

func (s stats) String() string {
	n := float64(max(s.Seeds, 1))
	return fmt.Sprintf("%.0f decisions, %.1f hours, %.1f crashes, %.0f messages, %.0f webhooks", float64(s.Decisions)/n, s.Passed.Hours()/n,
		float64(s.Crashes)/n, float64(s.Messages)/n, float64(s.Hooks)/n)
}

// crashed returns how many crashes came between what.
func (s stats) crashed() map[string]int {
	return map[string]int{"a commit and its answer": s.Unanswered, "T1 and the transmission": s.Unsent,
		"the transmission and T2": s.UnmarkedSent, "the application's 200 and the mark": s.UnmarkedHook,
		"the commit of a mail and its acknowledgement": s.Unacked}
}

var names = []string{"ana", "budi", "citra", "dewi"}

// newWorld makes the world of a seed. It must be made and used in a bubble.
func newWorld(t *testing.T, o *origin, place *place, seed uint64, mu mutant) *world {
	w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 0)), origin: o, mutant: mu, place: place, network: networktest.NewFake(),
		gates: &gates{waiting: map[string]*gate{}}, model: newModel(), byName: map[string]*phone{}, byHandle: map[string]*phone{},
		byLabel: map[string]*order{}, sinkIs: well, held: map[string]*gate{}, born: time.Now(),
		stats: stats{Seeds: 1}}
	for i, name := range names[:2+w.rng.IntN(3)] {
		p := &phone{w: w, name: name, handle: fmt.Sprintf("3460000000%d", i), index: i, refs: map[string]string{}, ticks: map[string]kabar.Status{}}
		w.phones = append(w.phones, p)
		w.byName[name], w.byHandle[p.handle] = p, p
		w.model.customers[name] = &customer{ticked: map[string]bool{}}
	}
	w.ratchet = w.rng.IntN(2) == 0
	var err error
	w.media, err = newMedia(place.dir)
	w.must(err)
	w.must(place.disk.Load(o.db, nil))
	w.start()
	return w
}

func (w *world) must(err error) {
	if err != nil {
		w.t.Helper()
		w.t.Fatal(err)
	}
}

// note writes a line of the trace. Whatever is different in each run has no place in it: keys, ids, bytes.
func (w *world) note(format string, args ...any) {
	at := time.Since(w.born).Truncate(time.Second)
	w.trace = append(w.trace, fmt.Sprintf("%4d %8s  %s", w.model.step, at, fmt.Sprintf(format, args...)))
}

var labelled = regexp.MustCompile(`#\d+`)

// messageIn returns the message that a content is of, by its label. Labels are text that only the model understands.
func (w *world) messageIn(content []byte) *message {
	o := w.byLabel[labelled.FindString(string(content))]
	if o == nil {
		w.model.fault("I2: a customer is sent %s", content)
		return &message{label: "nobody's", customer: w.phones[0].name, packets: map[string]bool{}, twins: &twins{}}
	}
	return o.message
}

// rest waits until nothing runs any more, and has the model look at what has come.
func (w *world) rest() {
	synctest.Wait()
	fresh, doubled := w.gates.look()
	for _, g := range fresh {
		w.model.now = g.at
		if g.seen != nil {
			g.seen()
		}
		w.note("        %s waits", g.label())
	}
	w.model.now = time.Now()
	for _, label := range doubled {
		w.model.fault("I5: two at once: %s", label)
	}
}

// decide begins a decision. No two are at the same instant, so that what waits for a time never ties.
func (w *world) decide() {
	time.Sleep(time.Microsecond)
	w.model.step++
	w.model.now = time.Now()
	w.stats.Decisions++
}

// Deadlines of customers, windows and times to live, are never near each other: two conversations whose lanes found at the
// same instant that a message has become undeliverable would commit in the order in which goroutines run. Each customer
// has deadlines in slots of its own.
const (
	slotEvery = 8 * time.Minute
	slotApart = 2 * time.Minute
)

// slotBefore returns the last of a customer's slots that is not after t.
func (w *world) slotBefore(p *phone, t time.Time) time.Time {
	zero := w.born.Add(-72*time.Hour + time.Duration(p.index)*slotApart)
	return zero.Add(t.Sub(zero).Truncate(slotEvery))
}

// slotAfter returns the first one after t.
func (w *world) slotAfter(p *phone, t time.Time) time.Time {
	return w.slotBefore(p, t).Add(slotEvery)
}

// slice is how much time goes by between two looks while something waits: also how late a commit may be.
const slice = 50 * time.Second

// pass lets time go by, in which everybody does what has to be done.
func (w *world) pass(d time.Duration) {
	for d > 0 {
		step := min(d, slice)
		if !w.busy() {
			step = min(d, 12*slice)
		}
		time.Sleep(step)
		d -= step
		w.stats.Passed += step
		w.rest()
		w.serve()
	}
}

// busy reports whether somebody waits for something.
func (w *world) busy() bool {
	if w.offline || w.sinkIs != well || len(w.gates.list()) > 0 {
		return true
	}
	for _, h := range w.model.hooks {
		if !h.done {
			return true
		}
	}
	return false
}

// serve decides whatever waits as it is decided in good times, as far as times are good. It reports whether there was
// anything.
func (w *world) serve() (any bool) {
	for {
		if w.server.queued() > 0 {
			w.commit()
		} else if g, v := w.due(); g != nil {
			w.open(g, v)
		} else {
			return any
		}
		any = true
	}
}
