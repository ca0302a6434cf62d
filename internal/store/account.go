package store

import (
	"time"

	"kabar"
)

type accountRow struct {
	id      int64
	name    string
	created int64
}

var accounts = &table[int64, accountRow]{
	shape:  shape{"account", cols("id:bigint"), cols("name:text created:bigint")},
	key:    func(r *accountRow) int64 { return r.id },
	args:   one[int64],
	fields: func(r *accountRow) []any { return []any{&r.id, &r.name, &r.created} },
	order:  byID[int64],
}

// AddAccount stores a new account and sets its ID.
func (tx *Tx) AddAccount(a *kabar.Account, now time.Time) error {
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	a.ID = kabar.AccountID(id)
	tx.accounts.fresh(accountRow{id, a.Name, millis(now)})
	return nil
}
