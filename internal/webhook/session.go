package webhook

import (
	"context"
	"sync"
	"time"

	"kabar"
	"kabar/internal/store"
)

// Waits of a session.
const (
	pauseStore = time.Second // after the store did not answer
	grace      = time.Second // for the requests under way when a session ends
	longest    = time.Hour   // between two looks at the clock
)

// session delivers to one URL. Everything in it belongs to the goroutine of run.
type session struct {
	*reader
	url   string
	hurry bool // what was due later is tried at once: it failed at another URL

	window window
	lanes  lanes
	health health
	known  map[int64]*store.Delivery // rows of events that have not been read yet

	more     bool // the log may hold more
	ahead    int  // events that were read ahead
	inflight int  // requests, those of parked customers included
	draining int  // those of parked customers
	results  chan result
	workers  sync.WaitGroup

	saving  *commit // under way, or to be tried again
	writing bool
	broken  bool      // the last commit failed
	retry   time.Time // of the commit
	saved   chan error
	touched []*lane // whose fate is in the next commit
	arrived []*lane // one for each parked row in the next commit

	settings kabar.Settings
	status   int
	err      string
	ending   bool
	nap      time.Duration
}

func newSession(r *reader, url string) *session {
	return &session{reader: r, url: url, window: window{limit: windowLimit}, lanes: lanes{all: map[kabar.ConversationID]*lane{}},
		known: map[int64]*store.Delivery{}, more: true, results: make(chan result), saved: make(chan error)}
}

// run delivers until ctx ends or the endpoint has another URL. Requests under way have some time left to finish.
func (s *session) run(ctx context.Context) {
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	timer := time.NewTimer(longest)
	defer timer.Stop()
	for {
		if !s.ending && (ctx.Err() != nil || s.target() != s.url) {
			s.ending = true
			defer time.AfterFunc(grace, cancel).Stop()
		}
		s.nap = longest
		if !s.ending && s.configured(ctx) {
			s.fill(ctx)
			s.makeRoom(ctx)
			s.dispatch(requests)
		}
		s.save(ctx)
		s.publish()
		if s.over() {
			s.workers.Wait()
			return
		}
		timer.Reset(s.nap)
		s.wait(ctx, timer)
	}
}

// over reports whether everything under way has ended and is committed, or cannot be committed.
func (s *session) over() bool {
	return s.ending && s.inflight == 0 && !s.writing && (s.saving == nil || s.broken)
}

// wait waits until there is something to do.
func (s *session) wait(ctx context.Context, timer *time.Timer) {
	end := ctx.Done()
	if s.ending {
		end = nil
	}
	select {
	case r := <-s.results:
		s.take(r)
	case err := <-s.saved:
		s.committed(err)
	case <-s.wake:
		s.more = true
	case <-timer.C:
	case <-end:
	}
}

// within shortens the next wait.
func (s *session) within(d time.Duration) { s.nap = min(s.nap, max(d, 0)) }

// configured reads the number's settings as they are now. A number that has none yet is not delivered for.
func (s *session) configured(ctx context.Context) bool {
	settings, err := s.o.Settings(s.number)
	if err != nil {
		s.trouble(ctx, "read the settings of a number", err)
		return false
	}
	s.settings = settings
	return true
}

// fill reads the log into the window, as far as there is use for it.
func (s *session) fill(ctx context.Context) {
	for s.more && s.window.room() > 0 && len(s.lanes.ready) < page {
		n := min(page, s.window.room())
		read, err := s.read(ctx, n)
		if err != nil {
			s.trouble(ctx, "read the event log", err)
			return
		}
		s.more = read == n
	}
}

// read admits the next n events: whole ones as long as there is room for them, and if all of them can be read.
func (s *session) read(ctx context.Context, n int) (int, error) {
	if s.ahead+n <= readAhead {
		events, err := s.o.Store.Events(ctx, s.number, s.window.read, n)
		if err == nil {
			for _, ev := range events {
				s.admit(store.EventHead{Seq: ev.Seq, Conversation: ev.Conversation, At: ev.At}, ev)
			}
			return len(events), nil
		}
		s.log.Debug("read events ahead", "err", err) // one of them may be unreadable: its own attempt will tell
	}
	heads, err := s.o.Store.EventHeads(ctx, s.number, s.window.read, n)
	for _, h := range heads {
		s.admit(h, nil)
	}
	return len(heads), err
}

// admit takes the next event of the log; ev may be nil.
func (s *session) admit(h store.EventHead, ev *kabar.Event) {
	row := s.known[h.Seq]
	delete(s.known, h.Seq)
	e := s.window.add(h, row)
	if e.standing != open {
		return
	}
	l := s.lanes.of(h.Conversation)
	if l.parked {
		s.putAside(l, s.delivery(e.seq, l.conversation, store.Parked))
		return
	}
	l.queue = append(l.queue, e)
	switch {
	case row != nil:
		l.attempts = row.Attempts
		s.postpone(l, row.Due)
	case ev != nil:
		e.event = ev
		s.ahead++
	}
	if l.turn == idle {
		s.lanes.settle(l)
	}
}

// release lets go of an event that was read ahead.
func (s *session) release(e *entry) *kabar.Event {
	ev := e.event
	if ev != nil {
		e.event = nil
		s.ahead--
	}
	return ev
}

// postpone has a lane wait for the time an earlier process has set, or less if the clock has gone back since.
func (s *session) postpone(l *lane, due time.Time) {
	if s.hurry {
		return
	}
	now := s.o.Now()
	if latest := now.Add(s.backoff(l.attempts)); due.After(latest) {
		due = latest
	}
	l.due = due
}

func (s *session) backoff(n int) time.Duration {
	return backoff(s.settings.BackoffStep, s.settings.BackoffCap, n)
}

// dispatch starts what may start.
func (s *session) dispatch(ctx context.Context) {
	now := s.o.Now()
	if due := s.lanes.release(now); !due.IsZero() {
		s.within(due.Sub(now))
	}
	if s.broken { // what has been done already could not be noted
		return
	}
	for l := s.pick(now); l != nil; l = s.pick(now) {
		s.start(ctx, l)
	}
}

// pick takes the lane that may start a request now, or nil.
func (s *session) pick(now time.Time) *lane {
	if s.health.backedOff(now) {
		switch {
		case s.inflight > 0:
			return nil
		case now.Before(s.health.pause):
			s.within(s.health.pause.Sub(now))
			return nil
		}
		return s.lanes.probe()
	}
	width := s.width()
	if s.inflight >= width {
		return nil
	}
	if s.draining < max(1, width/3) { // those who fail must not take the place of the others
		if l := s.lanes.drain(); l != nil {
			return l
		}
	}
	return s.lanes.next()
}

// defaultWidth is how many requests there may be when the settings do not say.
const defaultWidth = 6

func (s *session) width() int {
	switch {
	case s.o.Concurrency > 0:
		return s.o.Concurrency
	case s.settings.Concurrency > 0:
		return s.settings.Concurrency
	}
	return defaultWidth
}

func (s *session) start(ctx context.Context, l *lane) {
	s.inflight++
	s.health.tick++
	l.turn, l.started = busy, s.health.tick
	j := job{lane: l, conversation: l.conversation, drain: l.parked, tick: l.started, attempts: l.attempts, after: l.after, settings: s.settings}
	if l.parked {
		s.draining++
	} else {
		j.seq, j.at, j.event = l.first().seq, l.first().at, s.release(l.first())
	}
	s.workers.Go(func() { s.results <- s.attempt(ctx, j) })
}

// trouble logs an error of the store that passes.
func (s *session) trouble(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		s.log.Warn(what, "err", err)
	}
	s.within(pauseStore)
}

// publish tells others how the session stands.
func (s *session) publish() {
	st := state{mark: s.window.mark, settled: s.window.settled, parked: s.lanes.events, customers: s.lanes.parked,
		since: s.health.since, status: s.status, err: s.err}
	s.mu.Lock()
	s.state = st
	s.mu.Unlock()
}
