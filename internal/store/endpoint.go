package store

import (
	"context"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

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

// SetURL changes where an endpoint's events go. What is waiting goes to the new URL.
func (tx *Tx) SetURL(n kabar.NumberID, id kabar.EndpointID, url string) error {
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

// DeliveryState says how an event stands with an endpoint.
type DeliveryState int8

// The states of a delivery. An event without a row is finished if its seq is up to the endpoint's mark, and untried above.
const (
	Finished DeliveryState = 1 // above the mark, delivered
	Retrying DeliveryState = 2 // failed at least once; the bytes of the first attempt are kept
	Parked   DeliveryState = 3 // its customer is parked: it waits in its own line, and the mark may pass it
)

// Delivery is what is remembered of one event at one endpoint.
type Delivery struct {
	Endpoint     kabar.EndpointID
	Seq          int64
	Account      kabar.AccountID
	Number       kabar.NumberID
	Conversation kabar.ConversationID
	State        DeliveryState
	Attempts     int
	Due          time.Time
	Body         []byte // the exact bytes of the first failed attempt; sealed at rest
}

// SaveDelivery stores d, new or changed.
func (tx *Tx) SaveDelivery(d *Delivery) error {
	row := deliveryRow{
		endpoint: int64(d.Endpoint), seq: d.Seq, account: int64(d.Account), number: int64(d.Number), conversation: int64(d.Conversation),
		state: int64(d.State), attempts: int64(d.Attempts), due: millis(d.Due),
	}
	if len(d.Body) > 0 {
		key, err := tx.keyOf(row.conversation)
		if err != nil {
			return err
		}
		row.body = key.Seal(d.Body, secrets.AAD("delivery", row.endpoint, row.seq))
	}
	return tx.deliveries.put(row)
}

// RemoveDelivery forgets a delivery: it has been finished and the mark is past it.
func (tx *Tx) RemoveDelivery(e kabar.EndpointID, seq int64) error {
	return tx.deliveries.del(spot{int64(e), seq})
}

// Deliveries returns up to limit rows of an endpoint in a state with a seq above after, in order.
func (db *DB) Deliveries(ctx context.Context, e kabar.EndpointID, s DeliveryState, after int64, limit int) ([]*Delivery, error) {
	rows, err := readAll(ctx, db, deliveries, "endpoint_id = $1 AND state = $2 AND seq > $3 ORDER BY seq LIMIT $4", int64(e), int64(s), after, limit)
	if err != nil {
		return nil, err
	}
	all := make([]*Delivery, len(rows))
	for i, r := range rows {
		all[i] = &Delivery{Endpoint: e, Seq: r.seq, Account: kabar.AccountID(r.account), Number: kabar.NumberID(r.number),
			Conversation: kabar.ConversationID(r.conversation), State: s, Attempts: int(r.attempts), Due: instant(r.due)}
		if len(r.body) == 0 {
			continue
		}
		key, err := db.keyOf(ctx, r.conversation)
		if err != nil {
			return nil, err
		}
		if all[i].Body, err = key.Open(r.body, secrets.AAD("delivery", r.endpoint, r.seq)); err != nil {
			return nil, fmt.Errorf("unseal delivery: %w", err)
		}
	}
	return all, nil
}
