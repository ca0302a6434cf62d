package webhook

import (
	"context"

	"kabar"
	"kabar/internal/store"
)

// Parking keeps one customer's events, which the endpoint refuses, from holding up the mark and with it everybody's.
const (
	parkAfter = 3      // failures of an event while the endpoint answers others
	maxParked = 50_000 // customers who are parked at an endpoint; the next one's events stay in the window
)

// mayPark reports whether a lane whose event has just failed is parked: often enough, and a request to somebody else that
// began after its first failure has succeeded.
func (s *session) mayPark(l *lane) bool {
	return l.attempts >= parkAfter && s.health.answered > l.failed && !s.health.backedOff(s.o.Now()) && s.lanes.parked < maxParked
}

// park moves the events of a lane out of the window into rows of their own. first is the row of the first event, with
// its bytes.
func (s *session) park(l *lane, first *store.Delivery) {
	l.parked, l.after, first.Batch = true, first.Seq-1, 0
	s.lanes.parked++
	s.health.excuse(l.conversation)
	for i, e := range l.queue {
		s.release(e)
		if i == 0 {
			first.State = store.Parked
			s.putAside(l, first)
		} else {
			s.putAside(l, s.delivery(e.seq, l.conversation, store.Parked))
		}
	}
	l.queue = nil
}

// putAside adds a row to those of a parked lane. It is drained after the commit, not before.
func (s *session) putAside(l *lane, d *store.Delivery) {
	l.coming++
	s.lanes.events++
	s.window.record(d)
	s.notes.arrived = append(s.notes.arrived, l)
}

// drained takes a row off a parked lane.
func (s *session) drained(l *lane, seq int64) {
	l.rows--
	l.after = seq
	s.lanes.events--
}

// emptied corrects a parked lane whose rows somebody else has removed.
func (s *session) emptied(l *lane) {
	s.lanes.events -= l.rows
	l.rows = 0
}

// makeRoom parks earlier than after the third failure when the window is full and nothing in it can be started: then the
// few who wait for another try hold up all the others, whose events behind theirs are finished already.
func (s *session) makeRoom(ctx context.Context) {
	stuck := s.more && s.window.room() == 0 && s.window.settled >= s.window.limit/2 && len(s.lanes.ready) == 0
	if !stuck || s.broken || s.health.backedOff(s.o.Now()) {
		return
	}
	for _, l := range s.lanes.waiting {
		if l.parked || l.started >= s.health.answered || s.lanes.parked >= maxParked {
			continue
		}
		if l.batch != nil { // it is not known which of them fails
			s.settleAll(l.batch.split())
			continue
		}
		d, err := s.row(ctx, l.conversation, l.first().seq, store.Retrying)
		if err != nil {
			s.trouble(ctx, "read a delivery", err)
			return
		}
		s.park(l, d)
	}
}

// row reads the row of a customer's event in a state, with its bytes; a new one if there is none.
func (s *session) row(ctx context.Context, c kabar.ConversationID, seq int64, in store.DeliveryState) (*store.Delivery, error) {
	rows, err := s.o.Store.Deliveries(ctx, s.number, s.id, in, seq-1, 1)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || rows[0].Seq != seq {
		return s.delivery(seq, c, in), nil
	}
	return rows[0], nil
}
