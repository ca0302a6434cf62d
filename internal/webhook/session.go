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

	lastKnown int64            // seq of the last of those rows
	batches   map[int64]*batch // of earlier processes, by first event, until that has been read; then nil

	more     bool // the log may hold more
	ahead    int  // events that were read ahead
	hands    []hand
	inflight int // requests, those of parked customers included
	draining int // those of parked customers
	results  chan *result
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
		known: map[int64]*store.Delivery{}, batches: map[int64]*batch{}, more: true, results: make(chan *result), saved: make(chan error)}
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
		if s.inflight == 0 {
			s.letGo()
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
