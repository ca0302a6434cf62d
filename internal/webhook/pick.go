package webhook

import (
	"context"
	"time"
)

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
		l := s.lanes.probe()
		if l != nil && l.batch != nil {
			s.settleAll(l.batch.split())
		}
		return l
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
	j := &job{tick: s.health.tick, attempts: l.attempts, after: l.after, settings: s.settings}
	switch {
	case l.parked:
		s.draining++
		j.drain, j.lanes, j.items = true, []*lane{l}, []item{{lane: l, conversation: l.conversation}}
	case l.batch != nil:
		s.repeat(j, l.batch)
	default:
		s.compose(j, l)
	}
	for _, l := range j.lanes {
		l.turn, l.started = busy, j.tick
	}
	s.hand(ctx) <- j
}

func (s *session) settleAll(ls []*lane) {
	for _, l := range ls {
		s.lanes.settle(l)
	}
}
