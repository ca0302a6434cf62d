package engine

import (
	"context"
	"errors"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/store"
)

// A driver's state lies in the store, and is read, announced and changed here: for what goes out and for what comes in.

// state reads a driver's entries.
func (e *Engine) state(ctx context.Context, n kabar.NumberID, keys []string) (network.State, error) {
	s := network.State{}
	for _, k := range keys {
		value, version, err := e.db.State(ctx, n, k)
		if err != nil {
			return nil, err
		}
		if version > 0 {
			s[k] = network.Entry{Version: version, Value: value}
		}
	}
	return s, nil
}

// wantChange announces the entries of a change.
func wantChange(tx *store.Tx, n kabar.NumberID, c network.Change) {
	for _, s := range c {
		tx.WantState(n, s.Key)
	}
}

// apply makes a change, unless an entry has changed since it was computed: store.ErrStale.
func apply(tx *store.Tx, n *kabar.Number, c network.Change) error {
	for _, s := range c {
		if err := tx.SetState(n, s.Key, s.Version, s.Value); err != nil {
			return err
		}
	}
	return nil
}

// conflict tells a driver that it has to compute again.
func conflict(err error) error {
	if errors.Is(err, store.ErrStale) {
		return network.ErrConflict
	}
	return err
}
