package store

import (
	"cmp"
	"context"
	"strings"
	"time"

	"kabar"
)

type keyRow struct {
	id              string
	account, number int64
	scopes, label   string
	created         int64
}

var apiKeys = &table[string, keyRow]{
	shape:  shape{"api_key", cols("id:text"), cols("account_id:bigint number_id:bigint scopes:text label:text created:bigint")},
	key:    func(r *keyRow) string { return r.id },
	args:   one[string],
	fields: func(r *keyRow) []any { return []any{&r.id, &r.account, &r.number, &r.scopes, &r.label, &r.created} },
	order:  cmp.Compare[string],
}

// Key is a key of the management API.
type Key struct {
	ID      string          // SHA-256 of the secret, hex
	Account kabar.AccountID // 0: all
	Number  kabar.NumberID  // 0: all of the account
	Scopes  []string
	Label   string
}

// AddKey stores a key. It replaces one with the same ID: the same secret, whose scopes or label have changed.
func (tx *Tx) AddKey(k *Key, now time.Time) error {
	return tx.apiKeys.put(keyRow{k.ID, int64(k.Account), int64(k.Number), strings.Join(k.Scopes, " "), k.Label, millis(now)})
}

// Key returns a key by the hash of its secret.
func (db *DB) Key(ctx context.Context, id string) (*Key, error) {
	r, err := readOne(ctx, db, apiKeys, "id = $1", id)
	if err != nil {
		return nil, notFound(err, "key")
	}
	return &Key{r.id, kabar.AccountID(r.account), kabar.NumberID(r.number), strings.Fields(r.scopes), r.label}, nil
}
