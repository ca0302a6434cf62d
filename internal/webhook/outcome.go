package webhook

import (
	"cmp"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kabar/internal/store"
)

// take takes note of an attempt. A lane whose events succeeded or failed stays busy until that is committed.
func (s *session) take(r *result) {
	s.inflight--
	s.hands = append(s.hands, r.hand)
	if r.drain {
		s.draining--
	}
	if r.asked && r.outcome != abandoned {
		s.reply = reply{at: r.at, url: s.to.URL, status: r.status}
		if r.err != nil {
			s.reply.err = r.err.Error()
		}
		s.unwanted = errors.Is(r.err, errGone)
		if r.quiet > 0 {
			s.hold = s.o.Now().Add(r.quiet)
		}
	}
	switch l := r.lanes[0]; r.outcome {
	case tried:
		s.conclude(r)
	case early:
		s.putOff(r)
	case torn:
		s.log.Info("webhook batch taken apart", "seq", r.items[0].seq, "events", len(r.items), "err", r.err)
		l.batch.split()
	case empty:
		s.emptied(l)
	case abandoned:
	}
	for _, l := range r.lanes {
		if l.turn == busy {
			s.lanes.settle(l)
		}
	}
}

// putOff has lanes wait although their events have not failed now.
func (s *session) putOff(r *result) {
	if r.err != nil {
		s.log.Warn("read a webhook event", "err", r.err)
	}
	for _, l := range r.lanes {
		l.attempts = r.attempts
		if r.err != nil {
			l.due = s.o.Now().Add(pauseStore)
		} else {
			s.postpone(l, r.due)
		}
	}
}

// conclude takes note of what has become of each event.
func (s *session) conclude(r *result) {
	var refused []*item
	for i := range r.items {
		switch it := &r.items[i]; it.fate {
		case told:
			if r.err != nil {
				refused = append(refused, it)
				continue
			}
			if len(s.notes.taken) == 0 {
				s.notes.first = s.o.Now()
			}
			s.notes.taken = append(s.notes.taken, store.Taken{Seq: it.seq, At: r.at, Took: r.took, Status: r.status, Failed: r.attempts})
			s.finish(it)
		case dismissed:
			s.finish(it)
		case unmade:
			s.log.Warn("make a webhook", "seq", it.seq, "failures", r.attempts+1, "err", it.err)
			s.fail(r, []*item{it})
		case left:
		}
	}
	switch {
	case len(refused) > 0:
		if r.asked && !r.drain {
			s.unanswered(r)
		}
		s.log.Debug("webhook failed", "seq", refused[0].seq, "events", len(refused), "failures", r.attempts+1, "err", r.err)
		s.fail(r, refused)
	case r.asked:
		s.answered(r)
	}
}

func (s *session) answered(r *result) {
	if failing(s.health.since, s.o.Now()) {
		s.log.Info("webhook endpoint answers again")
	}
	s.health.success(r.tick)
	s.refused = false
}

func (s *session) unanswered(r *result) {
	s.refused = true
	now := s.o.Now()
	was := failing(s.health.since, now)
	s.health.failure(now, r.items[0].conversation, len(r.lanes) > 1, s.step())
	if !was && failing(s.health.since, now) {
		s.log.Warn("webhook endpoint does not answer", "since", s.health.since, "err", r.err)
	}
}

// touch has a lane wait for the next commit.
func (s *session) touch(l *lane) {
	if l.turn == busy {
		l.turn = noted
		s.notes.touched = append(s.notes.touched, l)
	}
}

// finish notes that an event needs no more attempts.
func (s *session) finish(it *item) {
	l := it.lane
	l.failed, l.batch = 0, nil
	if l.parked {
		l.attempts = 0
		s.drained(l, it.seq)
	} else {
		l.remove(it.seq)
	}
	d := s.delivery(it.seq, l.conversation, store.Finished)
	s.window.record(d)
	if s.known[it.seq] != nil { // parked by an earlier process, and drained before the window has got there
		s.known[it.seq] = d
	}
	s.touch(l)
}

// fail notes a failure of one event, or of several in one request, and the bytes that all further attempts send.
func (s *session) fail(r *result, items []*item) {
	l, n := items[0].lane, r.attempts+1
	l.due = s.o.Now().Add(max(s.backoff(n), r.quiet))
	s.noteTries(r, items, n)
	rows := s.failures(r, items, n, l.due)
	if l.parked {
		l.attempts, rows[0].State = n, store.Parked
		s.window.record(rows[0])
		return
	}
	for _, it := range items {
		s.struck(it, n)
	}
	switch {
	case r.again:
		rows = rows[:1] // the others say which batch they belong to, and that does not change
		if n >= splitAfter {
			l.due = time.Time{}
			l.batch.split()
		}
	case len(items) > 1:
		s.bind(items)
	case s.mayPark(l):
		s.log.Info("webhook customer parked", "conversation", l.conversation, "seq", items[0].seq, "failures", n, "err", cmp.Or(r.err, items[0].err))
		s.park(l, rows[0])
		return
	}
	for _, d := range rows {
		s.window.record(d)
	}
}

// failures are the rows of events that have failed together.
func (s *session) failures(r *result, items []*item, n int, due time.Time) []*store.Delivery {
	rows := make([]*store.Delivery, len(items))
	for i, it := range items {
		d := s.delivery(it.seq, it.conversation, store.Retrying)
		d.Attempts, d.Due, d.Body, d.Answer = n, due, it.body, answerOf(r, it)
		if len(items) > 1 {
			d.Batch = items[0].seq
		}
		rows[i] = d
		s.touch(it.lane)
	}
	return rows
}

// keptAnswer is how much is kept of what a failed attempt was answered, in bytes.
const keptAnswer = 200

// answerOf says what an attempt was answered: the status, or what kept a request from being made. It leaves out the address,
// which may hold a secret.
func answerOf(r *result, it *item) string {
	if r.header != nil && it.err == nil {
		return "HTTP " + strconv.Itoa(r.status)
	}
	err := cmp.Or(it.err, r.err)
	if broken, ok := errors.AsType[*url.Error](err); ok {
		err = broken.Err
	}
	if err == nil {
		return ""
	}
	return strings.ToValidUTF8(err.Error()[:min(keptAnswer, len(err.Error()))], "")
}

// noteTries keeps what a failed attempt was answered, with its first event: the others say how many they were.
func (s *session) noteTries(r *result, items []*item, n int) {
	for i, it := range items {
		t := try{row: s.delivery(it.seq, it.conversation, store.Retrying), Attempt: store.Attempt{N: n, At: r.at, Took: r.took, Status: r.status}}
		t.Error = answerOf(r, it)
		if len(items) > 1 {
			t.Batch = len(items)
		}
		if it.err != nil { // there was no request of it
			t.Took, t.Status = 0, 0
		} else if i == 0 && !s.to.Redact {
			t.Header, t.Body = r.header, r.body
		}
		s.notes.tries = append(s.notes.tries, t)
	}
}

// struck notes the n-th failure of an event.
func (s *session) struck(it *item, n int) {
	s.window.find(it.seq).attempts = n
	it.lane.attempts = n
	if it.lane.failed == 0 {
		it.lane.failed = s.health.tick
	}
}
