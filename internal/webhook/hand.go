package webhook

import (
	"context"
	"time"
)

// restAfter is how long no request is under way before the hands end.
const restAfter = time.Second

// hand is a goroutine that makes one request after another: a request needs a deep stack, and a goroutine of its own for
// each would grow one each time. A session has as many as it has had requests at a time since it has rested. The channel has
// room for one job, so giving one to an idle hand never blocks.
type hand chan *job

// hand returns a hand that is idle.
func (s *session) hand(ctx context.Context) hand {
	if n := len(s.hands) - 1; n >= 0 {
		h := s.hands[n]
		s.hands = s.hands[:n]
		return h
	}
	h := make(hand, 1)
	s.workers.Go(func() {
		for j := range h {
			r := s.attempt(ctx, j)
			r.hand = h
			s.results <- r
		}
	})
	return h
}

// rest ends the hands when there has been nothing to do for a while.
func (s *session) rest() {
	if s.inflight > 0 || len(s.hands) == 0 {
		s.resting = time.Time{}
		return
	}
	now := s.o.Now()
	if s.resting.IsZero() {
		s.resting = now
	}
	if left := s.resting.Add(restAfter).Sub(now); left > 0 {
		s.within(left)
		return
	}
	s.letGo()
}

// letGo ends the hands that are idle.
func (s *session) letGo() {
	for _, h := range s.hands {
		close(h)
	}
	s.hands = nil
}
