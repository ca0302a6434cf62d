package webhook

import (
	"context"

	"kabar/internal/store"
)

// What earlier sessions have told early stands in rows beyond the window. A session takes it over once its own window is full, and before the log
// is looked through: then who was told early is not late.

// takeOver takes over the rows beyond the window, and reports whether it is through with them. One event of the customer is under way at a time, and
// the next one only after the commit. So of a row that is there, of an event that was in no batch, everything of the customer before it is finished,
// or has a row of its own, parked.
func (s *session) takeOver(ctx context.Context) bool {
	for reads := 0; len(s.beyond) > 0; s.beyond = s.beyond[1:] {
		seq := s.beyond[0]
		row := s.known[seq]
		switch {
		case row == nil: // the window has got there
		case s.window.room() > 0: // it is still to be read into the window
			return false
		case row.State != store.Retrying:
			s.window.ahead(store.EventHead{Seq: seq, Conversation: row.Conversation}, row)
			delete(s.known, seq)
		case row.Batch != 0 || s.lanes.all[row.Conversation] != nil: // the window's turn
		case reads == page: // something else is looked at
			s.within(0)
			return false
		default:
			reads++
			if err := s.takeUp(ctx, row); err != nil {
				s.trouble(ctx, "read the event log", err)
				return false
			}
		}
	}
	return true
}

// takeUp has an event that has failed early be tried again when it is due.
func (s *session) takeUp(ctx context.Context, row *store.Delivery) error {
	heads, err := s.o.Store.EventHeads(ctx, s.number, row.Seq-1, 1)
	if err != nil || len(heads) == 0 || heads[0].Seq != row.Seq { // it has gone from the log
		return err
	}
	l := s.lanes.of(row.Conversation)
	e := s.window.ahead(heads[0], row)
	delete(s.known, row.Seq)
	l.queue = append(l.queue, e)
	s.readmit(l, e, row)
	s.lanes.settle(l)
	return nil
}
