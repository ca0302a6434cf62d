package store

import (
	"context"
	"database/sql"
	"time"

	"kabar"
)

// What the operator lists and removes. No request of an API reaches these: they ask for no owner.

// Accounts returns every account of the server, oldest first.
func (db *DB) Accounts(ctx context.Context) ([]*kabar.Account, error) {
	rows, err := readAll(ctx, db, accounts, "id > 0 ORDER BY id")
	if err != nil {
		return nil, err
	}
	all := make([]*kabar.Account, len(rows))
	for i, r := range rows {
		all[i] = openAccount(&r)
	}
	return all, nil
}

// LastEnds returns when the longest session of each user ends, by User.ID. A user without a stored session has no entry:
// none was begun, or all were ended or have expired.
func (db *DB) LastEnds(ctx context.Context) (map[int64]time.Time, error) {
	type end struct{ user, expires int64 }
	all, err := list(ctx, db, func(rs *sql.Rows) (e end, err error) {
		err = rs.Scan(&e.user, &e.expires)
		return e, err
	}, "SELECT user_id, MAX(expires) FROM login GROUP BY user_id")
	if err != nil {
		return nil, err
	}
	ends := make(map[int64]time.Time, len(all))
	for _, e := range all {
		ends[e.user] = instant(e.expires)
	}
	return ends, nil
}

// RemoveUser removes a user of the number. Sessions stay, and lead nowhere; RemoveLogins takes them away.
func (tx *Tx) RemoveUser(n kabar.NumberID, id int64) error {
	row, err := tx.user(n, id)
	if err != nil {
		return err
	}
	tx.about(row.account, "user/"+row.name)
	return tx.users.del(id)
}
