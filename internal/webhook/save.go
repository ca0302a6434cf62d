package webhook

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"kabar"
	"kabar/internal/store"
)

// commit is what the store is told at once. While one commit is under way the next one gathers, so a busy endpoint pays
// for few.
type commit struct {
	*plan
	notes
	failing *time.Time // nil: as it was
}

// notes are what a commit holds beside the plan.
type notes struct {
	touched []*lane // whose events' fate is in it
	arrived []*lane // one for each event put aside
	taken   []store.Taken
	first   time.Time // when the first of them was noted
	tries   []try
}

// try is a failed attempt to deliver an event.
type try struct {
	row *store.Delivery
	store.Attempt
}

// save commits what has changed, one commit after another.
func (s *session) save(ctx context.Context) {
	if s.writing {
		return
	}
	if s.broken {
		if wait := s.retry.Sub(s.o.Now()); wait > 0 {
			s.within(wait)
			return
		}
	}
	if s.saving == nil {
		if s.gathering() {
			return
		}
		now := s.o.Now()
		p := s.window.plan(s.telling())
		if p == nil {
			if s.window.changed() { // all of it is held
				s.notes.first = now
				s.within(shortWait)
			}
			return
		}
		s.saving = &commit{p, s.notes, s.turned()}
		s.notes = s.saving.leave(p.held, now)
	}
	s.writing = true
	c := s.saving
	s.workers.Go(func() { s.saved <- s.write(context.WithoutCancel(ctx), c) })
}

// Bounds of what waits for a commit while there is something else to do.
const (
	worthCommit = 128                  // events that were taken
	shortWait   = 5 * time.Millisecond // since the first of them
)

// telling reports whether nobody waits for a commit: others are told of their events, and nothing has failed.
func (s *session) telling() bool {
	return len(s.notes.tries) == 0 && len(s.notes.arrived) == 0 && len(s.lanes.ready) > 0 && s.inflight > 0 && !s.ending
}

// gathering reports whether a commit had better wait for more.
func (s *session) gathering() bool {
	n := &s.notes
	if len(n.taken) == 0 || len(n.taken) >= worthCommit || !s.telling() {
		return false
	}
	left := n.first.Add(shortWait).Sub(s.o.Now())
	s.within(left)
	return left > 0
}

// leave takes what is held out of the notes, with the lanes of it, and returns that for the next commit.
func (n *notes) leave(held []*store.Delivery, now time.Time) (rest notes) {
	if len(held) == 0 {
		return rest
	}
	seqs, of := map[int64]bool{}, map[kabar.ConversationID]bool{}
	for _, d := range held {
		seqs[d.Seq], of[d.Conversation] = true, true
	}
	rest.first = now
	n.taken, rest.taken = split(n.taken, func(t store.Taken) bool { return seqs[t.Seq] })
	n.touched, rest.touched = split(n.touched, func(l *lane) bool { return of[l.conversation] })
	return rest
}

// split returns those that stay, and those that leave.
func split[E any](all []E, leaves func(E) bool) (stay, leave []E) {
	for _, e := range all {
		if leaves(e) {
			leave = append(leave, e)
		} else {
			stay = append(stay, e)
		}
	}
	return stay, leave
}

// write may be repeated: what is already so stays so, but for the log, where an event may stand twice.
func (r *reader) write(ctx context.Context, p *commit) error {
	return r.o.Store.Write(ctx, func(tx *store.Tx) { tx.WantEndpoint(r.id) }, func(tx *store.Tx) error {
		if err := r.note(tx, p); err != nil {
			return err
		}
		for _, d := range p.save {
			if err := saveDelivery(tx, d); err != nil {
				return err
			}
		}
		for _, seq := range p.drop {
			if err := tx.RemoveDelivery(r.number, r.id, seq); err != nil {
				return err
			}
		}
		return tx.Advance(r.number, r.id, p.mark)
	})
}

// note writes the log. That of an endpoint is of what happens, not of what is told once more.
func (r *reader) note(tx *store.Tx, c *commit) error {
	if r.id != r.of {
		//failpoint:replay-mark
		return nil
	}
	for i := range c.tries {
		if err := tx.LogAttempt(c.tries[i].row, &c.tries[i].Attempt); err != nil {
			return err
		}
	}
	if c.failing != nil {
		if err := tx.SetFailing(r.number, r.id, *c.failing); err != nil {
			return err
		}
	}
	if len(c.taken) == 0 {
		return nil
	}
	return tx.LogTaken(r.account, r.number, r.id, c.taken)
}

// saveDelivery stores d; without its bytes if the person they are about has been erased, and the key with them.
func saveDelivery(tx *store.Tx, d *store.Delivery) error {
	err := tx.SaveDelivery(d)
	if !store.IsNotFound(err) {
		return err
	}
	bare := *d
	bare.Body = nil
	return tx.SaveDelivery(&bare)
}

// committed takes note of a commit: the lanes in it go on.
func (s *session) committed(err error) {
	s.writing, s.broken = false, err != nil
	if err != nil {
		level := slog.LevelWarn
		if store.IsNotFound(err) {
			level = slog.LevelDebug // the endpoint has just been removed: the session is about to end
		}
		s.log.Log(context.Background(), level, "note webhook deliveries", "err", err)
		s.retry = s.o.Now().Add(pauseStore)
		if errors.Is(err, store.ErrFull) {
			s.retry = s.o.Now().Add(pauseStore / 10)
		}
		return
	}
	c := s.saving
	s.saving = nil
	if c.failing != nil {
		s.failing = *c.failing
	}
	s.window.apply(c.plan)
	for _, l := range c.arrived {
		l.coming--
		l.rows++
	}
	for _, l := range c.touched {
		s.goOn(l)
	}
	for _, l := range c.arrived {
		if l.turn == idle {
			s.goOn(l)
		}
	}
}

func (s *session) goOn(l *lane) {
	was := l.parked
	s.lanes.settle(l)
	if was && !l.parked {
		s.log.Debug("webhook customer no longer parked", "conversation", l.conversation)
	}
}
