package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"kabar"
)

// reachRow says how many rows of reached count.
type reachRow struct{ account, customers int64 }

var reaches = &table[int64, reachRow]{
	shape:  shape{"reach", cols("account_id:bigint"), cols("customers:bigint")},
	key:    func(r *reachRow) int64 { return r.account },
	args:   one[int64],
	fields: func(r *reachRow) []any { return []any{&r.account, &r.customers} },
	order:  byID[int64],
}

type reachedRow struct {
	account             int64
	handle              string
	number, at, counted int64
	delivered           int64
}

var reacheds = &table[customerKey, reachedRow]{
	shape: shape{"reached", cols("account_id:bigint handle:text"), cols("number_id:bigint at:bigint counted:bigint delivered:bigint")},
	key:   func(r *reachedRow) customerKey { return customerKey{r.account, r.handle} },
	args:  consents.args,
	fields: func(r *reachedRow) []any {
		return []any{&r.account, &r.handle, &r.number, &r.at, &r.counted, &r.delivered}
	},
	order: consents.order,
}

// WantReach announces that it will be asked whether an account may reach a customer.
func (tx *Tx) WantReach(a kabar.AccountID, handle string) {
	tx.reaches.want(int64(a))
	tx.reached.want(customerKey{int64(a), handle})
}

// Reach returns how many customers count against an account's tier, as of the last Unreach, and whether one of them is this one.
func (tx *Tx) Reach(a kabar.AccountID, handle string) (customers int, counts bool, err error) {
	count, err := tx.reaches.see(int64(a))
	if err != nil {
		return 0, false, err
	}
	if count != nil {
		customers = int(count.customers)
	}
	row, err := tx.reached.see(customerKey{int64(a), handle})
	return customers, row != nil && row.counted != 0, err
}

// AddReach notes that a number reaches a customer outside the window at now.
func (tx *Tx) AddReach(n *kabar.Number, handle string, now time.Time) error {
	row, err := tx.reached.get(customerKey{int64(n.Account), handle})
	if err != nil {
		return err
	}
	if row == nil {
		row = &reachedRow{account: int64(n.Account), handle: handle}
	}
	if row.counted == 0 {
		if err := tx.countReach(row.account, 1); err != nil {
			return err
		}
	}
	row.number, row.at, row.counted = int64(n.ID), max(row.at, millis(now)), 1
	return tx.reached.put(*row)
}

// ReachDelivered notes that a message that was accepted at a time has been delivered to a customer at now, if it can be the one that
// has reached them: one within the window is accepted later.
func (tx *Tx) ReachDelivered(a kabar.AccountID, handle string, accepted, now time.Time) error {
	row, err := tx.reached.get(customerKey{int64(a), handle})
	if err != nil || row == nil || row.at < millis(accepted) {
		return err
	}
	row.delivered = max(row.delivered, millis(now))
	return tx.reached.put(*row)
}

// countReach adds to how many customers of an account count.
func (tx *Tx) countReach(account, more int64) error {
	count, err := tx.reaches.get(account)
	if err != nil {
		return err
	}
	if count == nil {
		count = &reachRow{account: account}
	}
	count.customers += more
	return tx.reaches.put(*count)
}

// Reached returns how many customers count against an account's tier, as of the last Unreach.
func (db *DB) Reached(ctx context.Context, a kabar.AccountID) (int, error) {
	row, err := readKey(ctx, db, reaches, db.kept.reaches, int64(a))
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return int(row.customers), nil
}

// ReachedSince counts the customers whom an account has reached after a time, no further than up to most.
func (db *DB) ReachedSince(ctx context.Context, a kabar.AccountID, since time.Time, most int) (int, error) {
	return db.countReached(ctx, a, since, "", most)
}

// DeliveredSince counts those of them to whom a message was delivered after that time, too.
func (db *DB) DeliveredSince(ctx context.Context, a kabar.AccountID, since time.Time, most int) (int, error) {
	return db.countReached(ctx, a, since, " AND delivered > $2", most)
}

func (db *DB) countReached(ctx context.Context, a kabar.AccountID, since time.Time, also string, most int) (int, error) {
	all, err := list(ctx, db, func(rs *sql.Rows) (n int, err error) { return n, rs.Scan(&n) },
		"SELECT COUNT(*) FROM (SELECT 1 FROM reached WHERE account_id = $1 AND counted IN (0, 1) AND at > $2"+also+" LIMIT $3) AS few",
		int64(a), millis(since), int64(most))
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return all[0], nil
}

const reachedUntil = "account_id = $1 AND counted = $2 AND at <= $3 ORDER BY at LIMIT $4"

// Unreach has customers count no longer whom an account has reached up to a time, and forgets those whom it has reached up to another:
// up to a thousand at a time. It reports whether there may be more.
func (db *DB) Unreach(ctx context.Context, a kabar.AccountID, uncounted, forgotten time.Time) (more bool, err error) {
	for _, step := range []struct {
		counted int64
		until   time.Time
		do      func(*Tx, *reachedRow) error
	}{{1, uncounted, (*Tx).uncount}, {0, forgotten, func(tx *Tx, r *reachedRow) error { return tx.reached.del(reacheds.key(r)) }}} {
		rows, err := readAll(ctx, db, reacheds, reachedUntil, int64(a), step.counted, millis(step.until), int64(chunk))
		if err != nil {
			return false, err
		}
		if len(rows) == 0 {
			continue
		}
		more = more || len(rows) == chunk
		err = db.Write(ctx, func(tx *Tx) {
			for i := range rows {
				tx.WantReach(a, rows[i].handle)
			}
		}, func(tx *Tx) error {
			for i := range rows {
				row, err := tx.reached.get(reacheds.key(&rows[i]))
				if err != nil {
					return err
				}
				if row == nil || row.counted != step.counted || row.at > millis(step.until) {
					continue // reached again since it was read
				}
				if err := step.do(tx, row); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return false, fmt.Errorf("forget who was reached: %w", err)
		}
	}
	return more, nil
}

// uncount has a customer count no longer.
func (tx *Tx) uncount(row *reachedRow) error {
	if err := tx.countReach(row.account, -1); err != nil {
		return err
	}
	row.counted = 0
	return tx.reached.put(*row)
}

// Reaching returns the accounts that have reached customers.
func (db *DB) Reaching(ctx context.Context) ([]kabar.AccountID, error) {
	rows, err := readAll(ctx, db, reaches, "account_id > 0 ORDER BY account_id")
	all := make([]kabar.AccountID, len(rows))
	for i := range rows {
		all[i] = kabar.AccountID(rows[i].account)
	}
	return all, err
}

const countedCustomers = "SELECT handle FROM reached WHERE account_id = $1 AND handle > $2 AND counted = 1 ORDER BY handle LIMIT $3"

// CountedCustomers returns up to limit customers who count against the account's tier, as of the last Unreach, in the order of their
// handles, behind the one given.
func (db *DB) CountedCustomers(ctx context.Context, a kabar.AccountID, after string, limit int) ([]string, error) {
	return list(ctx, db, func(rs *sql.Rows) (handle string, err error) { return handle, rs.Scan(&handle) }, countedCustomers, int64(a), after, int64(limit))
}
