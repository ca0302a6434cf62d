package store

import (
	"context"
	"database/sql"
	"time"

	"kabar"
)

// What a webhook dispatcher reads beside whole events and deliveries: no sealed column is touched here.

// WantEndpoint announces that the endpoint will be asked for.
func (tx *Tx) WantEndpoint(id kabar.EndpointID) { tx.endpoints.want(int64(id)) }

// WantDelivery announces that the delivery will be asked for.
func (tx *Tx) WantDelivery(e kabar.EndpointID, seq int64) { tx.deliveries.want(spot{int64(e), seq}) }

// EventHead says whose an event is and when it happened.
type EventHead struct {
	Seq          int64
	Conversation kabar.ConversationID
	At           time.Time
}

// EventHeads returns the heads of up to limit events of the number with a seq above after, in order.
func (db *DB) EventHeads(ctx context.Context, n kabar.NumberID, after int64, limit int) ([]EventHead, error) {
	return list(ctx, db, func(rs *sql.Rows) (h EventHead, err error) {
		var at int64
		err = rs.Scan(&h.Seq, &h.Conversation, &at)
		h.At = instant(at)
		return h, err
	}, "SELECT seq, conversation_id, at FROM event WHERE number_id = $1 AND seq > $2 ORDER BY seq LIMIT $3", int64(n), after, limit)
}

// DeliveryHeads returns up to limit deliveries of an endpoint with a seq above after, whatever their state, in order and
// without their bodies.
func (db *DB) DeliveryHeads(ctx context.Context, e kabar.EndpointID, after int64, limit int) ([]*Delivery, error) {
	return list(ctx, db, func(rs *sql.Rows) (*Delivery, error) {
		d := &Delivery{Endpoint: e}
		var due int64
		err := rs.Scan(&d.Seq, &d.Account, &d.Number, &d.Conversation, &d.State, &d.Attempts, &due)
		d.Due = instant(due)
		return d, err
	}, "SELECT seq, account_id, number_id, conversation_id, state, attempts, due FROM delivery "+
		"WHERE endpoint_id = $1 AND seq > $2 ORDER BY seq LIMIT $3", int64(e), after, limit)
}

// ParkedCustomer is a customer who is parked at an endpoint, with the number of events that wait.
type ParkedCustomer struct {
	Conversation kabar.ConversationID
	Events       int64
}

// ParkedCustomers returns who is parked at an endpoint.
func (db *DB) ParkedCustomers(ctx context.Context, e kabar.EndpointID) ([]ParkedCustomer, error) {
	return list(ctx, db, func(rs *sql.Rows) (p ParkedCustomer, err error) {
		err = rs.Scan(&p.Conversation, &p.Events)
		return p, err
	}, "SELECT conversation_id, count(*) FROM delivery WHERE endpoint_id = $1 AND state = $2 GROUP BY conversation_id ORDER BY conversation_id",
		int64(e), int64(Parked))
}

// NextParked returns the seq of the first parked event of a customer above after; 0 if there is none.
func (db *DB) NextParked(ctx context.Context, e kabar.EndpointID, c kabar.ConversationID, after int64) (int64, error) {
	seqs, err := list(ctx, db, func(rs *sql.Rows) (seq int64, err error) {
		err = rs.Scan(&seq)
		return seq, err
	}, "SELECT seq FROM delivery WHERE endpoint_id = $1 AND state = $2 AND conversation_id = $3 AND seq > $4 ORDER BY seq LIMIT 1",
		int64(e), int64(Parked), int64(c), after)
	if err != nil || len(seqs) == 0 {
		return 0, err
	}
	return seqs[0], nil
}

// list reads the rows of a query, each with scan.
func list[T any](ctx context.Context, db *DB, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := db.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fault(err)
	}
	defer func() { _ = rows.Close() }() // rows.Err below tells of a broken read
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fault(err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fault(err)
	}
	return all, nil
}
