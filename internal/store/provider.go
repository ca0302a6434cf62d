package store

import (
	"context"
	"encoding/json"
	"fmt"

	"kabar"
	"kabar/internal/secrets"
)

type providerRow struct {
	number  int64
	name    string
	account int64
	body    []byte
}

var providers = &table[named, providerRow]{
	shape:  shape{"media_provider", cols("number_id:bigint name:text"), cols("account_id:bigint body:bytea")},
	key:    func(r *providerRow) named { return named{r.number, r.name} },
	args:   namedArgs,
	fields: func(r *providerRow) []any { return []any{&r.number, &r.name, &r.account, &r.body} },
	order:  orderNamed,
}

// SaveProvider stores a media provider of the number, in the place of one of the same name. All but the name is sealed.
func (tx *Tx) SaveProvider(n *kabar.Number, p *kabar.Provider) error {
	key, err := tx.b.db.numberKey(int64(n.ID))
	if err != nil {
		return err
	}
	plain, err := json.Marshal(p) //nolint:gosec // it is sealed below
	if err != nil {
		return fmt.Errorf("encode a provider: %w", err)
	}
	return tx.providers.put(providerRow{int64(n.ID), p.Name, int64(n.Account), key.Seal(plain, secrets.AAD("media_provider", int64(n.ID), p.Name))})
}

// RemoveProvider removes a media provider of the number.
func (tx *Tx) RemoveProvider(n kabar.NumberID, name string) error {
	if impossible(name) {
		return &NotFoundError{"media provider"}
	}
	k := named{int64(n), name}
	row, err := tx.providers.get(k)
	if err != nil {
		return err
	}
	if row == nil {
		return &NotFoundError{"media provider"}
	}
	return tx.providers.del(k)
}

// Provider returns a media provider of the number.
func (db *DB) Provider(ctx context.Context, n kabar.NumberID, name string) (*kabar.Provider, error) {
	row, err := readOne(ctx, db, providers, "number_id = $1 AND name = $2", int64(n), name)
	if err != nil {
		return nil, notFound(err, "media provider")
	}
	return db.openProvider(row)
}

// Providers returns the media providers of the number, by name.
func (db *DB) Providers(ctx context.Context, n kabar.NumberID) ([]*kabar.Provider, error) {
	rows, err := readAll(ctx, db, providers, "number_id = $1 ORDER BY name", int64(n))
	if err != nil {
		return nil, err
	}
	all := make([]*kabar.Provider, len(rows))
	for i := range rows {
		if all[i], err = db.openProvider(&rows[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (db *DB) openProvider(r *providerRow) (*kabar.Provider, error) {
	key, err := db.numberKey(r.number)
	if err != nil {
		return nil, err
	}
	plain, err := key.Open(r.body, secrets.AAD("media_provider", r.number, r.name))
	if err != nil {
		return nil, fmt.Errorf("unseal a provider: %w", err)
	}
	p := new(kabar.Provider)
	if err := json.Unmarshal(plain, p); err != nil {
		return nil, fmt.Errorf("decode a provider: %w", err)
	}
	return p, nil
}
