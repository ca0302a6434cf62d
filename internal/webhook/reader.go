package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"kabar"
	"kabar/internal/store"
)

// reader reads the log of a number for one endpoint, as long as the endpoint exists.
type reader struct {
	o       *Options
	id      kabar.EndpointID
	account kabar.AccountID
	number  kabar.NumberID
	dialect kabar.Dialect
	salt    uint64 // of webhook ids
	log     *slog.Logger
	wake    chan struct{} // there may be something new: an event, another URL, another time
	stop    context.CancelFunc

	mu    sync.Mutex
	url   string
	state state
}

// state is what a reader tells others about itself.
type state struct {
	mark      int64
	settled   int   // events above the mark that are finished or parked
	parked    int64 // events of parked customers
	customers int   // who are parked
	since     time.Time
	status    int
	err       string
}

func newReader(o *Options, ep *kabar.Endpoint) *reader {
	return &reader{o: o, id: ep.ID, account: ep.Account, number: ep.Number, dialect: ep.Dialect, url: ep.URL,
		salt: o.Store.Ref(kabar.MessageID(ep.ID)), log: o.Log.With("endpoint", ep.ID), wake: make(chan struct{}, 1),
		state: state{mark: ep.Mark}}
}

// aim says where the events go from now on; nowhere for now if url is empty.
func (r *reader) aim(url string) {
	r.mu.Lock()
	changed := r.url != url
	r.url = url
	r.mu.Unlock()
	if changed {
		r.nudge()
	}
}

func (r *reader) target() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.url
}

// nudge never blocks.
func (r *reader) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run has a session for each URL, one after another, until ctx ends.
func (r *reader) run(ctx context.Context) {
	for hurry := false; ctx.Err() == nil; {
		s, err := r.open(ctx)
		switch {
		case err != nil:
			if ctx.Err() == nil {
				r.log.Warn("begin with a webhook endpoint", "err", err)
			}
			sleep(ctx, pauseStore)
			continue
		case s.url == "":
			s.publish()
			r.await(ctx)
		default:
			s.hurry = hurry
			s.run(ctx)
		}
		hurry = true // what waits for its back-off goes to another URL at once
	}
}

// await waits for a URL.
func (r *reader) await(ctx context.Context) {
	for r.target() == "" {
		select {
		case <-r.wake:
		case <-ctx.Done():
			return
		}
	}
}

// open reads what the store remembers of the endpoint: its mark, the rows above it, and who is parked.
func (r *reader) open(ctx context.Context) (*session, error) {
	s := newSession(r, r.target())
	endpoints, err := r.o.Store.Endpoints(ctx, r.number)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(endpoints, func(ep *kabar.Endpoint) bool { return ep.ID == r.id })
	if i < 0 { // removed a moment ago: without its mark it would be sent the whole log
		return nil, fmt.Errorf("endpoint %d is gone", r.id)
	}
	s.window.begin(endpoints[i].Mark)
	for after, full := s.window.mark, true; full; {
		rows, err := r.o.Store.DeliveryHeads(ctx, r.number, r.id, after, page)
		if err != nil {
			return nil, err
		}
		for _, d := range rows {
			after = d.Seq
			s.known[d.Seq] = d
		}
		full, s.lastKnown = len(rows) == page, after
	}
	parked, err := r.o.Store.ParkedCustomers(ctx, r.number, r.id)
	if err != nil {
		return nil, err
	}
	for _, p := range parked {
		s.lanes.resume(p)
	}
	return s, nil
}

// Backlog is how far an endpoint is behind.
type Backlog struct {
	Pending    int64     // events that are not finished, parked ones included
	Oldest     time.Time // when the oldest of them happened; zero if there is none
	Failing    bool      // something failed, and nothing has succeeded for 30 seconds since
	Parked     int       // customers who are parked
	LastStatus int       // of the last answer; 0 before the first and when there was none
	LastError  string    // of the last attempt; empty when it succeeded
}

// Backlog returns how far each endpoint is behind, those without a URL included.
func (d *Dispatcher) Backlog(ctx context.Context) (map[kabar.EndpointID]Backlog, error) {
	all := map[kabar.EndpointID]Backlog{}
	for _, readers := range d.snapshot() {
		for _, r := range readers {
			b, err := r.backlog(ctx)
			if err != nil {
				return nil, err
			}
			all[r.id] = b
		}
	}
	return all, nil
}

func (d *Dispatcher) snapshot() map[kabar.NumberID][]*reader {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := map[kabar.NumberID][]*reader{}
	for n, rs := range d.readers {
		for _, r := range rs {
			all[n] = append(all[n], r)
		}
	}
	return all
}

func (r *reader) backlog(ctx context.Context) (Backlog, error) {
	r.mu.Lock()
	st := r.state
	r.mu.Unlock()
	behind, err := r.o.Store.Behind(ctx, r.number, st.mark)
	if err != nil {
		return Backlog{}, err
	}
	b := Backlog{Parked: st.customers, LastStatus: st.status, LastError: st.err, Failing: failing(st.since, r.o.Now())}
	b.Pending = max(behind-int64(st.settled), 0) + st.parked
	if b.Pending == 0 {
		return b, nil
	}
	before := st.mark // of the oldest event that is not finished
	if st.parked > 0 {
		rows, err := r.o.Store.Deliveries(ctx, r.number, r.id, store.Parked, 0, 1)
		if err != nil {
			return b, err
		}
		for _, d := range rows {
			before = min(before, d.Seq-1)
		}
	}
	heads, err := r.o.Store.EventHeads(ctx, r.number, before, 1)
	if err != nil {
		return b, err
	}
	for _, h := range heads {
		b.Oldest = h.At
	}
	return b, nil
}
