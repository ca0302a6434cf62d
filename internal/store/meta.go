package store

import (
	"cmp"
	"context"

	"kabar/internal/secrets"
)

type metaRow struct {
	name  string
	value []byte
}

var metas = &table[string, metaRow]{
	shape:  shape{"meta", cols("name:text"), cols("value:bytea")},
	key:    func(r *metaRow) string { return r.name },
	args:   one[string],
	fields: func(r *metaRow) []any { return []any{&r.name, &r.value} },
	order:  cmp.Compare[string],
}

type counterRow struct {
	name string
	next int64
}

var counters = &table[string, counterRow]{
	shape:  shape{"counter", cols("name:text"), cols("next:bigint")},
	key:    func(r *counterRow) string { return r.name },
	args:   one[string],
	fields: func(r *counterRow) []any { return []any{&r.name, &r.next} },
	order:  cmp.Compare[string],
}

// Secret returns the server's secret of that name (a signing key, say); made is called when there is none yet, and what
// it returns is kept sealed for good.
func (db *DB) Secret(ctx context.Context, name string, made func() []byte) ([]byte, error) {
	place := "secret/" + name
	var out []byte
	err := db.Write(ctx, nil, func(tx *Tx) error {
		row, err := tx.meta.get(place)
		if err != nil {
			return err
		}
		if row != nil {
			out, err = db.master.Open(row.value, secrets.AAD("meta", place))
			return err
		}
		out = made()
		return tx.meta.put(metaRow{place, db.master.Seal(out, secrets.AAD("meta", place))})
	})
	if err != nil {
		return nil, err // out may still be written to when ctx has ended
	}
	return out, nil
}

// SetSecret replaces a secret.
func (tx *Tx) SetSecret(name string, value []byte) error {
	place := "secret/" + name
	return tx.meta.put(metaRow{place, tx.b.db.master.Seal(value, secrets.AAD("meta", place))})
}
