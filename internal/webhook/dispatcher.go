// Package webhook tells applications what has happened: it reads the event logs of the numbers and POSTs each event to
// the endpoints of its number (contract On-Premises API, section 2.6).
//
// Each endpoint has a reader (reader.go), which does nothing while there is no URL, and a session (session.go) while there
// is one. A session is one goroutine that owns all bookkeeping, so none of it is locked: what is read of the log (fill.go), which
// events of it are under way or finished (window.go), whose turn it is (lanes.go, pick.go), which events share a request
// (batch.go), whether the endpoint answers at all (health.go), who is parked (parking.go). Requests (hand.go, attempt.go, post.go) and commits
// (save.go) run beside it and report to it.
//
// What holds at any moment, also across a crash:
//   - At least once: an event is finished when the endpoint has taken it (200, or any 2xx, as its Profile says) and the store says so. Until then it is
//     tried again; the n-th failure waits n times Settings.BackoffStep, at most Settings.BackoffCap, or as the Profile of
//     its dialect says. An endpoint that has taken nothing for longer than that allows is suspended (suspend.go): its events wait.
//   - A retry has the bytes and the webhook-id of the first attempt.
//   - One request about a customer at a time, in the order of the log; customers do not wait for each other, but for a few
//     tries of a batch (batch.go) that they are in. At most Settings.Concurrency requests an endpoint.
//   - A customer whose event fails while the endpoint answers others is parked: the customer's events wait in rows of their
//     own, the mark passes them, and they are drained in order. An endpoint that answers nobody for 30 seconds is backed
//     off from as a whole: one request at a time, and nobody is parked.
//   - Who has nothing waiting does not wait for those who have: an endpoint that is far behind is told early of such customers (overtake.go).
//   - Memory does not grow with the backlog: a session holds the heads of at most windowLimit events and of maxEarly told early, and a few
//     words for each customer who is parked, at most maxParked of them, or of whom something waits, at most maxLate.
//
// What was taken, and each failed attempt in full, is noted in the commit that moves the mark. A replay is a reader beside the endpoint's
// own, with a mark and rows of its own, that ends at an event (replay.go).
//
// The package does not know how an event looks (a Renderer does), and gives up on nothing. It does not
// use package lanes: a lane there finds its work in the store by its key, while the log is read in order and has no index
// by customer; and the number of requests here changes with the settings and falls to one when an endpoint is backed off
// from.
package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"kabar"
	"kabar/internal/sink"
	"kabar/internal/store"
)

// Client makes one request and returns the answer, whatever its status; a redirect is an answer. It is an *egress.Client.
type Client interface {
	Do(req *http.Request, maxBytes int64) (*http.Response, error)
}

// Sink takes events otherwise than by HTTP. Publish returns once the event is kept, may be called by several goroutines, and is called
// for one event of a customer at a time; Close is called when no call is under way.
type Sink interface {
	Publish(ctx context.Context, e sink.Event) error
	Close() error
}

// Renderer makes the body that tells of ev. wanted is false when the settings ask for no such events: the event is then
// finished without a request. An error is tried again like a request that failed. The same event should give the same
// bytes.
type Renderer = func(ev *kabar.Event, n *kabar.Number, s kabar.Settings) (body []byte, wanted bool, err error)

// Options are what a Dispatcher works with. Store, Client (or ClientOf), Settings and Number are required.
type Options struct {
	Store    *store.DB
	Client   Client
	ClientOf func(kabar.NumberID) Client // of a number's requests, asked before each; nil: Client
	// ClientFor makes the client of an endpoint that has certificates of its own. Required for those.
	ClientFor func(kabar.NumberID, *kabar.EndpointConfig) (Client, error)
	// Sinks open what takes events otherwise than by HTTP, by the scheme of its URL.
	Sinks    map[string]func(context.Context, *kabar.EndpointConfig) (Sink, error)
	Render   map[kabar.Dialect]Renderer
	Batch    map[kabar.Dialect]Batcher // of a dialect without one each request tells of one event
	Profile  map[kabar.Dialect]Profile // of a dialect without one the number's settings say how failures wait
	Sign     map[kabar.Dialect]Signer  // beside the signatures of Standard Webhooks; may be nil
	Settings func(kabar.NumberID) (kabar.Settings, error)
	Number   func(kabar.NumberID) (*kabar.Number, error)
	Now      func() time.Time // for back-off; default time.Now
	Log      *slog.Logger
	// Suspend notes, in every endpoint of the group, that nothing is sent to it any more, unless it has another configuration by now, or
	// others of the group take events. It returns the event that tells of it, nil for none, and is asked again while nothing changes. Nil:
	// nobody is suspended.
	Suspend func(ctx context.Context, e *kabar.Endpoint, why kabar.Suspension) (*kabar.Event, error)
	Told    func(Post) // called after each request by several goroutines; it must not block; may be nil
	Version string     // for the User-Agent
	// Concurrency is how many requests an endpoint may have at a time; zero: what the number's settings say.
	Concurrency int
	// Window is how many events above its mark an endpoint reads; zero: 2000. Who is further behind tells early of customers of whom nothing waits.
	Window int
}

// Post is a request that has been made, for statistics.
type Post struct {
	Number kabar.NumberID
	Kind   kabar.EventKind // of the first event that it told of
	Status int             // of the answer; 0 for none
	Err    error           // nil for a success
	Took   time.Duration
}

// Dispatcher delivers the events of all numbers of a store. All methods are safe for concurrent use.
type Dispatcher struct {
	o    Options
	look chan struct{} // something has been asked

	mu      sync.Mutex // held for moments only, never during I/O
	asked   map[kabar.NumberID]bool
	readers map[kabar.NumberID]map[kabar.EndpointID]*reader
	running sync.WaitGroup
}

// New returns a dispatcher. It does nothing until Run.
func New(o Options) *Dispatcher {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.ClientOf == nil {
		o.ClientOf = func(kabar.NumberID) Client { return o.Client }
	}
	if o.Suspend == nil {
		o.Suspend = func(context.Context, *kabar.Endpoint, kabar.Suspension) (*kabar.Event, error) { return nil, nil }
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	return &Dispatcher{o: o, look: make(chan struct{}, 1), asked: map[kabar.NumberID]bool{},
		readers: map[kabar.NumberID]map[kabar.EndpointID]*reader{}}
}

// Run delivers until ctx ends, gives the requests under way a second to finish, and returns nil. What the store does not
// answer is asked again.
func (d *Dispatcher) Run(ctx context.Context) error {
	defer d.running.Wait()
	for listed := false; ctx.Err() == nil; {
		err := error(nil)
		if !listed {
			err = d.list(ctx)
			listed = err == nil
		}
		for _, n := range d.take() {
			if e := d.refresh(ctx, n); e != nil {
				d.ask(n)
				err = e
			}
		}
		if err != nil && ctx.Err() == nil {
			d.o.Log.Warn("read the webhook endpoints", "err", err)
		}
		sleep(ctx, lookEvery)
		select {
		case <-d.look:
		case <-ctx.Done():
		}
	}
	return nil
}

// list asks for every number of the store.
func (d *Dispatcher) list(ctx context.Context) error {
	numbers, err := d.o.Store.Numbers(ctx)
	if err != nil {
		d.ask(0) // to come back
		return err
	}
	for _, n := range numbers {
		d.ask(n.ID)
	}
	return nil
}

// lookEvery is how often the endpoints of numbers with new events are read at most: a change of a URL holds after this time.
const lookEvery = 200 * time.Millisecond

// Wake says that the number has a new event, a new endpoint, or other settings. It never blocks.
func (d *Dispatcher) Wake(n kabar.NumberID) {
	d.mu.Lock()
	for _, r := range d.readers[n] {
		r.nudge()
	}
	d.mu.Unlock()
	d.ask(n)
}

// Shifted says that the clock has jumped: what waits for a time looks again.
func (d *Dispatcher) Shifted() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, rs := range d.readers {
		for _, r := range rs {
			r.nudge()
		}
	}
}

// ask has the number's endpoints read again.
func (d *Dispatcher) ask(n kabar.NumberID) {
	d.mu.Lock()
	d.asked[n] = true
	d.mu.Unlock()
	select {
	case d.look <- struct{}{}:
	default:
	}
}

func (d *Dispatcher) take() []kabar.NumberID {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]kabar.NumberID, 0, len(d.asked))
	for n := range d.asked {
		all = append(all, n)
	}
	clear(d.asked)
	return all
}

// Retry has what waits for its back-off at an endpoint tried at once.
func (d *Dispatcher) Retry(n kabar.NumberID, id kabar.EndpointID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.readers[n][id]; r != nil {
		r.again()
	}
}

// refresh brings the readers of a number in line with its endpoints and replays.
func (d *Dispatcher) refresh(ctx context.Context, n kabar.NumberID) error {
	targets, err := d.targets(ctx, n)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.readers[n]
	now := make(map[kabar.EndpointID]*reader, len(targets))
	for _, t := range targets {
		r := old[t.id()]
		if r == nil {
			r = newReader(&d.o, t)
			own, stop := context.WithCancel(ctx)
			r.stop = stop
			r.ended = func() { d.ask(n) }
			r.aside = func(do func(context.Context)) { d.running.Go(func() { do(ctx) }) }
			d.running.Go(func() { r.run(own) })
		}
		now[t.id()] = r
		r.aim(t)
		delete(old, t.id())
	}
	for _, r := range old {
		r.stop()
	}
	d.readers[n] = now
	return nil
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
