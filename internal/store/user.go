package store

import (
	"context"
	"time"

	"kabar"
)

type userRow struct {
	id, account, number int64
	name, role, hash    string
	mustChange, created int64
}

var users = &table[int64, userRow]{
	shape: shape{"api_user", cols("id:bigint"),
		cols("account_id:bigint number_id:bigint name:text role:text hash:text must_change:bigint created:bigint")},
	key:  func(r *userRow) int64 { return r.id },
	args: one[int64],
	fields: func(r *userRow) []any {
		return []any{&r.id, &r.account, &r.number, &r.name, &r.role, &r.hash, &r.mustChange, &r.created}
	},
	order: byID[int64],
}

// User is somebody who may use the /v1 API of one number.
type User struct {
	ID         int64
	Account    kabar.AccountID
	Number     kabar.NumberID
	Name       string // unique on the server
	Role       string
	Hash       string // of the password, in PHC form
	MustChange bool   // the next login must bring a new password
}

// AddUser stores a new user and sets its ID. A name that is taken is a StatementError.
func (tx *Tx) AddUser(u *User, now time.Time) error {
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	u.ID = id
	tx.about(int64(u.Account), "user/"+u.Name)
	tx.users.fresh(userRow{id, int64(u.Account), int64(u.Number), u.Name, u.Role, u.Hash, flag(u.MustChange), millis(now)})
	return nil
}

// User returns a user of the number.
func (tx *Tx) User(n kabar.NumberID, id int64) (*User, error) {
	row, err := tx.user(n, id)
	if err != nil {
		return nil, err
	}
	return row.open(), nil
}

func (tx *Tx) user(n kabar.NumberID, id int64) (*userRow, error) {
	row, err := tx.users.get(id)
	if err != nil {
		return nil, err
	}
	if row == nil || row.number != int64(n) {
		return nil, &NotFoundError{"user"}
	}
	return row, nil
}

func (r *userRow) open() *User {
	return &User{r.id, kabar.AccountID(r.account), kabar.NumberID(r.number), r.name, r.role, r.hash, r.mustChange != 0}
}

// SetPassword changes the password of a user of the number. Sessions stay; RemoveLogins ends them.
func (tx *Tx) SetPassword(n kabar.NumberID, id int64, hash string, mustChange bool) error {
	row, err := tx.user(n, id)
	if err != nil {
		return err
	}
	tx.about(row.account, "user/"+row.name)
	row.hash, row.mustChange = hash, flag(mustChange)
	return tx.users.put(*row)
}

// User returns a user by name.
func (db *DB) User(ctx context.Context, name string) (*User, error) {
	r, err := readOne(ctx, db, users, "name = $1", name)
	if err != nil {
		return nil, notFound(err, "user")
	}
	return r.open(), nil
}

// Users returns every user of the server, by number and name.
func (db *DB) Users(ctx context.Context) ([]*User, error) {
	rows, err := readAll(ctx, db, users, "id > 0 ORDER BY number_id, name")
	if err != nil {
		return nil, err
	}
	all := make([]*User, len(rows))
	for i := range rows {
		all[i] = rows[i].open()
	}
	return all, nil
}
