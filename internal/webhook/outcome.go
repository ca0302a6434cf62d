package webhook

import (
	"kabar/internal/store"
)

// take takes note of an attempt. A lane whose event succeeded or failed stays busy until that is committed.
func (s *session) take(r result) {
	s.inflight--
	if r.drain {
		s.draining--
	}
	if r.asked && r.outcome != abandoned {
		s.status, s.err = r.status, ""
		if r.err != nil {
			s.err = r.err.Error()
		}
	}
	l := r.lane
	switch r.outcome {
	case delivered:
		s.answered(r)
		s.finish(r)
	case dismissed:
		s.finish(r)
	case failed:
		s.fail(r)
	case early:
		s.putOff(r)
	case empty:
		s.emptied(l)
		s.lanes.settle(l)
	case abandoned:
		s.lanes.settle(l)
	}
}

// putOff has a lane wait although its event has not failed now.
func (s *session) putOff(r result) {
	l := r.lane
	l.attempts = r.attempts
	if r.err != nil {
		s.log.Warn("read a webhook event", "err", r.err)
		l.due = s.o.Now().Add(pauseStore)
	} else {
		s.postpone(l, r.due)
	}
	s.lanes.settle(l)
}

func (s *session) answered(r result) {
	if failing(s.health.since, s.o.Now()) {
		s.log.Info("webhook endpoint answers again")
	}
	s.health.success(r.tick)
}

// finish notes that an event needs no more attempts.
func (s *session) finish(r result) {
	l := r.lane
	l.attempts, l.failed = 0, 0
	if l.parked {
		s.drained(l, r.seq)
	} else {
		l.queue = l.queue[1:]
	}
	s.window.record(s.delivery(r.seq, l.conversation, store.Finished))
	s.touched = append(s.touched, l)
}

// fail notes a failure, and the bytes that all further attempts send.
func (s *session) fail(r result) {
	l, now := r.lane, s.o.Now()
	l.attempts = r.attempts + 1
	wait := s.backoff(l.attempts)
	l.due = now.Add(wait)
	if r.asked {
		s.log.Debug("webhook failed", "seq", r.seq, "failures", l.attempts, "wait", wait, "err", r.err)
	} else {
		s.log.Warn("make a webhook", "seq", r.seq, "failures", l.attempts, "wait", wait, "err", r.err)
	}
	d := s.delivery(r.seq, l.conversation, store.Retrying)
	d.Attempts, d.Due, d.Body = l.attempts, l.due, r.body
	s.touched = append(s.touched, l)
	if l.parked {
		d.State = store.Parked
		s.window.record(d)
		return
	}
	if r.asked {
		s.unanswered(r)
	}
	if l.failed == 0 {
		l.failed = s.health.tick
	}
	if s.mayPark(l) {
		s.log.Info("webhook customer parked", "conversation", l.conversation, "seq", r.seq, "failures", l.attempts, "err", r.err)
		s.park(l, d)
		return
	}
	s.window.record(d)
}

func (s *session) unanswered(r result) {
	now := s.o.Now()
	was := failing(s.health.since, now)
	s.health.failure(now, r.conversation, r.settings.BackoffStep)
	if !was && failing(s.health.since, now) {
		s.log.Warn("webhook endpoint does not answer", "since", s.health.since, "err", r.err)
	}
}
