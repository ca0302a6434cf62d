package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

type attemptKey struct{ endpoint, seq, n int64 }

type attemptRow struct {
	endpoint, seq, n, account, number, conversation, at, ms, status int64
	body                                                            []byte
}

var attempts = &table[attemptKey, attemptRow]{
	shape: shape{"attempt", cols("endpoint_id:bigint seq:bigint n:bigint"),
		cols("account_id:bigint number_id:bigint conversation_id:bigint at:bigint ms:bigint status:bigint body:bytea")},
	key:  func(r *attemptRow) attemptKey { return attemptKey{r.endpoint, r.seq, r.n} },
	args: func(k attemptKey) []any { return []any{k.endpoint, k.seq, k.n} },
	fields: func(r *attemptRow) []any {
		return []any{&r.endpoint, &r.seq, &r.n, &r.account, &r.number, &r.conversation, &r.at, &r.ms, &r.status, &r.body}
	},
	order: func(a, b attemptKey) int {
		return cmp.Or(cmp.Compare(a.endpoint, b.endpoint), cmp.Compare(a.seq, b.seq), cmp.Compare(a.n, b.n))
	},
}

// Attempt is a failed attempt to deliver an event.
type Attempt struct {
	N      int       // which it was, from 1
	At     time.Time // when it began
	Took   time.Duration
	Status int // of the answer; 0: there was none
	AttemptAnswer
	Broken error // why what it was answered cannot be read; nil: it was
}

// AttemptAnswer is what an attempt was answered; it lies sealed under the key of the event's conversation.
type AttemptAnswer struct {
	Error  string              `json:"error,omitempty"`  // why it counts as failed, in a sentence, without the address
	Header map[string][]string `json:"header,omitempty"` // of the answer
	Body   []byte              `json:"body,omitempty"`   // of the answer, its first 4 KiB
	Batch  int                 `json:"batch,omitempty"`  // events in the request; 0: this one alone
}

// keptAttempts is how many attempts of an event are kept in full: the first ones make room for later ones.
const keptAttempts = 20

// LogAttempt notes a failed attempt to deliver d's event. Of one whose customer has been erased meanwhile the answer is not kept.
func (tx *Tx) LogAttempt(d *Delivery, a *Attempt) error {
	row := attemptRow{endpoint: int64(d.Endpoint), seq: d.Seq, n: int64(a.N), account: int64(d.Account), number: int64(d.Number),
		conversation: int64(d.Conversation), at: millis(a.At), ms: a.Took.Milliseconds(), status: int64(a.Status)}
	plain, err := json.Marshal(a.AttemptAnswer)
	if err != nil {
		return fmt.Errorf("encode attempt: %w", err)
	}
	key, err := tx.keyOf(row.number, row.conversation)
	switch {
	case err == nil:
		row.body = key.Seal(plain, attemptAAD(&row))
	case !IsNotFound(err):
		return err
	}
	tx.attempts.set(row)
	if a.N > keptAttempts {
		tx.attempts.drop(attemptKey{row.endpoint, row.seq, row.n - keptAttempts})
	}
	return nil
}

func attemptAAD(r *attemptRow) []byte { return secrets.AAD("attempt", r.endpoint, r.seq, r.n) }

// Attempts returns the failed attempts to deliver an event to an endpoint, or in a replay, of the number, oldest first: the last 20. Of
// one that is Broken the rest is told.
func (db *DB) Attempts(ctx context.Context, n kabar.NumberID, e kabar.EndpointID, seq int64) ([]Attempt, error) {
	rows, err := readAll(ctx, db, attempts, "endpoint_id = $1 AND seq = $2 AND number_id = $3 ORDER BY n", int64(e), seq, int64(n))
	if err != nil {
		return nil, err
	}
	all := make([]Attempt, len(rows))
	for i, r := range rows {
		all[i] = Attempt{N: int(r.n), At: instant(r.at), Took: time.Duration(r.ms) * time.Millisecond, Status: int(r.status)}
		switch all[i].AttemptAnswer, err = db.openAttempt(ctx, &r); {
		case IsOutage(err):
			return nil, err
		case err != nil:
			all[i].Broken = err
		}
	}
	return all, nil
}

// openAttempt reads what an attempt was answered. Of a customer who has been erased nothing is kept.
func (db *DB) openAttempt(ctx context.Context, r *attemptRow) (a AttemptAnswer, err error) {
	if len(r.body) == 0 {
		return a, nil
	}
	key, err := db.keyOf(ctx, r.number, r.conversation)
	if IsNotFound(err) {
		return a, nil
	}
	if err != nil {
		return a, err
	}
	plain, err := key.Open(r.body, attemptAAD(r))
	if err != nil {
		return a, fmt.Errorf("unseal attempt: %w", err)
	}
	if err := json.Unmarshal(plain, &a); err != nil {
		return AttemptAnswer{}, fmt.Errorf("decode attempt: %w", err)
	}
	return a, nil
}

// attemptKeys returns the keys of up to a thousand attempts of an endpoint or replay with a seq above after up to until.
func (db *DB) attemptKeys(ctx context.Context, e kabar.EndpointID, after, until int64) ([]attemptKey, error) {
	return list(ctx, db, func(rs *sql.Rows) (k attemptKey, err error) {
		k.endpoint = int64(e)
		return k, rs.Scan(&k.seq, &k.n)
	}, "SELECT seq, n FROM attempt WHERE endpoint_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq, n LIMIT $4", int64(e), after, until, int64(chunk))
}

func (db *DB) clearAttempts(ctx context.Context, e kabar.EndpointID, until int64) (int, error) {
	keys, err := db.attemptKeys(ctx, e, 0, until)
	return len(keys), db.dropAll(ctx, err, len(keys), func(tx *Tx) {
		for _, k := range keys {
			tx.attempts.drop(k)
		}
	})
}

// ClearReader removes what is remembered of the deliveries of an endpoint that was removed, or a replay that has ended: rows, attempts
// and log, up to a thousand a commit. It may be repeated.
func (db *DB) ClearReader(ctx context.Context, e kabar.EndpointID) error {
	return db.clear(ctx, e, math.MaxInt64-logSpan, db.clearDeliveries, db.clearAttempts, db.clearLog, db.clearExpired)
}

// clear removes rows of an endpoint or replay up to a seq, of each kind until there are none.
func (db *DB) clear(ctx context.Context, e kabar.EndpointID, until int64, kinds ...func(context.Context, kabar.EndpointID, int64) (int, error)) error {
	for _, some := range kinds {
		for {
			n, err := some(ctx, e, until)
			if err != nil {
				return err
			}
			if n < chunk {
				break
			}
		}
	}
	return nil
}

// DropDeliveries forgets what has failed at an endpoint and what is parked there: nothing of it is tried again.
func (db *DB) DropDeliveries(ctx context.Context, e kabar.EndpointID) error {
	return db.clear(ctx, e, math.MaxInt64, db.clearDeliveries)
}

func (db *DB) clearDeliveries(ctx context.Context, e kabar.EndpointID, until int64) (int, error) {
	seqs, err := list(ctx, db, scanID, "SELECT seq FROM delivery WHERE endpoint_id = $1 AND seq <= $2 ORDER BY seq LIMIT $3", int64(e), until, int64(chunk))
	return len(seqs), db.dropAll(ctx, err, len(seqs), func(tx *Tx) {
		for _, seq := range seqs {
			tx.deliveries.drop(spot{int64(e), seq})
		}
	})
}
