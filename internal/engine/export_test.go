package engine

import (
	"context"
	"errors"

	"kabar"
)

// Finish has a broadcast end as if nobody's turn had been left when it was looked.
func (b *Broadcasts) Finish(ctx context.Context, of *kabar.Broadcast) error {
	_, err := b.finish(ctx, of)
	return err
}

// TakeTwice gives the recipient in a row of a running broadcast two turns, one after the other, as if the row had been read before.
func (b *Broadcasts) TakeTwice(ctx context.Context, of *kabar.Broadcast, row int) error {
	l, err := b.e.line(of.Number)
	if err != nil {
		return err
	}
	def, err := b.e.db.SendableTemplate(ctx, of.Account, of.Template, of.Language)
	if err != nil {
		return err
	}
	all, err := b.e.db.WaitingRecipients(ctx, of.ID, row-1, 1)
	for range 2 {
		if err == nil {
			err = b.e.flights.book(ctx, of.Number)
		}
		if err == nil && len(all) == 1 {
			err = b.e.take(ctx, l, of, def, all[0])
		}
	}
	if len(all) != 1 {
		err = errors.Join(err, errors.New("the row does not wait"))
	}
	return err
}
