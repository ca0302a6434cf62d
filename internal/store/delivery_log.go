package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"kabar"
)

// logKey is a row of the log: the seqs that it holds reach up to high.
type logKey struct{ endpoint, high, id int64 }

type deliveryLogRow struct {
	endpoint, high, id, account, number, low int64
	body                                     []byte
}

var deliveryLogs = &table[logKey, deliveryLogRow]{
	shape: shape{"delivery_log", cols("endpoint_id:bigint high:bigint id:bigint"), cols("account_id:bigint number_id:bigint low:bigint body:bytea")},
	key:   func(r *deliveryLogRow) logKey { return logKey{r.endpoint, r.high, r.id} },
	args:  func(k logKey) []any { return []any{k.endpoint, k.high, k.id} },
	fields: func(r *deliveryLogRow) []any {
		return []any{&r.endpoint, &r.high, &r.id, &r.account, &r.number, &r.low, &r.body}
	},
	order: func(a, b logKey) int {
		return cmp.Or(cmp.Compare(a.endpoint, b.endpoint), cmp.Compare(a.high, b.high), cmp.Compare(a.id, b.id))
	},
}

// Taken is a successful attempt: an endpoint has taken an event. It holds nothing of what the event says.
type Taken struct {
	Seq    int64
	At     time.Time // when the attempt began
	Took   time.Duration
	Status int // of the answer
	Failed int // attempts before it
}

// logSpan bounds how far apart the seqs of a row may lie: a reader holds no more events above its mark, and rows of what was parked
// hold one each.
const logSpan = 4096

// LogTaken notes what an endpoint, or a replay, of the number has taken. The seqs may come in any order.
func (tx *Tx) LogTaken(a kabar.AccountID, n kabar.NumberID, e kabar.EndpointID, all []Taken) error {
	all = slices.Clone(all)
	slices.SortFunc(all, func(x, y Taken) int { return cmp.Compare(x.Seq, y.Seq) })
	for len(all) > 0 {
		some := 1
		for some < len(all) && all[some].Seq-all[0].Seq < logSpan {
			some++
		}
		id, err := tx.NewKey()
		if err != nil {
			return err
		}
		tx.deliveryLog.fresh(deliveryLogRow{endpoint: int64(e), high: all[some-1].Seq, id: id, account: int64(a), number: int64(n), low: all[0].Seq,
			body: packTaken(all[:some])})
		all = all[some:]
	}
	return nil
}

// Taken returns what an endpoint of the number has taken of the events with a seq above after up to until, by seq. A seq may be there
// twice: an answer can be lost.
func (db *DB) Taken(ctx context.Context, n kabar.NumberID, e kabar.EndpointID, after, until int64) ([]Taken, error) {
	rows, err := readAll(ctx, db, deliveryLogs, "endpoint_id = $1 AND high > $2 AND high <= $3 AND low <= $4 AND number_id = $5 ORDER BY high, id", int64(e), after,
		until+logSpan, until, int64(n))
	if err != nil {
		return nil, err
	}
	var all []Taken
	for i := range rows {
		some, err := unpackTaken(rows[i].low, rows[i].body)
		if err != nil {
			return nil, err
		}
		for _, t := range some {
			if t.Seq > after && t.Seq <= until {
				all = append(all, t)
			}
		}
	}
	slices.SortStableFunc(all, func(x, y Taken) int { return cmp.Compare(x.Seq, y.Seq) })
	return all, nil
}

// LastTaken returns when an endpoint of the number began to take the newest events that it has taken; the zero time if it has taken none that
// is remembered.
func (db *DB) LastTaken(ctx context.Context, n kabar.NumberID, e kabar.EndpointID) (time.Time, error) {
	rows, err := readAll(ctx, db, deliveryLogs, "endpoint_id = $1 AND number_id = $2 ORDER BY high DESC, id DESC LIMIT 1", int64(e), int64(n))
	if err != nil || len(rows) == 0 {
		return time.Time{}, err
	}
	var last time.Time
	all, err := unpackTaken(rows[0].low, rows[0].body)
	for _, t := range all {
		if t.At.After(last) {
			last = t.At
		}
	}
	return last, err
}

// HighestTaken returns the highest seq of the events that an endpoint of the number has taken; 0 if it has taken none that is remembered.
func (db *DB) HighestTaken(ctx context.Context, n kabar.NumberID, e kabar.EndpointID) (int64, error) {
	seqs, err := list(ctx, db, scanID, highestQuery, int64(e), int64(n))
	if err != nil || len(seqs) == 0 {
		return 0, err
	}
	return seqs[0], nil
}

const highestQuery = "SELECT high FROM delivery_log WHERE endpoint_id = $1 AND number_id = $2 ORDER BY high DESC LIMIT 1"

// packTaken writes rows that are sorted by seq, each as differences to the one before: a few bytes an event.
func packTaken(all []Taken) []byte {
	b := make([]byte, 0, 16+8*len(all))
	seq, at := all[0].Seq, int64(0)
	for _, t := range all {
		b = binary.AppendUvarint(b, uint64(t.Seq-seq))
		b = binary.AppendVarint(b, millis(t.At)-at)
		b = binary.AppendUvarint(b, uint64(max(t.Took.Milliseconds(), 0)))
		b = binary.AppendUvarint(b, uint64(max(t.Status, 0)))
		b = binary.AppendUvarint(b, uint64(max(t.Failed, 0)))
		seq, at = t.Seq, millis(t.At)
	}
	return b
}

var errPacked = errors.New("a row of the log of deliveries is damaged")

func unpackTaken(low int64, b []byte) ([]Taken, error) {
	var all []Taken
	seq, at := low, int64(0)
	for len(b) > 0 {
		var v [5]int64
		for i := range v {
			n, size := int64(0), 0
			if i == 1 {
				n, size = binary.Varint(b)
			} else {
				var u uint64
				u, size = binary.Uvarint(b)
				n = int64(u)
			}
			if size <= 0 {
				return nil, errPacked
			}
			v[i], b = n, b[size:]
		}
		seq, at = seq+v[0], at+v[1]
		all = append(all, Taken{seq, instant(at), time.Duration(v[2]) * time.Millisecond, int(v[3]), int(v[4])})
	}
	return all, nil
}

// clearLog removes up to a thousand rows of the log of an endpoint or replay that end at until at the latest, and reports how many.
func (db *DB) clearLog(ctx context.Context, e kabar.EndpointID, until int64) (int, error) {
	keys, err := list(ctx, db, func(rs *sql.Rows) (k logKey, err error) {
		k.endpoint = int64(e)
		return k, rs.Scan(&k.high, &k.id)
	}, "SELECT high, id FROM delivery_log WHERE endpoint_id = $1 AND high <= $2 ORDER BY high, id LIMIT $3", int64(e), until, int64(chunk))
	return len(keys), db.dropAll(ctx, err, len(keys), func(tx *Tx) {
		for _, k := range keys {
			tx.deliveryLog.drop(k)
		}
	})
}

// dropAll commits the removal of what was listed.
func (db *DB) dropAll(ctx context.Context, err error, n int, drop func(*Tx)) error {
	if err != nil || n == 0 {
		return err
	}
	return db.Write(ctx, nil, func(tx *Tx) error { drop(tx); return nil })
}
