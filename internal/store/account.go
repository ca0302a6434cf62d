package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"

	"kabar"
)

type accountRow struct {
	id                 int64
	name               string
	created            int64
	currency, timezone string
	client             int64
	verification       string
	verified           int64
	note               string
}

var accounts = &table[int64, accountRow]{
	shape: shape{"account", cols("id:bigint"), cols("name:text created:bigint currency:text timezone:text client:bigint verification:text verified:bigint note:text")},
	key:   func(r *accountRow) int64 { return r.id },
	args:  one[int64],
	fields: func(r *accountRow) []any {
		return []any{&r.id, &r.name, &r.created, &r.currency, &r.timezone, &r.client, &r.verification, &r.verified, &r.note}
	},
	order: byID[int64],
}

// AddAccount stores a new account and sets its ID, and what it has when nothing is said.
func (tx *Tx) AddAccount(a *kabar.Account, now time.Time) error {
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	row := accountRow{id: id, name: a.Name, created: millis(now), currency: cmp.Or(a.Currency, kabar.DefaultCurrency),
		timezone: cmp.Or(a.Timezone, kabar.DefaultTimezone), client: flag(a.Client)}
	row.verify(a.Verification)
	tx.accounts.fresh(row)
	*a = *openAccount(&row)
	return nil
}

// Account returns an account as it is committed.
func (db *DB) Account(ctx context.Context, a kabar.AccountID) (*kabar.Account, error) {
	row, err := readOne(ctx, db, accounts, "id = $1", int64(a))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, &NotFoundError{"account"}
	}
	if err != nil {
		return nil, err
	}
	return openAccount(row), nil
}

// Account returns an account.
func (tx *Tx) Account(a kabar.AccountID) (*kabar.Account, error) {
	row, err := tx.account(a)
	if err != nil {
		return nil, err
	}
	return openAccount(row), nil
}

func (tx *Tx) account(a kabar.AccountID) (*accountRow, error) {
	row, err := tx.accounts.get(int64(a))
	if err == nil && row == nil {
		err = &NotFoundError{"account"}
	}
	return row, err
}

// SaveAccount stores what has changed of an account, but for its verification.
func (tx *Tx) SaveAccount(a *kabar.Account) error {
	row, err := tx.account(a.ID)
	if err != nil {
		return err
	}
	row.name, row.currency, row.timezone, row.client = a.Name, a.Currency, a.Timezone, flag(a.Client)
	return tx.accounts.put(*row)
}

// SaveVerification stores how far the verification of an account is.
func (tx *Tx) SaveVerification(a kabar.AccountID, v kabar.Verification) error {
	row, err := tx.account(a)
	if err != nil {
		return err
	}
	row.verify(v)
	return tx.accounts.put(*row)
}

func (r *accountRow) verify(v kabar.Verification) {
	r.verification, r.verified, r.note = string(cmp.Or(v.State, kabar.NotVerified)), millis(v.At), v.Note
}

func openAccount(r *accountRow) *kabar.Account {
	return &kabar.Account{ID: kabar.AccountID(r.id), Name: r.name, Currency: r.currency, Timezone: r.timezone, Created: instant(r.created), Client: r.client != 0,
		Verification: kabar.Verification{State: kabar.VerificationState(r.verification), At: instant(r.verified), Note: r.note}}
}
