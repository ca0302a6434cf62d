package webhook

import (
	"context"
	"time"

	"kabar"
	"kabar/internal/store"
)

// piece is what has been read of the log: whole events, or their heads only.
type piece struct {
	asked  int // how many were wanted
	events []*kabar.Event
	heads  []store.EventHead
	err    error
}

// fill reads the log into the window, as far as there is use for it. Nobody waits for that as long as there is something to tell and each
// event has a request of its own: then it is read beside that.
func (s *session) fill(ctx context.Context) {
	if s.reading {
		p := s.read
		if p == nil {
			return
		}
		s.reading, s.read = false, nil
		if !s.admitPiece(ctx, p) {
			return
		}
	}
	for s.more && s.window.room() > 0 && !s.enough() {
		n, after := min(page, s.window.room()), s.window.read
		whole := s.held+n <= readAhead && s.most() <= page // the events of large batches are read by those who make the requests
		ctx := context.WithoutCancel(ctx)                  // a page is read at once, and to watch a context would take goroutines for each
		if s.inflight > 0 && len(s.lanes.ready) > 0 && s.batches == nil && s.most() == 1 && !s.gathers() {
			s.reading, s.news = true, false
			s.workers.Go(func() { s.pieces <- s.load(ctx, after, n, whole) })
			return
		}
		s.news = false
		if !s.admitPiece(ctx, s.load(ctx, after, n, whole)) {
			return
		}
	}
	s.rejoined()
}

// enough reports whether as much has been read as can be used soon. Who gets batches while behind is read for until that shows.
func (s *session) enough() bool {
	if s.window.read < s.lastKnown || s.gathers() && s.window.open() < behind {
		return false
	}
	return len(s.lanes.ready) >= max(page, s.most())
}

// load reads the next n events: whole ones, if that is wanted and all of them can be read. It touches nothing of the session's.
func (s *session) load(ctx context.Context, after int64, n int, whole bool) *piece {
	p := &piece{asked: n}
	if whole {
		if p.events, p.err = s.o.Store.Events(ctx, s.number, after, n); p.err == nil {
			return p
		}
		s.log.Debug("read events ahead", "err", p.err) // one of them may be unreadable: its own attempt will tell
	}
	p.heads, p.err = s.o.Store.EventHeads(ctx, s.number, after, n)
	return p
}

// admitPiece admits what was read, and reports whether it was.
func (s *session) admitPiece(ctx context.Context, p *piece) bool {
	if p.err != nil {
		s.trouble(ctx, "read the event log", p.err)
		return false
	}
	from := s.window.read
	events := upTo(p.events, s.last(), func(ev *kabar.Event) int64 { return ev.Seq })
	for _, ev := range events {
		s.admit(store.EventHead{Seq: ev.Seq, Conversation: ev.Conversation, Kind: ev.Kind, At: ev.At}, ev)
	}
	heads := upTo(p.heads, s.last(), func(h store.EventHead) int64 { return h.Seq })
	for _, h := range heads {
		s.admit(h, nil)
	}
	s.window.catchUp(from)
	s.more = len(events)+len(heads) == p.asked || s.news
	s.dry = !s.more
	return true
}

// upTo returns those of the events that are not behind last; all if last is 0.
func upTo[E any](events []E, last int64, seq func(E) int64) []E {
	for len(events) > 0 && last > 0 && seq(events[len(events)-1]) > last {
		events = events[:len(events)-1]
	}
	return events
}

// admit takes the next event of the log; ev may be nil.
func (s *session) admit(h store.EventHead, ev *kabar.Event) {
	if s.window.join(h.Seq) {
		return // it has its place in a lane, or had
	}
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
		s.held++
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
		s.held--
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
