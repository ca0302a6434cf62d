package webhook

import (
	"context"
	"time"

	"kabar"
	"kabar/internal/store"
)

// fill reads the log into the window, as far as there is use for it.
func (s *session) fill(ctx context.Context) {
	for s.more && s.window.room() > 0 && (len(s.lanes.ready) < page || s.window.read < s.lastKnown) {
		n := min(page, s.window.room())
		read, err := s.read(ctx, n)
		if err != nil {
			s.trouble(ctx, "read the event log", err)
			return
		}
		s.more = read == n
	}
	s.rejoined()
}

// read admits the next n events: whole ones as long as there is room for them, and if all of them can be read.
func (s *session) read(ctx context.Context, n int) (int, error) {
	if s.ahead+n <= readAhead {
		events, err := s.o.Store.Events(ctx, s.number, s.window.read, n)
		if err == nil {
			for _, ev := range events {
				s.admit(store.EventHead{Seq: ev.Seq, Conversation: ev.Conversation, Kind: ev.Kind, At: ev.At}, ev)
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
		s.readmit(l, e, row)
	case ev != nil:
		e.event = ev
		s.ahead++
	}
	if l.turn == idle {
		s.lanes.settle(l)
	}
}

// readmit takes an event that has failed in an earlier process.
func (s *session) readmit(l *lane, e *entry, row *store.Delivery) {
	if s.batches != nil {
		s.rejoin(l, e, row)
	}
	if e == l.first() {
		l.attempts = row.Attempts
		s.postpone(l, row.Due)
	}
	if l.batch != nil {
		l.turn = busy // until the others of the batch have been read
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
