package webhook

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"kabar"
	"kabar/internal/store"
)

// Waits of a session.
const (
	pauseStore = time.Second // after the store did not answer
	grace      = time.Second // for the requests under way when a session ends
	longest    = time.Hour   // between two looks at the clock
	maxResults = 64          // that wait to be taken; more have their hands wait
)

// session delivers to one target as it is configured now. Everything in it belongs to the goroutine of run.
type session struct {
	*reader
	to    *target
	hurry bool // what was due later is tried at once: it failed at another URL
	wire  wire
	hold  time.Time // until when the endpoint has asked for quiet
	dry   bool      // a replay has read all that is left of its events
	done  bool      // it has come to its end

	refused  bool        // something has failed in this session, and nothing has succeeded since
	unwanted bool        // the application has said that it wants no more events
	spared   atomic.Bool // it was asked that the endpoint be suspended, and it was not: of any goroutine

	window window
	lanes  lanes
	health health
	known  map[int64]*store.Delivery // rows of events that have not been read yet

	lastKnown int64            // seq of the last of those rows
	beyond    []int64          // of those rows, in order, the ones that have still to be looked at for what was told early
	batches   map[int64]*batch // of earlier processes, by first event, until that has been read; then nil

	more      bool        // the log may hold more
	news      bool        // something has come since a piece of it began to be read
	reading   bool        // a piece is being read
	read      *piece      // and has been
	pieces    chan *piece // by whom it is read
	held      int         // events that were read ahead
	ahead     *overtaking // nil while nobody is told early
	logEnd    int64       // where the log ended when that was asked last
	nextLook  time.Time   // for whether it is
	found     chan *overtaking
	hands     []hand
	resting   time.Time // since when no request is under way; zero: one is
	inflight  int       // requests, those of parked customers included
	draining  int       // those of parked customers
	forParked bool      // the last request was for one
	results   chan *result
	workers   sync.WaitGroup

	saving  *commit // under way, or to be tried again
	writing bool
	broken  bool      // the last commit failed
	retry   time.Time // of the commit
	saved   chan error
	notes   notes     // for the next commit
	failing time.Time // since when the endpoint takes nothing, as the store has it

	settings kabar.Settings
	reply    reply
	ending   bool
	nap      time.Duration
}

func newSession(r *reader, to *target) *session {
	return &session{reader: r, to: to, wire: newWire(to, r.o.Version), window: newWindow(r.o.Window), lanes: lanes{all: map[kabar.ConversationID]*lane{}},
		known: map[int64]*store.Delivery{}, batches: map[int64]*batch{}, more: true, results: make(chan *result, maxResults), saved: make(chan error), found: make(chan *overtaking, 1), pieces: make(chan *piece, 1), nextLook: r.o.Now().Add(askAgain)}
}

// run delivers until ctx ends, the endpoint is configured otherwise, or a replay is through. Requests under way have some time left to finish.
func (s *session) run(ctx context.Context) {
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	timer := time.NewTimer(longest)
	defer timer.Stop()
	for {
		if !s.ending && (ctx.Err() != nil || s.target() != s.to || s.through()) {
			s.ending = true
			defer time.AfterFunc(grace, cancel).Stop()
		}
		s.nap = longest
		if !s.ending && s.configured(ctx) {
			s.fill(ctx)
			s.overtake(requests)
			s.makeRoom(ctx)
			s.dispatch(requests)
		}
		s.rest()
		s.save(ctx)
		s.publish()
		if s.through() {
			s.within(0) // a replay of which nothing is left ends at once
		}
		if s.over() {
			s.letGo()
			s.workers.Wait()
			s.finishReplay(ctx)
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
		s.takeMore()
	case err := <-s.saved:
		s.committed(err)
	case o := <-s.found:
		s.lookedThrough(o)
	case s.read = <-s.pieces:
	case <-s.wake:
		s.more, s.news = true, true
		if s.ahead != nil {
			s.ahead.more = true
		}
	case <-timer.C:
	case <-end:
	}
}

// takeMore takes what else has come of requests by now: what follows from results is looked at once for all of them.
func (s *session) takeMore() {
	for {
		select {
		case r := <-s.results:
			s.take(r)
		default:
			return
		}
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

// trouble logs an error of the store that passes.
func (s *session) trouble(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		s.log.Warn(what, "err", err)
	}
	s.within(pauseStore)
}

// publish tells others how the session stands.
func (s *session) publish() {
	st := state{mark: s.window.mark, settled: s.window.settled + s.window.passed, parked: s.lanes.events, customers: s.lanes.parked,
		since: s.health.since, reply: s.reply}
	s.mu.Lock()
	s.state = st
	s.mu.Unlock()
}
