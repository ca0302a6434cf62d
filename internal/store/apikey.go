package store

import (
	"cmp"
	"context"
	"strings"
	"time"

	"kabar"
)

type keyRow struct {
	id                                  string
	account, number                     int64
	scopes, label                       string
	created, expires, lastUsed, revoked int64
	hint, role                          string
}

var apiKeys = &table[string, keyRow]{
	shape: shape{"api_key", cols("id:text"), cols("account_id:bigint number_id:bigint scopes:text label:text created:bigint " +
		"expires:bigint last_used:bigint revoked:bigint hint:text role:text")},
	key:  func(r *keyRow) string { return r.id },
	args: one[string],
	fields: func(r *keyRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.scopes, &r.label, &r.created, &r.expires, &r.lastUsed, &r.revoked, &r.hint, &r.role}
	},
	order: cmp.Compare[string],
}

// Key is a key of an API.
type Key struct {
	ID       string          // SHA-256 of the secret, hex
	Account  kabar.AccountID // 0: all
	Number   kabar.NumberID  // 0: all of the account
	Role     string          // stands for scopes; empty: Scopes
	Scopes   []string
	Label    string
	Hint     string    // how the secret begins, for lists; lies open
	Created  time.Time // set by AddKey
	Expires  time.Time // zero: never. The store does not look at it
	LastUsed time.Time // zero: never; set by TouchKey
	Revoked  time.Time // zero: it is not; set by RevokeKey
}

// AddKey stores a key. One with the same ID (the same secret) gets the new account, number, role, scopes, label, hint and
// expiry, and stays as it is otherwise: one that was revoked stays revoked.
func (tx *Tx) AddKey(k *Key, now time.Time) error {
	tx.about(int64(k.Account), subjectOfKey(k.ID))
	old, err := tx.apiKeys.get(k.ID)
	if err != nil {
		return err
	}
	row := keyRow{id: k.ID, created: millis(now)}
	if old != nil {
		row = *old
	}
	row.account, row.number, row.scopes, row.label = int64(k.Account), int64(k.Number), strings.Join(k.Scopes, " "), k.Label
	row.hint, row.role, row.expires = k.Hint, k.Role, millis(k.Expires)
	k.Created, k.LastUsed, k.Revoked = instant(row.created), instant(row.lastUsed), instant(row.revoked)
	return tx.apiKeys.put(row)
}

// RevokeKey ends a key: Key no longer finds it, Keys still lists it. One that is revoked already stays as it is.
func (tx *Tx) RevokeKey(id string, now time.Time) error {
	return tx.changeKey(id, func(r *keyRow) {
		tx.about(r.account, subjectOfKey(id))
		if r.revoked == 0 {
			r.revoked = millis(now)
		}
	})
}

// subjectOfKey is how the audit log names a key: by as much of the id as tells any two apart.
func subjectOfKey(id string) string { return "key/" + id[:min(12, len(id))] }

// TouchKey notes that a key has been used.
func (tx *Tx) TouchKey(id string, now time.Time) error {
	return tx.changeKey(id, func(r *keyRow) { r.lastUsed = max(r.lastUsed, millis(now)) })
}

func (tx *Tx) changeKey(id string, change func(*keyRow)) error {
	row, err := tx.apiKeys.get(id)
	if err != nil {
		return err
	}
	if row == nil {
		return &NotFoundError{"key"}
	}
	change(row)
	return tx.apiKeys.put(*row)
}

// Key returns a key by the hash of its secret. One that is revoked is not found; one that has expired is.
func (db *DB) Key(ctx context.Context, id string) (*Key, error) {
	r, err := readOne(ctx, db, apiKeys, "id = $1 AND revoked = 0", id)
	if err != nil {
		return nil, notFound(err, "key")
	}
	return r.open(), nil
}

// Keys returns the keys of an account and of a number, oldest first; 0 stands for any. It lists those that have expired or
// were revoked, too.
func (db *DB) Keys(ctx context.Context, a kabar.AccountID, n kabar.NumberID) ([]*Key, error) {
	rows, err := readAll(ctx, db, apiKeys, "(account_id = $1 OR $1 = 0) AND (number_id = $2 OR $2 = 0) ORDER BY created, id", int64(a), int64(n))
	if err != nil {
		return nil, err
	}
	all := make([]*Key, len(rows))
	for i := range rows {
		all[i] = rows[i].open()
	}
	return all, nil
}

func (r *keyRow) open() *Key {
	return &Key{ID: r.id, Account: kabar.AccountID(r.account), Number: kabar.NumberID(r.number), Role: r.role, Scopes: strings.Fields(r.scopes),
		Label: r.label, Hint: r.hint, Created: instant(r.created), Expires: instant(r.expires), LastUsed: instant(r.lastUsed),
		Revoked: instant(r.revoked)}
}
