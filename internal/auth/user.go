package auth

import (
	"context"
	"errors"
	"fmt"

	"kabar"
	"kabar/internal/store"
)

// NewUser describes a user of the /v1 API that is to be added.
type NewUser struct {
	Number     *kabar.Number
	Name       string // 1 to 128 bytes, without a colon; unique on the server
	Password   string
	Role       string // RoleAdmin or RoleUser
	MustChange bool   // the first login must bring a new password
}

const maxName = 128

// AddUser stores a user. A name that is taken is refused with ReasonExists, a weak password with ReasonInvalid.
func (a *Auth) AddUser(ctx context.Context, n NewUser) error {
	if err := checkName(n.Name); err != nil {
		return err
	}
	if err := CheckPassword(n.Password); err != nil {
		return err
	}
	if n.Role != RoleAdmin && n.Role != RoleUser {
		return fmt.Errorf("add user: %q is not a role", n.Role)
	}
	if _, err := a.db.User(ctx, n.Name); !isMissing(err) {
		if err != nil {
			return closed(err)
		}
		return taken(n.Name)
	}
	phc, err := a.hash(ctx, n.Password)
	if err != nil {
		return err
	}
	u := &store.User{Account: n.Number.Account, Number: n.Number.ID, Name: n.Name, Role: n.Role, Hash: phc, MustChange: n.MustChange}
	err = a.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.AddUser(u, a.now()) })
	if _, ok := errors.AsType[*store.StatementError](err); ok {
		if _, again := a.db.User(ctx, n.Name); again == nil { // somebody was faster
			return taken(n.Name)
		}
	}
	return closed(err)
}

// SetPassword changes a user's password on behalf of somebody else, and ends the user's sessions. With mustChange the next
// login must bring another one.
func (a *Auth) SetPassword(ctx context.Context, name, password string, mustChange bool) error {
	if err := CheckPassword(password); err != nil {
		return err
	}
	u, err := a.db.User(ctx, name)
	if isMissing(err) {
		return kabar.Refuse(kabar.ReasonNotFound, "", "there is no user %q", name)
	}
	if err != nil {
		return closed(err)
	}
	phc, err := a.hash(ctx, password)
	if err != nil {
		return err
	}
	a.change.Lock()
	defer a.change.Unlock()
	defer a.Forget(u.ID)
	for found := 1; found > 0; { // a round for the password and the first sessions, and more if there are many
		err := a.db.Write(ctx, nil, func(tx *store.Tx) (err error) {
			if err = tx.SetPassword(u.Number, u.ID, phc, mustChange); err == nil {
				found, err = tx.RemoveLogins(u.Number, u.ID)
			}
			return err
		})
		if err != nil {
			return closed(err)
		}
	}
	return nil
}

// checkName refuses names that Basic authentication cannot carry (RFC 7617: no colon, no control characters).
func checkName(name string) error {
	if name == "" || len(name) > maxName {
		return kabar.Refuse(kabar.ReasonInvalid, "username", "must have 1 to %d bytes", maxName)
	}
	for _, r := range name {
		if r == ':' || r < ' ' || r == 0x7f || r == '\ufffd' {
			return kabar.Refuse(kabar.ReasonInvalid, "username", "must have no colon and no control characters")
		}
	}
	return nil
}

func taken(name string) error {
	return kabar.Refuse(kabar.ReasonExists, "username", "there is a user %q already", name)
}
