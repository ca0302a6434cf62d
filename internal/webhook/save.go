package webhook

import (
	"context"
	"errors"

	"kabar/internal/store"
)

// commit is what the store is told at once. While one commit is under way the next one gathers, so a busy endpoint pays
// for few.
type commit struct {
	*plan
	touched []*lane // their events' fate is in it
	arrived []*lane // one for each event put aside
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
		p := s.window.plan()
		if p == nil {
			return
		}
		s.saving = &commit{p, s.touched, s.arrived}
		s.touched, s.arrived = nil, nil
	}
	s.writing = true
	p := s.saving.plan
	s.workers.Go(func() { s.saved <- s.write(context.WithoutCancel(ctx), p) })
}

// write may be repeated: what is already so stays so.
func (r *reader) write(ctx context.Context, p *plan) error {
	return r.o.Store.Write(ctx, func(tx *store.Tx) { tx.WantEndpoint(r.id) }, func(tx *store.Tx) error {
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
		s.log.Warn("note webhook deliveries", "err", err)
		s.retry = s.o.Now().Add(pauseStore)
		if errors.Is(err, store.ErrFull) {
			s.retry = s.o.Now().Add(pauseStore / 10)
		}
		return
	}
	c := s.saving
	s.saving = nil
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
