package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"kabar"
)

type loginRow struct {
	id                             string
	account, number, user, expires int64
}

var logins = &table[string, loginRow]{
	shape:  shape{"login", cols("id:text"), cols("account_id:bigint number_id:bigint user_id:bigint expires:bigint")},
	key:    func(r *loginRow) string { return r.id },
	args:   one[string],
	fields: func(r *loginRow) []any { return []any{&r.id, &r.account, &r.number, &r.user, &r.expires} },
	order:  cmp.Compare[string],
}

// Login is a session of a user: what a token names.
type Login struct {
	ID      string // random; the token's wa:rand
	Account kabar.AccountID
	Number  kabar.NumberID
	User    int64
	Expires time.Time
}

// AddLogin stores a session. An ID that another one has is a StatementError.
func (tx *Tx) AddLogin(l *Login) error {
	return tx.logins.add(loginRow{l.ID, int64(l.Account), int64(l.Number), l.User, millis(l.Expires)})
}

// RemoveLogin ends a session.
func (tx *Tx) RemoveLogin(id string) error { return tx.logins.del(id) }

// loginsOfUser finds sessions by the index login_user.
const loginsOfUser = "SELECT id FROM login WHERE user_id = $1 AND number_id = $2 LIMIT $3"

// RemoveLogins ends up to a thousand stored sessions of a user of the number, and those that the batch has begun, and
// reports how many it has found. Repeat it, each time in an operation of its own, until it has found none.
func (tx *Tx) RemoveLogins(n kabar.NumberID, user int64) (found int, err error) {
	var ids []string
	for id, s := range tx.logins.rows {
		if s.row != nil && s.row.user == user && s.row.number == int64(n) {
			ids = append(ids, id)
		}
	}
	err = tx.b.query(loginsOfUser, []any{user, int64(n), int64(chunk)}, func(rs *sql.Rows) error {
		ids = append(ids, "")
		return rs.Scan(&ids[len(ids)-1])
	})
	if err != nil {
		return 0, err
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	for _, id := range ids {
		tx.logins.want(id)
	}
	if err := tx.logins.loadWanted(); err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := tx.logins.del(id); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// Login returns a session that has not ended, whether or not it has expired.
func (db *DB) Login(ctx context.Context, id string) (*Login, error) {
	r, err := readOne(ctx, db, logins, "id = $1", id)
	if err != nil {
		return nil, notFound(err, "session")
	}
	return &Login{r.id, kabar.AccountID(r.account), kabar.NumberID(r.number), r.user, instant(r.expires)}, nil
}
