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
	if s.giveUp(now) {
		return
	}
	if now.Before(s.hold) {
		s.within(s.hold.Sub(now))
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
	// Those who fail must not take the place of the others: where there is one place only, they take turns.
	if s.draining < max(1, width/3) && (width > 1 || !s.forParked || len(s.lanes.ready) == 0) {
		if l := s.lanes.drain(); l != nil {
			return l
		}
	}
	return s.lanes.next()
}

func (s *session) start(ctx context.Context, l *lane) {
	s.inflight++
	s.forParked = l.parked
	s.health.tick++
	j := &job{tick: s.health.tick, attempts: l.attempts, after: l.after, settings: s.settings, signer: s.sign()}
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
