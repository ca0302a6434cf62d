package store

import (
	"context"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

type endpointRow struct {
	id, account, number int64
	dialect             string
	body                []byte
	mark, created       int64
}

var endpoints = &table[int64, endpointRow]{
	shape: shape{"endpoint", cols("id:bigint"), cols("account_id:bigint number_id:bigint dialect:text body:bytea mark:bigint created:bigint")},
	key:   func(r *endpointRow) int64 { return r.id },
	args:  one[int64],
	fields: func(r *endpointRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.dialect, &r.body, &r.mark, &r.created}
	},
	order: byID[int64],
}

// Endpoints are the readers of a number's event log. There may be any number of them; the URL in the /v1 settings is a
// view of the number's one On-Premises endpoint.

// AddEndpoint stores a new endpoint and sets its ID. It reads the log from just behind its Mark.
func (tx *Tx) AddEndpoint(e *kabar.Endpoint, now time.Time) error {
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	e.ID = kabar.EndpointID(id)
	body, err := tx.b.db.sealEndpoint(e)
	if err != nil {
		return err
	}
	tx.endpoints.fresh(endpointRow{id, int64(e.Account), int64(e.Number), string(e.Dialect), body, e.Mark, millis(now)})
	return nil
}

// WantEndpoint announces that the endpoint will be asked for.
func (tx *Tx) WantEndpoint(id kabar.EndpointID) { tx.endpoints.want(int64(id)) }

// SetURL changes where an endpoint's events go. What is waiting goes to the new URL.
func (tx *Tx) SetURL(n kabar.NumberID, id kabar.EndpointID, url string) error {
	tx.leads(url)
	row, err := tx.endpoint(n, id)
	if err != nil {
		return err
	}
	row.body, err = tx.b.db.sealEndpoint(&kabar.Endpoint{ID: id, Number: n, URL: url})
	if err != nil {
		return err
	}
	return tx.endpoints.put(*row)
}

// Advance raises an endpoint's mark: every event up to it is finished. It never lowers it.
func (tx *Tx) Advance(n kabar.NumberID, id kabar.EndpointID, mark int64) error {
	row, err := tx.endpoint(n, id)
	if err != nil {
		return err
	}
	row.mark = max(row.mark, mark)
	return tx.endpoints.put(*row)
}

func (tx *Tx) endpoint(n kabar.NumberID, id kabar.EndpointID) (*endpointRow, error) {
	row, err := tx.endpoints.get(int64(id))
	if err != nil {
		return nil, err
	}
	if row == nil || row.number != int64(n) {
		return nil, &NotFoundError{"endpoint"}
	}
	return row, nil
}

func (db *DB) sealEndpoint(e *kabar.Endpoint) ([]byte, error) {
	key, err := db.numberKey(int64(e.Number))
	if err != nil {
		return nil, err
	}
	return key.Seal([]byte(e.URL), secrets.AAD("endpoint", int64(e.ID))), nil
}

// Endpoints returns the endpoints of the number, oldest first.
func (db *DB) Endpoints(ctx context.Context, n kabar.NumberID) ([]*kabar.Endpoint, error) {
	rows, err := readAll(ctx, db, endpoints, "number_id = $1 ORDER BY id", int64(n))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	key, err := db.numberKey(int64(n))
	if err != nil {
		return nil, err
	}
	all := make([]*kabar.Endpoint, len(rows))
	for i, r := range rows {
		url, err := key.Open(r.body, secrets.AAD("endpoint", r.id))
		if err != nil {
			return nil, fmt.Errorf("unseal endpoint: %w", err)
		}
		all[i] = &kabar.Endpoint{ID: kabar.EndpointID(r.id), Account: kabar.AccountID(r.account), Number: n, URL: string(url),
			Dialect: kabar.Dialect(r.dialect), Mark: r.mark}
	}
	return all, nil
}
