package store

import (
	"context"
	"database/sql"
	"errors"

	"kabar"
)

type creditRow struct {
	account, drawn, amount, reserved, spent, warned int64
}

var credits = &table[int64, creditRow]{
	shape: shape{"credit", cols("account_id:bigint"), cols("drawn:bigint amount:bigint reserved:bigint spent:bigint warned:bigint")},
	key:   func(r *creditRow) int64 { return r.account },
	args:  one[int64],
	fields: func(r *creditRow) []any {
		return []any{&r.account, &r.drawn, &r.amount, &r.reserved, &r.spent, &r.warned}
	},
	order: byID[int64],
}

// WantCredit announces that the account's line of credit will be asked for.
func (tx *Tx) WantCredit(a kabar.AccountID) { tx.credits.want(int64(a)) }

// Credit returns an account's line of credit. Its currency is the account's, which the caller knows.
func (tx *Tx) Credit(a kabar.AccountID) (*kabar.Credit, error) {
	row, err := tx.credits.see(int64(a))
	if err != nil {
		return nil, err
	}
	return openCredit(a, row), nil
}

// SaveCredit stores an account's line of credit.
func (tx *Tx) SaveCredit(c *kabar.Credit) error {
	return tx.credits.put(creditRow{int64(c.Account), flag(!c.Open), int64(c.Limit), int64(c.Reserved), int64(c.Spent), int64(c.Warned)})
}

// Credit returns an account's line of credit as it is committed.
func (db *DB) Credit(ctx context.Context, a kabar.AccountID) (*kabar.Credit, error) {
	row, err := readKey(ctx, db, credits, db.kept.credits, int64(a))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	return openCredit(a, row), nil
}

// openCredit reads a row; an account without one has no line.
func openCredit(a kabar.AccountID, row *creditRow) *kabar.Credit {
	if row == nil {
		return &kabar.Credit{Account: a, Open: true}
	}
	return &kabar.Credit{Account: a, Open: row.drawn == 0, Limit: kabar.Money(row.amount), Reserved: kabar.Money(row.reserved),
		Spent: kabar.Money(row.spent), Warned: int(row.warned)}
}
