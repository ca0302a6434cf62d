package webhook

import (
	"context"
	"maps"
	"time"

	"kabar"
	"kabar/internal/store"
)

// While an endpoint is far behind, reading stops at a full window, and whoever writes now would wait for all that waits before. But only a
// customer's own events have to come before: those of customers of whom nothing waits are told early. For that the log is looked through once,
// for who has something in it, as soon as there is something new, and from then on read at its end as well. What was told early stands in rows
// above the mark until the window gets there, so a killed process knows of it.

// Bounds of what is told early.
const (
	maxEarly = 20_000      // events that the window has still to reach, whichever session told of them
	maxLate  = 200_000     // customers of whom something waits; with more of them nobody is told early
	lookPage = 50          // windows that are looked through at a time
	endPages = 16          // pages of the end of the log that are read before something else is looked at
	askAgain = time.Second // between two questions whether an endpoint is far behind; what is over sooner is no backlog
	lookAnew = time.Minute // after a look that found too many
)

// overtaking is what a session knows of the log beyond its window.
type overtaking struct {
	late map[kabar.ConversationID]int64 // who has something there that waits for the window, and the last of it
	read int64                          // up to which event that is known; 0: somebody looks
	more bool                           // the log may hold more
}

// overtake reads the end of the log, if the endpoint takes events and is far behind. One that takes many in a request is quicker through its
// backlog without: what is told early goes one a request.
func (s *session) overtake(ctx context.Context) {
	if s.to.replay != nil || s.refused || s.health.backedOff(s.o.Now()) || s.most() > 1 {
		return
	}
	if !s.takeOver(ctx) {
		return
	}
	switch o := s.ahead; {
	case o == nil:
		s.look(ctx)
	case o.read == 0: // it is being looked through
	case o.read <= s.window.read:
		s.ahead = nil // the window is there, and reads on by itself
	default:
		s.readEnd(ctx, o)
	}
}

// look begins to look through the log once as many events as a window holds have not been read, up to where it ended at the last question, and
// only if something has come since: a backlog that nobody adds to is told in order anyway.
func (s *session) look(ctx context.Context) {
	now := s.o.Now()
	switch {
	case !s.more || s.reading:
		return
	case now.Before(s.nextLook):
		s.within(s.nextLook.Sub(now))
		return
	}
	s.nextLook = now.Add(askAgain)
	after, until := s.window.read, s.logEnd
	end, err := s.o.Store.LastSeq(ctx, s.number)
	far := int64(0)
	if err == nil {
		s.logEnd = end
		if after < until && until < end {
			far, err = s.o.Store.Behind(ctx, s.number, after)
		}
	}
	switch {
	case err != nil:
		s.trouble(ctx, "read the event log", err)
	case far >= int64(s.window.limit):
		s.ahead = new(overtaking)
		s.workers.Go(func() { s.found <- s.lookThrough(ctx, after, until) })
	}
}

// lookThrough finds who has events behind one, up to another; nil if that cannot be found out, or is not wanted any more.
func (s *session) lookThrough(ctx context.Context, after, until int64) *overtaking {
	o := &overtaking{late: map[kabar.ConversationID]int64{}, read: until, more: true}
	for page := int64(lookPage * s.window.limit); after < until; after += page {
		if len(o.late) > maxLate || s.target() != s.to {
			return nil
		}
		next, err := s.o.Store.EventHeads(ctx, s.number, after, 1)
		if err == nil && len(next) == 0 {
			break
		}
		var some map[kabar.ConversationID]int64
		if err == nil {
			after = next[0].Seq - 1 // many may be missing before it
			some, err = s.o.Store.LastEvents(ctx, s.number, after, min(after+page, until))
		}
		if err != nil {
			if ctx.Err() == nil {
				s.log.Warn("look through the event log", "err", err)
			}
			return nil
		}
		maps.Copy(o.late, some) // later ones last
	}
	return o
}

// lookedThrough takes what a look has found. Whoever's last event has been told of early, or has its turn in a lane, is not late.
func (s *session) lookedThrough(o *overtaking) {
	if s.ahead = o; o == nil {
		s.nextLook = s.o.Now().Add(lookAnew)
		return
	}
	maps.DeleteFunc(o.late, func(_ kabar.ConversationID, last int64) bool { return s.window.early[last] != nil })
}

// readEnd admits what has come since the log was looked through.
func (s *session) readEnd(ctx context.Context, o *overtaking) {
	for range endPages {
		if !o.more || s.window.waiting() >= s.window.limit || len(o.late) > maxLate {
			return
		}
		heads, err := s.o.Store.EventHeads(ctx, s.number, o.read, page)
		if err != nil {
			s.trouble(ctx, "read the event log", err)
			return
		}
		for _, h := range heads {
			s.admitEarly(o, h)
			o.read = h.Seq
		}
		o.more = len(heads) == page
	}
	s.within(0)
}

// admitEarly takes an event beyond the window, unless it has to wait for one before it. From then on the customer's next ones wait for it.
func (s *session) admitEarly(o *overtaking, h store.EventHead) {
	l := s.lanes.all[h.Conversation]
	parked := l != nil && l.parked // what comes is put aside, in its turn
	if o.late[h.Conversation] > s.window.read || parked || s.known[h.Seq] != nil || len(s.window.early) >= maxEarly {
		o.late[h.Conversation] = h.Seq
		return
	}
	l = s.lanes.of(h.Conversation)
	l.queue = append(l.queue, s.window.ahead(h, nil))
	if l.turn == idle {
		s.lanes.settle(l)
	}
}
