package store

import (
	"cmp"
	"context"
	"errors"

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
	var out []byte
	err := db.Write(ctx, nil, func(tx *Tx) (err error) {
		out, err = tx.secret(name, made)
		return err
	})
	if err != nil {
		return nil, err // out may still be written to when ctx has ended
	}
	return out, nil
}

// secret is DB.Secret inside an operation.
func (tx *Tx) secret(name string, made func() []byte) ([]byte, error) {
	place := "secret/" + name
	master, err := tx.master()
	if err != nil {
		return nil, err
	}
	row, err := tx.meta.get(place)
	if err != nil {
		return nil, err
	}
	if row != nil {
		return master.Open(row.value, secrets.AAD("meta", place))
	}
	out := made()
	return out, tx.seal(place, out)
}

// KnownSecret returns a secret that has been set, or a NotFoundError.
func (db *DB) KnownSecret(ctx context.Context, name string) ([]byte, error) {
	value, err := db.sealed(ctx, "secret/"+name)
	if missing, ok := errors.AsType[*NotFoundError](err); ok {
		return nil, missing
	}
	return value, err
}

// RemoveSecret removes a secret; that there is none is no error.
func (tx *Tx) RemoveSecret(name string) error { return tx.meta.del("secret/" + name) }

// SetSecret replaces a secret.
func (tx *Tx) SetSecret(name string, value []byte) error { return tx.seal("secret/"+name, value) }

// seal stores a row of meta under the master key.
func (tx *Tx) seal(name string, plain []byte) error {
	master, err := tx.master()
	if err != nil {
		return err
	}
	return tx.meta.put(metaRow{name, master.Seal(plain, secrets.AAD("meta", name))})
}

// sealed returns a committed row of meta that lies under the master key; a NotFoundError if there is none.
func (db *DB) sealed(ctx context.Context, name string) ([]byte, error) {
	rows, err := readAll(ctx, db, metas, "name IN ($1, $2)", name, masterMeta) // both in one statement: a rotation changes both
	if err != nil {
		return nil, err
	}
	values := map[string][]byte{}
	for _, r := range rows {
		values[r.name] = r.value
	}
	value, ok := values[name]
	if !ok {
		return nil, &NotFoundError{name}
	}
	master, err := db.known(string(values[masterMeta]))
	if err != nil {
		return nil, err
	}
	return master.Open(value, secrets.AAD("meta", name))
}
