package engine

import (
	"context"
	"errors"

	"kabar"
	"kabar/internal/store"
)

// Retention returns for how long an account keeps things.
func (a *Accounts) Retention(ctx context.Context, id kabar.AccountID) (kabar.Retention, error) {
	r, err := a.db.Retention(ctx, id)
	return r, store.Refusal(err)
}

// ChangeRetention changes for how long an account keeps things: from the next collection on, which is within a day. change may be called
// more than once.
func (a *Accounts) ChangeRetention(ctx context.Context, id kabar.AccountID, change func(*kabar.Retention) error) (r kabar.Retention, err error) {
	err = a.db.Write(ctx, nil, func(tx *store.Tx) error {
		var err error
		if r, err = tx.Retention(id); err != nil {
			return err
		}
		if err := errors.Join(change(&r), r.Validate()); err != nil {
			return err
		}
		return tx.SaveRetention(id, r)
	})
	return r, store.Refusal(err)
}
