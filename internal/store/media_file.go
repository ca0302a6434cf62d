package store

import (
	"context"
	"fmt"

	"kabar"
	"kabar/internal/secrets"
)

type fileRow struct {
	number  int64
	sha256  string
	account int64
	file    string
	key     []byte
	uses    int64
}

var mediaFiles = &table[named, fileRow]{
	shape:  shape{"media_file", cols("number_id:bigint sha256:text"), cols("account_id:bigint file:text key:bytea uses:bigint")},
	key:    func(r *fileRow) named { return named{r.number, r.sha256} },
	args:   namedArgs,
	fields: func(r *fileRow) []any { return []any{&r.number, &r.sha256, &r.account, &r.file, &r.key, &r.uses} },
	order:  orderNamed,
}

// share has m lie in the file of the number's other media with the same bytes. If there are none, or their file is to be
// replaced, m's own file is the one from now on.
func (tx *Tx) share(m *Medium, outer secrets.Key) error {
	row, err := tx.files.get(named{int64(m.Number), m.SHA256})
	if err != nil {
		return err
	}
	aad := secrets.AAD("media_file", int64(m.Number), m.SHA256)
	if row == nil || m.Replace {
		return tx.files.put(fileRow{int64(m.Number), m.SHA256, int64(m.Account), m.File, outer.Wrap(m.Key, aad), 1})
	}
	key, err := outer.Unwrap(row.key, aad)
	if err != nil {
		return fmt.Errorf("unseal a media file: %w", err)
	}
	m.File, m.Key = row.file, key
	row.uses++
	return tx.files.put(*row)
}

// leave says that a medium lies in its file no more. It returns the file when it was the last.
func (tx *Tx) leave(m *mediaRow) (file string, err error) {
	k := named{m.number, m.sha256}
	row, err := tx.files.get(k)
	if err != nil {
		return "", err
	}
	if row == nil || row.file != m.file { // a file of its own
		return m.file, nil
	}
	if row.uses--; row.uses > 0 {
		return "", tx.files.put(*row)
	}
	return m.file, tx.files.del(k)
}

// SharedFile returns the file in which the number's media with these bytes lie, with its key, or a NotFoundError.
func (db *DB) SharedFile(ctx context.Context, n kabar.NumberID, sha256 string) (file string, key secrets.Key, err error) {
	row, err := readOne(ctx, db, mediaFiles, "number_id = $1 AND sha256 = $2", int64(n), sha256)
	if err != nil {
		return "", key, notFound(err, "media file")
	}
	outer, err := db.numberKey(row.number)
	if err != nil {
		return "", key, err
	}
	if key, err = outer.Unwrap(row.key, secrets.AAD("media_file", row.number, row.sha256)); err != nil {
		return "", key, fmt.Errorf("unseal a media file: %w", err)
	}
	return row.file, key, nil
}
