package store

import (
	"context"
	"fmt"
	"time"
)

// chunk is how many rows of a table are removed at once: a moment of the writer's time.
const chunk = 1000

// aging says which rows of a table are of no more use.
type aging[K comparable, R any] struct {
	t      *table[K, R]
	of     func(*Tx) *overlay[K, R]
	column string          // a time in milliseconds, with an index
	at     func(*R) *int64 // the column's field
}

// SweepLogins removes up to a thousand sessions that have expired at now, and reports how many. Sessions live in real time,
// whatever the product's clock shows.
func (db *DB) SweepLogins(ctx context.Context, now time.Time) (removed int, err error) {
	return agingLogins.sweep(ctx, db, now)
}

// Sweep removes what has outlived its time at now, by the product's clock: answers after the longest life that
// an account gives them (CollectAnswers takes those of the others), ids of the network after RefLife, uploads that have expired, contacts after ContactLife. It takes up to a thousand rows of each and reports how many have gone:
// repeat it until there are none.
func (db *DB) Sweep(ctx context.Context, now time.Time) (removed int, err error) {
	for _, sweep := range []func() (int, error){
		func() (int, error) { return agingAnswers.sweep(ctx, db, now.Add(-db.lives.longest())) },
		func() (int, error) { return agingRefs.sweep(ctx, db, now.Add(-RefLife)) },
		func() (int, error) { return agingUploads.sweep(ctx, db, now) },
		func() (int, error) { return agingContacts.sweep(ctx, db, now.Add(-ContactLife)) },
	} {
		n, err := sweep()
		removed += n
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}

var (
	agingAnswers = aging[requestKey, idempotencyRow]{idempotencies, func(tx *Tx) *overlay[requestKey, idempotencyRow] { return tx.answers },
		"at", func(r *idempotencyRow) *int64 { return &r.at }}
	agingRefs = aging[named, refRow]{refs, func(tx *Tx) *overlay[named, refRow] { return tx.refs },
		"at", func(r *refRow) *int64 { return &r.at }}
	agingLogins = aging[string, loginRow]{logins, func(tx *Tx) *overlay[string, loginRow] { return tx.logins },
		"expires", func(r *loginRow) *int64 { return &r.expires }}
	agingThrottles = aging[string, throttleRow]{throttles, func(tx *Tx) *overlay[string, throttleRow] { return tx.throttles },
		"ends", func(r *throttleRow) *int64 { return &r.ends }}
	agingContacts = aging[named, contactRow]{contacts, func(tx *Tx) *overlay[named, contactRow] { return tx.contacts },
		"at", func(r *contactRow) *int64 { return &r.at }}
	agingUploads = aging[named, uploadRow]{uploads, func(tx *Tx) *overlay[named, uploadRow] { return tx.uploads },
		"expires", func(r *uploadRow) *int64 { return &r.expires }}
)

// where finds the oldest rows.
func (a aging[K, R]) where() string { return a.column + " <= $1 ORDER BY " + a.column + " LIMIT $2" }

// sweep removes the oldest rows whose time is not after limit.
func (a aging[K, R]) sweep(ctx context.Context, db *DB, limit time.Time) (int, error) {
	rows, err := readAll(ctx, db, a.t, a.where(), millis(limit), int64(chunk))
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	hint := func(tx *Tx) {
		for i := range rows {
			a.of(tx).want(a.t.key(&rows[i]))
		}
	}
	err = db.Write(ctx, hint, func(tx *Tx) error {
		for i := range rows {
			if err := a.remove(tx, a.t.key(&rows[i]), millis(limit)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("sweep %s: %w", a.t.name, err)
	}
	return len(rows), nil
}

// remove takes a row away unless it has been renewed since it was read.
func (a aging[K, R]) remove(tx *Tx, k K, limit int64) error {
	row, err := a.of(tx).get(k)
	if err != nil || row == nil || *a.at(row) > limit {
		return err
	}
	return a.of(tx).del(k)
}
