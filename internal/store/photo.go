package store

import (
	"context"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

type photoRow struct {
	number, account int64
	body            []byte
	created         int64
}

var photos = &table[int64, photoRow]{
	shape:  shape{"photo", cols("number_id:bigint"), cols("account_id:bigint body:bytea created:bigint")},
	key:    func(r *photoRow) int64 { return r.number },
	args:   one[int64],
	fields: func(r *photoRow) []any { return []any{&r.number, &r.account, &r.body, &r.created} },
	order:  byID[int64],
}

// SavePhoto stores the picture of a number's profile, a JPEG, in the place of the one before.
func (tx *Tx) SavePhoto(n *kabar.Number, jpeg []byte, now time.Time) error {
	key, err := tx.b.db.numberKey(int64(n.ID))
	if err != nil {
		return err
	}
	return tx.photos.put(photoRow{int64(n.ID), int64(n.Account), key.Seal(jpeg, secrets.AAD("photo", int64(n.ID))), millis(now)})
}

// RemovePhoto removes the picture of a number's profile, if there is one.
func (tx *Tx) RemovePhoto(n kabar.NumberID) error { return tx.photos.del(int64(n)) }

// Photo returns the picture of a number's profile and when it was stored, or a NotFoundError.
func (db *DB) Photo(ctx context.Context, n kabar.NumberID) (jpeg []byte, created time.Time, err error) {
	row, err := readOne(ctx, db, photos, "number_id = $1", int64(n))
	if err != nil {
		return nil, time.Time{}, notFound(err, "photo")
	}
	key, err := db.numberKey(int64(n))
	if err != nil {
		return nil, time.Time{}, err
	}
	if jpeg, err = key.Open(row.body, secrets.AAD("photo", row.number)); err != nil {
		return nil, time.Time{}, fmt.Errorf("unseal photo: %w", err)
	}
	return jpeg, instant(row.created), nil
}
