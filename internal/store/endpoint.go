package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
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
	group, wide, gone   int64
	failing             int64
}

var endpoints = &table[int64, endpointRow]{
	shape: shape{"endpoint", cols("id:bigint"),
		cols("account_id:bigint number_id:bigint dialect:text body:bytea mark:bigint created:bigint group_id:bigint wide:bigint gone:bigint failing:bigint")},
	key:  func(r *endpointRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *endpointRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.dialect, &r.body, &r.mark, &r.created, &r.group, &r.wide, &r.gone, &r.failing}
	},
	order: byID[int64],
}

// Endpoints are the readers of a number's event log. There may be any number of them; the URL in the /v1 settings is a
// view of one, the app's callback of another.

// AddEndpoint stores a new endpoint and sets its ID, and its Group if it is the first of it. It reads the log from just behind its Mark.
func (tx *Tx) AddEndpoint(e *kabar.Endpoint, now time.Time) error {
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	e.ID, e.Created = kabar.EndpointID(id), now
	e.Group = cmp.Or(e.Group, e.ID)
	body, err := tx.b.db.sealEndpoint(id, int64(e.Number), &e.EndpointConfig)
	if err != nil {
		return err
	}
	if e.URL != "" {
		tx.leads(e.URL)
	}
	tx.endpoints.fresh(endpointRow{id: id, account: int64(e.Account), number: int64(e.Number), dialect: string(e.Dialect), body: body, mark: e.Mark,
		created: millis(now), group: int64(e.Group), wide: flag(e.Wide)})
	return nil
}

// WantEndpoint announces that the endpoint will be asked for.
func (tx *Tx) WantEndpoint(id kabar.EndpointID) { tx.endpoints.want(int64(id)) }

// SetURL changes where an endpoint's events go. What is waiting goes to the new URL.
func (tx *Tx) SetURL(n kabar.NumberID, id kabar.EndpointID, url string) error {
	return tx.ChangeEndpoint(n, id, func(c *kabar.EndpointConfig) error { c.URL = url; return nil })
}

// ChangeEndpoint changes an endpoint of the number. The others of its group are the caller's to change.
func (tx *Tx) ChangeEndpoint(n kabar.NumberID, id kabar.EndpointID, change func(*kabar.EndpointConfig) error) error {
	row, err := tx.endpoint(n, id)
	if err != nil {
		return err
	}
	e, err := tx.b.db.openEndpoint(row)
	if err != nil {
		return err
	}
	url, active := e.URL, e.Active()
	if err := change(&e.EndpointConfig); err != nil {
		return err
	}
	if e.URL != url {
		tx.leads(e.URL)
	}
	if e.URL != url || e.Active() && !active {
		row.failing = 0 // what was not taken before says nothing of now
	}
	if row.body, err = tx.b.db.sealEndpoint(row.id, row.number, &e.EndpointConfig); err != nil {
		return err
	}
	return tx.endpoints.put(*row)
}

// Advance raises the mark of an endpoint or a replay: every event up to it is finished. It never lowers it.
func (tx *Tx) Advance(n kabar.NumberID, id kabar.EndpointID, mark int64) error {
	row, err := tx.endpoint(n, id)
	if IsNotFound(err) {
		return tx.ChangeReplay(n, id, func(r *Replay) { r.Mark = max(r.Mark, mark) })
	}
	if err != nil {
		return err
	}
	row.mark = max(row.mark, mark)
	return tx.endpoints.put(*row)
}

// SetFailing notes since when an endpoint has taken nothing; the zero time says that it does. An event's own failures do not count.
func (tx *Tx) SetFailing(n kabar.NumberID, id kabar.EndpointID, since time.Time) error {
	row, err := tx.endpoint(n, id)
	if err != nil {
		return err
	}
	row.failing = millis(since)
	return tx.endpoints.put(*row)
}

// Skip puts an endpoint's mark behind the newest event: what has not been told is not told any more.
func (tx *Tx) Skip(n kabar.NumberID, id kabar.EndpointID) error {
	head, err := tx.Head(n)
	if err != nil {
		return err
	}
	return tx.Advance(n, id, head)
}

// RemoveEndpoint removes an endpoint of the number. What is remembered of its deliveries is for ClearEndpoint.
func (tx *Tx) RemoveEndpoint(n kabar.NumberID, id kabar.EndpointID) error {
	row, err := tx.endpoint(n, id)
	if err != nil {
		return err
	}
	row.gone = 1
	row.body = nil
	return tx.endpoints.put(*row)
}

func (tx *Tx) endpoint(n kabar.NumberID, id kabar.EndpointID) (*endpointRow, error) {
	row, err := tx.endpoints.get(int64(id))
	if err != nil {
		return nil, err
	}
	if row == nil || row.number != int64(n) || row.gone != 0 {
		return nil, &NotFoundError{"endpoint"}
	}
	return row, nil
}

func (db *DB) sealEndpoint(id, number int64, c *kabar.EndpointConfig) ([]byte, error) {
	key, err := db.numberKey(number)
	if err != nil {
		return nil, err
	}
	plain, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode endpoint: %w", err)
	}
	return key.Seal(plain, secrets.AAD("endpoint", id)), nil
}

// openEndpoint reads a row. Before schema 24 what was sealed was the URL alone, of an endpoint of the /v1 settings or the app's callback.
func (db *DB) openEndpoint(r *endpointRow) (*kabar.Endpoint, error) {
	e := &kabar.Endpoint{ID: kabar.EndpointID(r.id), Group: kabar.EndpointID(cmp.Or(r.group, r.id)), Wide: r.wide != 0, Account: kabar.AccountID(r.account),
		Number: kabar.NumberID(r.number), Dialect: kabar.Dialect(r.dialect), Mark: r.mark, Created: instant(r.created),
		Failing: instant(r.failing)}
	key, err := db.numberKey(r.number)
	if err != nil {
		return nil, err
	}
	plain, err := key.Open(r.body, secrets.AAD("endpoint", r.id))
	if err != nil {
		return nil, fmt.Errorf("unseal endpoint: %w", err)
	}
	if bytes.HasPrefix(plain, []byte("{")) {
		if err := json.Unmarshal(plain, &e.EndpointConfig); err != nil {
			return nil, fmt.Errorf("decode endpoint: %w", err)
		}
	} else {
		e.URL = string(plain)
	}
	if e.Origin == "" {
		e.Origin = kabar.FromSettings
		if e.Dialect == kabar.Cloud {
			e.Origin = kabar.FromSubscription
		}
	}
	return e, nil
}

// Endpoints returns the endpoints of the number, oldest first.
func (db *DB) Endpoints(ctx context.Context, n kabar.NumberID) ([]*kabar.Endpoint, error) {
	return db.openEndpoints(ctx, "number_id = $1 AND gone = 0 ORDER BY id", int64(n))
}

// AccountEndpoints returns the endpoints of all numbers of the account, oldest first.
func (db *DB) AccountEndpoints(ctx context.Context, a kabar.AccountID) ([]*kabar.Endpoint, error) {
	return db.openEndpoints(ctx, "account_id = $1 AND gone = 0 ORDER BY id", int64(a))
}

// Endpoint returns an endpoint by its ID, whoever's it is, or a NotFoundError.
func (db *DB) Endpoint(ctx context.Context, id kabar.EndpointID) (*kabar.Endpoint, error) {
	all, err := db.openEndpoints(ctx, "id = $1 AND gone = 0", int64(id))
	if err == nil && len(all) == 0 {
		err = &NotFoundError{"endpoint"}
	}
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

func (db *DB) openEndpoints(ctx context.Context, where string, args ...any) ([]*kabar.Endpoint, error) {
	rows, err := readAll(ctx, db, endpoints, where, args...)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	all := make([]*kabar.Endpoint, len(rows))
	for i := range rows {
		if all[i], err = db.openEndpoint(&rows[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}
