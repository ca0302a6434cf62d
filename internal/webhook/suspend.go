package webhook

import (
	"context"
	"fmt"
	"time"

	"kabar"
)

// turned returns since when the endpoint takes nothing, if the store has to be told otherwise than it was; nil if not. A replay tells
// nothing of it.
func (s *session) turned() *time.Time {
	since := time.Time{}
	if failing(s.health.since, s.o.Now()) {
		since = s.health.since
	}
	if s.to.replay != nil || since.Equal(s.failing) {
		return nil
	}
	return &since
}

// giveUp has the endpoint suspended when it has taken nothing for as long as its profile allows, or wants nothing more. It reports whether
// that is so. Nobody is given up without having failed in this session: an earlier one's failures may be long past. What is replayed says
// nothing of what happens now.
func (s *session) giveUp(now time.Time) bool {
	limit := s.profile.Suspend
	if s.spared.Swap(false) { // it is told on; the next failure asks again
		s.refused, s.unwanted, s.hold = false, false, time.Time{}
	}
	switch {
	case limit == 0:
		return false
	case s.unwanted:
		s.suspend(kabar.Suspension{Reason: "the application " + errGone.Error() + " (gone)"})
		return true
	case s.to.replay != nil, !s.refused, !failing(s.health.since, now), now.Sub(s.health.since) < limit:
		return false
	}
	s.suspend(kabar.Suspension{Reason: fmt.Sprintf("it has taken nothing since %s", s.health.since.UTC().Format(time.RFC3339)), Since: s.health.since})
	return true
}

// suspend has the endpoint suspended. Until its target says so, or that it is spared, nothing is sent: the session waits, and asks again
// after a while.
func (s *session) suspend(why kabar.Suspension) {
	now := s.o.Now()
	if now.Before(s.hold) {
		s.within(s.hold.Sub(now))
		return
	}
	s.hold = now.Add(pauseSuspend)
	s.within(pauseSuspend)
	settings := s.settings
	s.aside(func(ctx context.Context) {
		told, err := s.o.Suspend(ctx, s.to.Endpoint, why)
		switch {
		case err != nil:
			s.log.Warn("suspend a webhook endpoint", "err", err)
		case told == nil:
			s.spared.Store(true)
			s.nudge()
		default:
			s.log.Warn("webhook endpoint suspended", "reason", why.Reason)
			s.tellOwner(ctx, settings, told)
		}
	})
}

// pauseSuspend is how long it may take until a suspension holds; then it is asked for again.
const pauseSuspend = 10 * time.Second
