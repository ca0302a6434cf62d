package store

import (
	"context"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

type mediaRow struct {
	id, account, number int64
	mime                string
	size                int64
	sha256, file        string
	key, name           []byte
	created             int64
}

var medias = &table[int64, mediaRow]{
	shape: shape{"media", cols("id:bigint"), cols("account_id:bigint number_id:bigint mime:text size:bigint sha256:text file:text " +
		"key:bytea name:bytea created:bigint")},
	key:  func(r *mediaRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *mediaRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.mime, &r.size, &r.sha256, &r.file, &r.key, &r.name, &r.created}
	},
	order: byID[int64],
}

// Medium is a stored medium. Its bytes lie sealed in a file under Key.
type Medium struct {
	ID       kabar.MediaID
	Account  kabar.AccountID
	Number   kabar.NumberID
	MIME     string
	Size     int64  // plain bytes
	SHA256   string // of the plain bytes, lower-case hex
	File     string // name in the media folder
	Filename string // as its sender called it; sealed at rest
	Key      secrets.Key
	Created  time.Time
}

// AddMedium stores a new medium and sets its ID. Its file must be on disk already.
func (tx *Tx) AddMedium(m *Medium) error {
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	m.ID = kabar.MediaID(id)
	key, err := tx.b.db.numberKey(int64(m.Number))
	if err != nil {
		return err
	}
	tx.media.fresh(mediaRow{
		id: id, account: int64(m.Account), number: int64(m.Number), mime: m.MIME, size: m.Size, sha256: m.SHA256, file: m.File,
		key: key.Wrap(m.Key, secrets.AAD("media", id)), name: m.Key.Seal([]byte(m.Filename), secrets.AAD("media.name", id)), created: millis(m.Created),
	})
	return nil
}

// RemoveMedium removes a medium of the number. The file is the caller's to remove, after the commit.
func (tx *Tx) RemoveMedium(n kabar.NumberID, id kabar.MediaID) error {
	row, err := tx.media.get(int64(id))
	if err != nil {
		return err
	}
	if row == nil || row.number != int64(n) {
		return &NotFoundError{"media"}
	}
	return tx.media.del(int64(id))
}

// Medium returns a medium of the number.
func (db *DB) Medium(ctx context.Context, n kabar.NumberID, id kabar.MediaID) (*Medium, error) {
	r, err := readOne(ctx, db, medias, "id = $1 AND number_id = $2", int64(id), int64(n))
	if err != nil {
		return nil, notFound(err, "media")
	}
	outer, err := db.numberKey(r.number)
	if err != nil {
		return nil, err
	}
	key, err := outer.Unwrap(r.key, secrets.AAD("media", r.id))
	if err != nil {
		return nil, fmt.Errorf("unseal media: %w", err)
	}
	name, err := key.Open(r.name, secrets.AAD("media.name", r.id))
	if err != nil {
		return nil, fmt.Errorf("unseal media: %w", err)
	}
	return &Medium{ID: id, Account: kabar.AccountID(r.account), Number: n, MIME: r.mime, Size: r.size, SHA256: r.sha256, File: r.file,
		Filename: string(name), Key: key, Created: instant(r.created)}, nil
}

// HasFile reports whether a medium of any number lies in the file.
func (db *DB) HasFile(ctx context.Context, file string) (bool, error) {
	var n int
	err := db.read.QueryRowContext(ctx, "SELECT count(*) FROM media WHERE file = $1", file).Scan(&n)
	if err != nil {
		return false, fault(err)
	}
	return n > 0, nil
}
