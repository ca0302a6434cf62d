package store

import (
	"context"
	"strings"
	"time"

	"kabar"
	"kabar/internal/secrets"
)

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

// Login is a session of a user: what a token names.
type Login struct {
	ID      string // random; the token's wa:rand
	Account kabar.AccountID
	Number  kabar.NumberID
	User    int64
	Expires time.Time
}

// Key is a key of the management API.
type Key struct {
	ID      string          // SHA-256 of the secret, hex
	Account kabar.AccountID // 0: all
	Number  kabar.NumberID  // 0: all of the account
	Scopes  []string
	Label   string
}

// AddUser stores a new user and sets its ID. A name that is taken is a StatementError.
func (tx *Tx) AddUser(u *User, now time.Time) error {
	id, err := tx.NewKey()
	if err != nil {
		return err
	}
	u.ID = id
	tx.users.fresh(userRow{id, int64(u.Account), int64(u.Number), u.Name, u.Role, u.Hash, flag(u.MustChange), millis(now)})
	return nil
}

// SetPassword changes a user's password.
func (tx *Tx) SetPassword(id int64, hash string, mustChange bool) error {
	row, err := tx.users.get(id)
	if err != nil {
		return err
	}
	if row == nil {
		return &NotFoundError{"user"}
	}
	row.hash, row.mustChange = hash, flag(mustChange)
	return tx.users.put(*row)
}

// User returns a user by name.
func (db *DB) User(ctx context.Context, name string) (*User, error) {
	r, err := readOne(ctx, db, users, "name = $1", name)
	if err != nil {
		return nil, notFound(err, "user")
	}
	return &User{r.id, kabar.AccountID(r.account), kabar.NumberID(r.number), r.name, r.role, r.hash, r.mustChange != 0}, nil
}

// AddLogin stores a session.
func (tx *Tx) AddLogin(l *Login) error {
	return tx.logins.put(loginRow{l.ID, int64(l.Account), int64(l.Number), l.User, millis(l.Expires)})
}

// RemoveLogin ends a session.
func (tx *Tx) RemoveLogin(id string) error { return tx.logins.del(id) }

// Login returns a session that has not ended, whether or not it has expired.
func (db *DB) Login(ctx context.Context, id string) (*Login, error) {
	r, err := readOne(ctx, db, logins, "id = $1", id)
	if err != nil {
		return nil, notFound(err, "session")
	}
	return &Login{r.id, kabar.AccountID(r.account), kabar.NumberID(r.number), r.user, instant(r.expires)}, nil
}

// AddKey stores a key.
func (tx *Tx) AddKey(k *Key, now time.Time) error {
	return tx.apiKeys.put(keyRow{k.ID, int64(k.Account), int64(k.Number), strings.Join(k.Scopes, " "), k.Label, millis(now)})
}

// Key returns a key by the hash of its secret.
func (db *DB) Key(ctx context.Context, id string) (*Key, error) {
	r, err := readOne(ctx, db, apiKeys, "id = $1", id)
	if err != nil {
		return nil, notFound(err, "key")
	}
	return &Key{r.id, kabar.AccountID(r.account), kabar.NumberID(r.number), strings.Fields(r.scopes), r.label}, nil
}

// Secret returns the server's secret of that name (a signing key, say); made is called when there is none yet, and what
// it returns is kept sealed for good.
func (db *DB) Secret(ctx context.Context, name string, made func() []byte) ([]byte, error) {
	place := "secret/" + name
	var out []byte
	err := db.Write(ctx, nil, func(tx *Tx) error {
		row, err := tx.meta.get(place)
		if err != nil {
			return err
		}
		if row != nil {
			out, err = db.master.Open(row.value, secrets.AAD("meta", place))
			return err
		}
		out = made()
		return tx.meta.put(metaRow{place, db.master.Seal(out, secrets.AAD("meta", place))})
	})
	if err != nil {
		return nil, err // out may still be written to when ctx has ended
	}
	return out, nil
}

// SetSecret replaces a secret.
func (tx *Tx) SetSecret(name string, value []byte) error {
	place := "secret/" + name
	return tx.meta.put(metaRow{place, tx.b.db.master.Seal(value, secrets.AAD("meta", place))})
}
