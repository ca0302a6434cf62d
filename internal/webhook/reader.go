package webhook

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"kabar"
	"kabar/internal/store"
)

// reader reads the log of a number for one endpoint, as long as the endpoint exists, or for one replay, until its end.
type reader struct {
	o       *Options
	id      kabar.EndpointID // of its mark and its rows
	of      kabar.EndpointID // the endpoint's: ids of requests are made of it
	account kabar.AccountID
	number  kabar.NumberID
	dialect kabar.Dialect
	profile Profile
	salt    uint64 // of webhook ids
	log     *slog.Logger
	wake    chan struct{} // there may be something new: an event, another URL, another time
	stop    context.CancelFunc
	ended   func()                      // a replay has ended
	aside   func(func(context.Context)) // does something beside deliveries, until the dispatcher ends

	mu    sync.Mutex
	to    *target
	state state
}

// state is what a reader tells others about itself.
type state struct {
	mark      int64
	settled   int   // events above the mark that are finished or parked
	parked    int64 // events of parked customers
	customers int   // who are parked
	since     time.Time
	reply     reply
}

// reply is the last answer, of whichever session; zero before the first.
type reply struct {
	at     time.Time // when it was asked
	url    string    // that has given it
	status int
	err    string // why it counts as failed
}

// replyOf is what a URL has answered last; zero if that was another.
func (st *state) replyOf(url string) reply {
	if st.reply.url != url {
		return reply{}
	}
	return st.reply
}

func newReader(o *Options, t *target) *reader {
	return &reader{o: o, id: t.id(), of: t.ID, account: t.Account, number: t.Number, dialect: t.Dialect, profile: o.Profile[t.Dialect], to: t,
		salt: o.Store.Ref(kabar.MessageID(t.ID)), log: o.Log.With("endpoint", t.id()), wake: make(chan struct{}, 1),
		state: state{mark: t.Mark}}
}

// aim says where the events go from now on, and how.
func (r *reader) aim(t *target) {
	r.mu.Lock()
	changed := !r.to.same(t)
	if changed {
		r.to = t
	}
	r.mu.Unlock()
	if changed {
		r.nudge()
	}
}

// again has a new session begin, which tries at once what waits.
func (r *reader) again() {
	r.mu.Lock()
	t := *r.to
	r.to = &t
	r.mu.Unlock()
	r.nudge()
}

func (r *reader) target() *target {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.to
}

// nudge never blocks.
func (r *reader) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run has a session for each target, one after another, until ctx ends or a replay does.
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
		case !s.to.active():
			s.publish()
			r.await(ctx)
		default:
			s.hurry = hurry
			s.run(ctx)
			s.close()
		}
		if s.done {
			r.ended()
			return
		}
		hurry = true // what waits for its back-off goes to another URL at once
	}
}

// await waits until events are to be sent.
func (r *reader) await(ctx context.Context) {
	for !r.target().active() {
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
	r.mu.Lock()
	s.reply = r.state.reply
	r.mu.Unlock()
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	for after, full := s.window.mark, true; full; {
		rows, err := r.o.Store.DeliveryHeads(ctx, r.number, r.id, after, page)
		if err != nil {
			return nil, err
		}
		for _, d := range rows {
			after = d.Seq
			s.known[d.Seq] = d
			s.beyond = append(s.beyond, d.Seq)
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
	s.logEnd, err = r.o.Store.LastSeq(ctx, r.number)
	return s, err
}

// begin reads the mark. Without it, one that was removed a moment ago would be sent the whole log.
func (s *session) begin(ctx context.Context) error {
	if s.to.replay != nil {
		replay, err := s.o.Store.Replay(ctx, s.id)
		if err != nil {
			return err
		}
		s.window.begin(replay.Mark)
		return nil
	}
	ep, err := s.o.Store.Endpoint(ctx, s.id)
	if err != nil {
		return err
	}
	s.window.begin(ep.Mark)
	s.health.resume(ep.Failing)
	s.failing = ep.Failing
	return nil
}

// Backlog is how far an endpoint is behind.
type Backlog struct {
	Pending    int64     // events that are not finished, parked ones included
	Oldest     time.Time // when the oldest of them happened; zero if there is none
	Failing    bool      // something failed, and nothing has succeeded for 30 seconds since
	Parked     int       // customers who are parked
	LastAt     time.Time // when the last request was made that its URL has answered, or not; zero before the first
	LastStatus int       // of the last answer; 0 before the first and when there was none
	LastError  string    // of the last attempt; empty when it succeeded
	Suspended  bool
}

// Backlog returns how far each endpoint is behind, those without a URL included. What is replayed is not behind, and nothing waits for one that
// is disabled: what happens meanwhile is not told later.
func (d *Dispatcher) Backlog(ctx context.Context) (map[kabar.EndpointID]Backlog, error) {
	all := map[kabar.EndpointID]Backlog{}
	for _, readers := range d.snapshot() {
		for _, r := range readers {
			if r.id != r.of {
				continue // a replay
			}
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
	st, to := r.state, r.to
	r.mu.Unlock()
	answer, state := st.replyOf(to.URL), to.State
	if state == kabar.EndpointDisabled {
		return Backlog{LastAt: answer.at, LastStatus: answer.status, LastError: answer.err}, nil
	}
	behind, err := r.o.Store.Behind(ctx, r.number, st.mark)
	if err != nil {
		return Backlog{}, err
	}
	b := Backlog{Parked: st.customers, LastAt: answer.at, LastStatus: answer.status, LastError: answer.err, Failing: failing(st.since, r.o.Now()),
		Suspended: state == kabar.EndpointSuspended}
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
