package store

import (
	"cmp"
	"context"
	"time"
)

type throttleRow struct {
	name               string
	failures, at, ends int64
}

var throttles = &table[string, throttleRow]{
	shape:  shape{"throttle", cols("name:text"), cols("failures:bigint at:bigint ends:bigint")},
	key:    func(r *throttleRow) string { return r.name },
	args:   one[string],
	fields: func(r *throttleRow) []any { return []any{&r.name, &r.failures, &r.at, &r.ends} },
	order:  cmp.Compare[string],
}

// Throttle is how often somebody's sign-ins have failed lately.
type Throttle struct {
	Name     string // of whom; what it stands for is the caller's
	Failures int
	Last     time.Time
	Ends     time.Time // when the failures are forgiven
}

// SetThrottle stores how often somebody's sign-ins have failed, in the place of what was stored.
func (tx *Tx) SetThrottle(t Throttle) {
	tx.throttles.set(throttleRow{t.Name, int64(t.Failures), millis(t.Last), millis(t.Ends)})
}

// RemoveThrottle forgives somebody at once.
func (tx *Tx) RemoveThrottle(name string) { tx.throttles.drop(name) }

const throttlesNow = "ends > $1 ORDER BY ends DESC LIMIT $2"

// Throttles returns up to limit of those whose failures count at now, the ones that count longest first.
func (db *DB) Throttles(ctx context.Context, now time.Time, limit int) ([]Throttle, error) {
	rows, err := readAll(ctx, db, throttles, throttlesNow, millis(now), int64(limit))
	all := make([]Throttle, len(rows))
	for i, r := range rows {
		all[i] = Throttle{r.name, int(r.failures), instant(r.at), instant(r.ends)}
	}
	return all, err
}

// SweepThrottles removes up to a thousand of those whose failures count no more at now, in real time, and reports how many.
func (db *DB) SweepThrottles(ctx context.Context, now time.Time) (removed int, err error) {
	return agingThrottles.sweep(ctx, db, now)
}
