package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

type deliveryRow struct {
	endpoint, seq, account, number, conversation, state, attempts, due, batch int64
	body                                                                      []byte
	answer                                                                    string
}

var deliveries = &table[spot, deliveryRow]{
	shape: shape{"delivery", cols("endpoint_id:bigint seq:bigint"),
		cols("account_id:bigint number_id:bigint conversation_id:bigint state:bigint attempts:bigint due:bigint batch:bigint body:bytea answer:text")},
	key:  func(r *deliveryRow) spot { return spot{r.endpoint, r.seq} },
	args: spotArgs,
	fields: func(r *deliveryRow) []any {
		return []any{&r.endpoint, &r.seq, &r.account, &r.number, &r.conversation, &r.state, &r.attempts, &r.due, &r.batch, &r.body, &r.answer}
	},
	order: orderSpot,
}

// DeliveryState says how an event stands with an endpoint.
type DeliveryState int8

// The states of a delivery. An event without a row is finished if its seq is up to the endpoint's mark, and untried above.
const (
	Finished DeliveryState = 1 // above the mark, delivered
	Retrying DeliveryState = 2 // failed at least once; the bytes of the first attempt are kept
	Parked   DeliveryState = 3 // its customer is parked: it waits in its own line, and the mark may pass it
)

// Delivery is what is remembered of one event at one endpoint, or in one replay.
type Delivery struct {
	Endpoint     kabar.EndpointID
	Seq          int64
	Account      kabar.AccountID
	Number       kabar.NumberID
	Conversation kabar.ConversationID
	State        DeliveryState
	Attempts     int
	Due          time.Time
	Batch        int64  // Retrying: the seq of the first event of those it has failed with in one request; 0: it was alone
	Answer       string // Retrying and Parked: what the last failed attempt was answered; empty if none was made
	Body         []byte // the exact bytes of the first failed attempt, or its part of them; sealed at rest
}

// reader refuses what is neither an endpoint nor a replay of the number.
func (tx *Tx) reader(n kabar.NumberID, id kabar.EndpointID) error {
	_, err := tx.endpoint(n, id)
	if IsNotFound(err) {
		_, err = tx.replay(n, id)
	}
	return err
}

// SaveDelivery stores d, new or changed. The endpoint must be the number's.
func (tx *Tx) SaveDelivery(d *Delivery) error {
	if err := tx.reader(d.Number, d.Endpoint); err != nil {
		return err
	}
	row := deliveryRow{
		endpoint: int64(d.Endpoint), seq: d.Seq, account: int64(d.Account), number: int64(d.Number), conversation: int64(d.Conversation),
		state: int64(d.State), attempts: int64(d.Attempts), due: millis(d.Due), batch: d.Batch, answer: d.Answer,
	}
	if len(d.Body) > 0 {
		if ev, err := tx.events.get(spot{row.number, d.Seq}); err != nil || ev == nil {
			tx.deliveries.drop(spot{row.endpoint, d.Seq}) // retention has passed it while it was tried: it is not tried again
			return err
		}
		key, err := tx.keyOf(row.number, row.conversation)
		if err != nil {
			return err
		}
		row.body = key.Seal(d.Body, secrets.AAD("delivery", row.endpoint, row.seq))
	}
	tx.deliveries.set(row)
	return nil
}

// RemoveDelivery forgets a delivery of an endpoint of the number: it has been finished and the mark is past it. One that is
// gone is no error.
func (tx *Tx) RemoveDelivery(n kabar.NumberID, e kabar.EndpointID, seq int64) error {
	if err := tx.reader(n, e); err != nil {
		return err
	}
	tx.deliveries.drop(spot{int64(e), seq})
	return nil
}

// The queries of a dispatcher. Each finds its rows by an index, however many others the endpoint has.
const (
	deliveriesWhere = "endpoint_id = $1 AND state = $2 AND seq > $3 AND number_id = $4 ORDER BY seq LIMIT $5"
	headsQuery      = "SELECT seq, account_id, number_id, conversation_id, state, attempts, due, batch FROM delivery " +
		"WHERE endpoint_id = $1 AND seq > $2 AND number_id = $3 ORDER BY seq LIMIT $4"
	parkedQuery = "SELECT conversation_id, count(*) FROM delivery WHERE endpoint_id = $1 AND state = $2 AND number_id = $3 " +
		"GROUP BY conversation_id ORDER BY conversation_id"
	nextParkedQuery = "SELECT seq FROM delivery WHERE endpoint_id = $1 AND state = $2 AND conversation_id = $3 AND seq > $4 " +
		"AND number_id = $5 ORDER BY seq LIMIT 1"
)

// Deliveries returns up to limit rows of an endpoint of the number in a state with a seq above after, in order.
func (db *DB) Deliveries(ctx context.Context, n kabar.NumberID, e kabar.EndpointID, s DeliveryState, after int64, limit int) ([]*Delivery, error) {
	rows, err := readAll(ctx, db, deliveries, deliveriesWhere, int64(e), int64(s), after, int64(n), limit)
	if err != nil {
		return nil, err
	}
	all := make([]*Delivery, len(rows))
	for i, r := range rows {
		all[i] = &Delivery{Endpoint: e, Seq: r.seq, Account: kabar.AccountID(r.account), Number: kabar.NumberID(r.number),
			Conversation: kabar.ConversationID(r.conversation), State: s, Attempts: int(r.attempts), Due: instant(r.due), Batch: r.batch,
			Answer: r.answer}
		if len(r.body) == 0 {
			continue
		}
		key, err := db.keyOf(ctx, r.number, r.conversation)
		if err != nil {
			return nil, err
		}
		if all[i].Body, err = key.Open(r.body, secrets.AAD("delivery", r.endpoint, r.seq)); err != nil {
			return nil, fmt.Errorf("unseal delivery: %w", err)
		}
	}
	return all, nil
}

// DeliveryHeads returns up to limit deliveries of an endpoint of the number with a seq above after, whatever their state,
// in order and without their bodies.
func (db *DB) DeliveryHeads(ctx context.Context, n kabar.NumberID, e kabar.EndpointID, after int64, limit int) ([]*Delivery, error) {
	return list(ctx, db, func(rs *sql.Rows) (*Delivery, error) {
		d := &Delivery{Endpoint: e}
		var due int64
		err := rs.Scan(&d.Seq, &d.Account, &d.Number, &d.Conversation, &d.State, &d.Attempts, &due, &d.Batch)
		d.Due = instant(due)
		return d, err
	}, headsQuery, int64(e), after, int64(n), limit)
}

// Delivery returns what is remembered of one event at an endpoint of the number, without its body, or a NotFoundError.
func (db *DB) Delivery(ctx context.Context, n kabar.NumberID, e kabar.EndpointID, seq int64) (*Delivery, error) {
	r, err := readOne(ctx, db, deliveries, "endpoint_id = $1 AND seq = $2 AND number_id = $3", int64(e), seq, int64(n))
	if err != nil {
		return nil, notFound(err, "delivery")
	}
	return &Delivery{Endpoint: e, Seq: seq, Account: kabar.AccountID(r.account), Number: n, Conversation: kabar.ConversationID(r.conversation),
		State: DeliveryState(r.state), Attempts: int(r.attempts), Due: instant(r.due), Batch: r.batch, Answer: r.answer}, nil
}

// ParkedCustomer is a customer who is parked at an endpoint, with the number of events that wait.
type ParkedCustomer struct {
	Conversation kabar.ConversationID
	Events       int64
}

// ParkedCustomers returns who is parked at an endpoint of the number.
func (db *DB) ParkedCustomers(ctx context.Context, n kabar.NumberID, e kabar.EndpointID) ([]ParkedCustomer, error) {
	return list(ctx, db, func(rs *sql.Rows) (p ParkedCustomer, err error) {
		err = rs.Scan(&p.Conversation, &p.Events)
		return p, err
	}, parkedQuery, int64(e), int64(Parked), int64(n))
}

// NextParked returns the seq of the first event above after of a customer who is parked at an endpoint of the number; 0 if
// there is none.
func (db *DB) NextParked(ctx context.Context, n kabar.NumberID, e kabar.EndpointID, c kabar.ConversationID, after int64) (int64, error) {
	seqs, err := list(ctx, db, func(rs *sql.Rows) (seq int64, err error) {
		err = rs.Scan(&seq)
		return seq, err
	}, nextParkedQuery, int64(e), int64(Parked), int64(c), after, int64(n))
	if err != nil || len(seqs) == 0 {
		return 0, err
	}
	return seqs[0], nil
}
