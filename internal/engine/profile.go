package engine

import (
	"context"
	"reflect"

	"kabar"
	"kabar/internal/store"
)

// ChangeProfile applies change to a number's profile, but for its name (Reviews), and commits it. Customers get the new one, inside the encryption, with
// the next thing that is sent to them. change may be called more than once.
func (e *Engine) ChangeProfile(ctx context.Context, id kabar.NumberID, change func(*kabar.Profile) error) error {
	return e.changeProfile(ctx, id, change, nil)
}

func (e *Engine) changeProfile(ctx context.Context, id kabar.NumberID, change func(*kabar.Profile) error, also func(*store.Tx, *kabar.Number) error) error {
	e.setting.Lock() // two changes are taken over in the order of their commits
	defer e.setting.Unlock()
	return store.Refusal(e.db.Write(ctx, nil, func(tx *store.Tx) error {
		n, s, err := tx.Number(id)
		if err != nil {
			return err
		}
		if also != nil {
			if err := also(tx, n); err != nil {
				return err
			}
		}
		next := n.Profile
		if err := change(&next); err != nil {
			return err
		}
		next.Name = n.Profile.Name
		if err := next.Validate(); err != nil {
			return err
		}
		if reflect.DeepEqual(next, n.Profile) {
			return nil
		}
		n.Profile = next
		n.ProfileVersion++
		tx.After(func() { e.changed(n, s) })
		return tx.SaveNumber(n, s)
	}))
}
