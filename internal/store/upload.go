package store

import (
	"context"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

type uploadRow struct {
	number  int64
	sha256  string
	account int64
	body    []byte
	expires int64
}

var uploads = &table[named, uploadRow]{
	shape:  shape{"upload", cols("number_id:bigint sha256:text"), cols("account_id:bigint body:bytea expires:bigint")},
	key:    func(r *uploadRow) named { return named{r.number, r.sha256} },
	args:   namedArgs,
	fields: func(r *uploadRow) []any { return []any{&r.number, &r.sha256, &r.account, &r.body, &r.expires} },
	order:  orderNamed,
}

// Upload returns where the encrypted form of a medium lies on the network, or a NotFoundError if it is not there or not
// for much longer than until.
func (db *DB) Upload(ctx context.Context, n kabar.NumberID, sha256 string, until time.Time) ([]byte, error) {
	row, err := readOne(ctx, db, uploads, "number_id = $1 AND sha256 = $2 AND expires > $3", int64(n), sha256, millis(until))
	if err != nil {
		return nil, notFound(err, "upload")
	}
	key, err := db.numberKey(int64(n))
	if err != nil {
		return nil, err
	}
	return key.Open(row.body, secrets.AAD("upload", row.number, row.sha256))
}

// SaveUpload remembers where the encrypted form of a medium lies.
func (tx *Tx) SaveUpload(n *kabar.Number, sha256 string, locator []byte, expires time.Time) error {
	key, err := tx.b.db.numberKey(int64(n.ID))
	if err != nil {
		return err
	}
	sealed := key.Seal(locator, secrets.AAD("upload", int64(n.ID), sha256))
	return tx.uploads.put(uploadRow{int64(n.ID), sha256, int64(n.Account), sealed, millis(expires)})
}
