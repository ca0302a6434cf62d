package store

import (
	"context"
	"time"

	"kabar"
)

type expiredRow struct {
	endpoint, seq, account, number int64
	kind                           string
	at, gone                       int64
}

var expiredEvents = &table[spot, expiredRow]{
	shape: shape{"expired", cols("endpoint_id:bigint seq:bigint"), cols("account_id:bigint number_id:bigint kind:text at:bigint gone:bigint")},
	key:   func(r *expiredRow) spot { return spot{r.endpoint, r.seq} },
	args:  spotArgs,
	fields: func(r *expiredRow) []any {
		return []any{&r.endpoint, &r.seq, &r.account, &r.number, &r.kind, &r.at, &r.gone}
	},
	order: orderSpot,
}

// Expired is an event that retention has taken before an endpoint had it. It holds nothing of what the event said.
type Expired struct {
	Seq  int64
	Type kabar.EventType
	At   time.Time // when the event happened
	Gone time.Time // when retention took it
}

// NoteExpired notes that an endpoint of the number has missed an event.
func (tx *Tx) NoteExpired(n kabar.NumberID, e kabar.EndpointID, x Expired) error {
	row, err := tx.endpoint(n, e)
	if err != nil {
		return err
	}
	tx.expired.set(expiredRow{row.id, x.Seq, row.account, row.number, string(x.Type), millis(x.At), millis(x.Gone)})
	return nil
}

// Expired returns up to limit events of a part of the number's log that an endpoint has missed.
func (db *DB) Expired(ctx context.Context, n kabar.NumberID, e kabar.EndpointID, s Span, limit int) ([]Expired, error) {
	rows, err := readAll(ctx, db, expiredEvents, expiredWhere+s.order()+" LIMIT $5", int64(e), s.After, s.Until, int64(n), limit)
	if err != nil {
		return nil, err
	}
	all := make([]Expired, len(rows))
	for i, r := range rows {
		all[i] = Expired{r.seq, kabar.EventType(r.kind), instant(r.at), instant(r.gone)}
	}
	return all, nil
}

// clearExpired removes up to a thousand rows; until is a seq.
func (db *DB) clearExpired(ctx context.Context, e kabar.EndpointID, until int64) (int, error) {
	return db.dropExpired(ctx, e, "seq <= $2", until)
}

func (db *DB) dropExpired(ctx context.Context, e kabar.EndpointID, where string, limit int64) (int, error) {
	seqs, err := list(ctx, db, scanID, "SELECT seq FROM expired WHERE endpoint_id = $1 AND "+where+" ORDER BY seq LIMIT $3", int64(e), limit, int64(chunk))
	return len(seqs), db.dropAll(ctx, err, len(seqs), func(tx *Tx) {
		for _, seq := range seqs {
			tx.expired.drop(spot{int64(e), seq})
		}
	})
}
