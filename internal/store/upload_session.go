package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

type uploadSessionRow struct {
	id, account, number int64
	body                []byte
	expires             int64
}

var uploadSessions = &table[int64, uploadSessionRow]{
	shape:  shape{"upload_session", cols("id:bigint"), cols("account_id:bigint number_id:bigint body:bytea expires:bigint")},
	key:    func(r *uploadSessionRow) int64 { return r.id },
	args:   one[int64],
	fields: func(r *uploadSessionRow) []any { return []any{&r.id, &r.account, &r.number, &r.body, &r.expires} },
	order:  byID[int64],
}

// UploadSession is a file that is uploaded in parts. Its bytes lie in media of the number.
type UploadSession struct {
	ID      int64           `json:"-"`
	Account kabar.AccountID `json:"-"`
	Number  kabar.NumberID  `json:"-"`
	Expires time.Time       `json:"-"`
	Name    string          `json:"name,omitempty"`
	MIME    string          `json:"mime"`
	Length  int64           `json:"length"` // bytes
	Offset  int64           `json:"offset"` // bytes that have come
	// Parts hold the bytes, in their order; when all have come, File does.
	Parts []kabar.MediaID `json:"parts,omitempty"`
	File  kabar.MediaID   `json:"file,omitzero"`
}

// SaveUploadSession stores a session; one without an ID is new and gets one.
func (tx *Tx) SaveUploadSession(u *UploadSession) (err error) {
	fresh := u.ID == 0
	if fresh {
		if u.ID, err = tx.NewKey(); err != nil {
			return err
		}
	}
	key, err := tx.b.db.numberKey(int64(u.Number))
	if err != nil {
		return err
	}
	body, err := json.Marshal(u)
	if err != nil {
		return fmt.Errorf("encode an upload: %w", err)
	}
	row := uploadSessionRow{u.ID, int64(u.Account), int64(u.Number), key.Seal(body, secrets.AAD("upload_session", u.ID)), millis(u.Expires)}
	if !fresh {
		return tx.sessions.put(row)
	}
	tx.sessions.fresh(row)
	return nil
}

// UploadSession returns a session of the number, or a NotFoundError.
func (tx *Tx) UploadSession(n kabar.NumberID, id int64) (*UploadSession, error) {
	row, err := tx.sessions.get(id)
	if err != nil {
		return nil, err
	}
	if row == nil || row.number != int64(n) {
		return nil, &NotFoundError{"upload session"}
	}
	return tx.b.db.openUploadSession(row)
}

// RemoveUploadSession removes a session of the number, but not its media.
func (tx *Tx) RemoveUploadSession(n kabar.NumberID, id int64) error {
	if _, err := tx.UploadSession(n, id); err != nil {
		return err
	}
	return tx.sessions.del(id)
}

// UploadSession returns a session of the number, or a NotFoundError.
func (db *DB) UploadSession(ctx context.Context, n kabar.NumberID, id int64) (*UploadSession, error) {
	row, err := readOne(ctx, db, uploadSessions, "id = $1 AND number_id = $2", id, int64(n))
	if err != nil {
		return nil, notFound(err, "upload session")
	}
	return db.openUploadSession(row)
}

// ExpiredUploadSessions returns up to a hundred sessions of any number that have expired at now.
func (db *DB) ExpiredUploadSessions(ctx context.Context, now time.Time) (all []*UploadSession, err error) {
	const most = 100
	rows, err := readAll(ctx, db, uploadSessions, "expires <= $1 ORDER BY expires LIMIT $2", millis(now), int64(most))
	if err != nil {
		return nil, err
	}
	for i := range rows {
		u, err := db.openUploadSession(&rows[i])
		if err != nil {
			return nil, err
		}
		all = append(all, u)
	}
	return all, nil
}

func (db *DB) openUploadSession(r *uploadSessionRow) (*UploadSession, error) {
	key, err := db.numberKey(r.number)
	if err != nil {
		return nil, err
	}
	body, err := key.Open(r.body, secrets.AAD("upload_session", r.id))
	if err != nil {
		return nil, fmt.Errorf("unseal an upload: %w", err)
	}
	u := &UploadSession{ID: r.id, Account: kabar.AccountID(r.account), Number: kabar.NumberID(r.number), Expires: instant(r.expires)}
	if err := json.Unmarshal(body, u); err != nil {
		return nil, fmt.Errorf("decode an upload: %w", err)
	}
	return u, nil
}
