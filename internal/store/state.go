package store

import (
	"context"
	"database/sql"
	"errors"

	"kabar"
	"kabar/internal/secrets"
)

type stateRow struct {
	number           int64
	name             string
	account, version int64
	value            []byte
}

var states = &table[named, stateRow]{
	shape:  shape{"driver_state", cols("number_id:bigint name:text"), cols("account_id:bigint version:bigint value:bytea")},
	key:    func(r *stateRow) named { return named{r.number, r.name} },
	args:   namedArgs,
	fields: func(r *stateRow) []any { return []any{&r.number, &r.name, &r.account, &r.version, &r.value} },
	order:  orderNamed,
}

// ErrStale says that a driver's entry no longer has the version its change was computed from.
var ErrStale = errors.New("store: the entry has changed meanwhile")

// WantState announces that the driver's entry will be asked for.
func (tx *Tx) WantState(n kabar.NumberID, name string) { tx.states.want(named{int64(n), name}) }

// SetState stores a driver's value if the stored version is still version; 0 means that there is none yet. A nil value
// removes the entry.
func (tx *Tx) SetState(n *kabar.Number, name string, version int64, value []byte) error {
	k := named{int64(n.ID), name}
	row, err := tx.states.see(k)
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
	row, err := readKey(ctx, db, states, db.kept.states, named{int64(n), name})
	if err != nil {
		if errors.Is(err, sql.ErrNoRows) {
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
