package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

type erasureRow struct {
	account      int64
	pseudonym    string
	began, ended int64
	body         []byte
}

var erasures = &table[customerKey, erasureRow]{
	shape:  shape{"erasure", cols("account_id:bigint pseudonym:text"), cols("began:bigint ended:bigint body:bytea")},
	key:    func(r *erasureRow) customerKey { return customerKey{r.account, r.pseudonym} },
	args:   func(k customerKey) []any { return []any{k.account, k.handle} },
	fields: func(r *erasureRow) []any { return []any{&r.account, &r.pseudonym, &r.began, &r.ended, &r.body} },
	order:  orderCustomers,
}

func orderCustomers(a, b customerKey) int {
	return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.handle, b.handle))
}

// Talk is a conversation of a number.
type Talk struct {
	Number       kabar.NumberID       `json:"number"`
	Conversation kabar.ConversationID `json:"conversation"`
}

// Erasure is the erasing of a customer of an account: under way, or done. The row is the mark by which the next start of the program
// goes on.
type Erasure struct {
	Account   kabar.AccountID
	Pseudonym string
	Began     time.Time
	Ended     time.Time // zero: under way
	Removed   Removed
	rest      rest
}

// Removed counts what has been erased.
type Removed struct {
	Conversations int `json:"conversations"`
	Messages      int `json:"messages"`
	Events        int `json:"events"`
	Media         int `json:"media"`
}

// rest is what is left to do, and is empty at the end: it names the person.
type rest struct {
	Handles []string `json:"handles,omitempty"`
	Traces  []string `json:"traces,omitempty"` // other texts that lie open and tell of the person
	Talks   []Talk   `json:"talks,omitempty"`
	Before  int64    `json:"before,omitempty"` // what has a greater key is about somebody who has come back
}

type erasureBody struct {
	rest
	Removed Removed `json:"removed"`
}

// Handles returns what the customer is called while the erasing is under way.
func (e *Erasure) Handles() []string { return e.rest.Handles }

// Talks returns the conversations that are being erased.
func (e *Erasure) Talks() []Talk { return e.rest.Talks }

func (tx *Tx) saveErasure(e *Erasure) error {
	key, err := tx.consentKey()
	if err != nil {
		return err
	}
	plain, err := json.Marshal(erasureBody{e.rest, e.Removed})
	if err != nil {
		return fmt.Errorf("encode an erasure: %w", err)
	}
	return tx.erasures.put(erasureRow{int64(e.Account), e.Pseudonym, millis(e.Began), millis(e.Ended),
		key.Seal(plain, secrets.AAD("erasure", int64(e.Account), e.Pseudonym))})
}

// Erasure returns the last erasing of a customer of an account, or a NotFoundError.
func (db *DB) Erasure(ctx context.Context, a kabar.AccountID, pseudonym string) (*Erasure, error) {
	row, err := readOne(ctx, db, erasures, "account_id = $1 AND pseudonym = $2", int64(a), pseudonym)
	if err != nil {
		return nil, notFound(err, "erasure")
	}
	return db.openErasure(ctx, row)
}

const openErasures = "ended = 0 ORDER BY began LIMIT $1"

// OpenErasures returns up to limit erasings of all accounts that are under way, the oldest first.
func (db *DB) OpenErasures(ctx context.Context, limit int) ([]*Erasure, error) {
	rows, err := readAll(ctx, db, erasures, openErasures, int64(limit))
	if err != nil {
		return nil, err
	}
	all := make([]*Erasure, len(rows))
	for i := range rows {
		if all[i], err = db.openErasure(ctx, &rows[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (db *DB) openErasure(ctx context.Context, r *erasureRow) (*Erasure, error) {
	key, err := db.knownConsentKey(ctx)
	if err != nil {
		return nil, err
	}
	plain, err := key.Open(r.body, secrets.AAD("erasure", r.account, r.pseudonym))
	if err != nil {
		return nil, fmt.Errorf("unseal an erasure: %w", err)
	}
	var body erasureBody
	if err := json.Unmarshal(plain, &body); err != nil {
		return nil, fmt.Errorf("decode an erasure: %w", err)
	}
	return &Erasure{Account: kabar.AccountID(r.account), Pseudonym: r.pseudonym, Began: instant(r.began), Ended: instant(r.ended),
		Removed: body.Removed, rest: body.rest}, nil
}
