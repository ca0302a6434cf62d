package store

import (
	"context"
	"errors"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

// ErrStale says that a driver's entry no longer has the version its change was computed from.
var ErrStale = errors.New("store: the entry has changed meanwhile")

// WantState announces that the driver's entry will be asked for.
func (tx *Tx) WantState(n kabar.NumberID, name string) { tx.states.want(named{int64(n), name}) }

// SetState stores a driver's value if the stored version is still version; 0 means that there is none yet. A nil value
// removes the entry.
func (tx *Tx) SetState(n *kabar.Number, name string, version int64, value []byte) error {
	k := named{int64(n.ID), name}
	row, err := tx.states.get(k)
	if err != nil {
		return err
	}
	var have int64
	if row != nil {
		have = row.version
	}
	if have != version {
		return ErrStale
	}
	if value == nil {
		return tx.states.del(k)
	}
	key, err := tx.b.db.numberKey(int64(n.ID))
	if err != nil {
		return err
	}
	sealed := key.Seal(value, secrets.AAD("driver_state", k.number, name, version+1))
	return tx.states.put(stateRow{k.number, name, int64(n.Account), version + 1, sealed})
}

// State returns a driver's value and its version; version 0 means that there is none.
func (db *DB) State(ctx context.Context, n kabar.NumberID, name string) (value []byte, version int64, err error) {
	row, err := readOne(ctx, db, states, "number_id = $1 AND name = $2", int64(n), name)
	if err != nil {
		var missing *NotFoundError
		if errors.As(notFound(err, "state"), &missing) {
			return nil, 0, nil
		}
		return nil, 0, err
	}
	key, err := db.numberKey(int64(n))
	if err != nil {
		return nil, 0, err
	}
	value, err = key.Open(row.value, secrets.AAD("driver_state", row.number, row.name, row.version))
	return value, row.version, err
}

// WantRef announces that the network's id will be asked for.
func (tx *Tx) WantRef(n kabar.NumberID, ref string) { tx.refs.want(named{int64(n), ref}) }

// Ref returns which message the network's id ref stands for. ok is false for an id that has not been seen.
func (tx *Tx) Ref(n kabar.NumberID, ref string) (id kabar.MessageID, ok bool, err error) {
	row, err := tx.refs.get(named{int64(n), ref})
	if err != nil || row == nil {
		return 0, false, err
	}
	return kabar.MessageID(row.message), true, nil
}

// AddRef remembers that the network's id ref has been seen, and which message it is; 0 for what is no message. The same id
// twice is a constraint violation.
func (tx *Tx) AddRef(n *kabar.Number, ref string, id kabar.MessageID, now time.Time) error {
	return tx.refs.add(refRow{int64(n.ID), ref, int64(n.Account), int64(id), millis(now)})
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
