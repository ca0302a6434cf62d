package auth

import (
	"context"
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

// AddUser stores a user. A name that is taken is refused with ReasonUserExists, a weak password with ReasonInvalid.
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
	if err := a.free(ctx, n.Name); err != nil {
		return err
	}
	phc, err := a.hash(ctx, n.Password) // it takes its time
	if err != nil {
		return err
	}
	a.change.Lock()
	defer a.change.Unlock()
	if err := a.free(ctx, n.Name); err != nil { // somebody was faster
		return err
	}
	u := &store.User{Account: n.Number.Account, Number: n.Number.ID, Name: n.Name, Role: n.Role, Hash: phc, MustChange: n.MustChange}
	return store.Refusal(a.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.AddUser(u, a.now()) }))
}

// free refuses a name that is taken.
func (a *Auth) free(ctx context.Context, name string) error {
	_, err := a.db.User(ctx, name)
	switch {
	case store.IsNotFound(err):
		return nil
	case err != nil:
		return store.Refusal(err)
	}
	return taken(name)
}

// SetPassword changes a user's password on behalf of somebody else, and ends the user's sessions. With mustChange the next
// login must bring another one.
func (a *Auth) SetPassword(ctx context.Context, name, password string, mustChange bool) error {
	if err := CheckPassword(password); err != nil {
		return err
	}
	u, err := a.find(ctx, name)
	if err != nil {
		return err
	}
	phc, err := a.hash(ctx, password)
	if err != nil {
		return err
	}
	a.change.Lock()
	defer a.change.Unlock()
	return a.shutOut(ctx, u, func(tx *store.Tx) error { return tx.SetPassword(u.Number, u.ID, phc, mustChange) })
}

// ChangePassword changes the user's own password on behalf of w, who keeps every session.
func (a *Auth) ChangePassword(ctx context.Context, w Who, password string) error {
	if err := CheckPassword(password); err != nil {
		return err
	}
	phc, err := a.hash(ctx, password)
	if err != nil {
		return err
	}
	a.change.Lock()
	defer a.change.Unlock()
	err = a.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.SetPassword(w.Number, w.user, phc, false) })
	if store.IsNotFound(err) { // removed a moment ago, or an API key
		return kabar.Refuse(kabar.ReasonNotFound, "", "there is no user %q", w.User)
	}
	return store.Refusal(err)
}

// UserOf returns the role of a user of the number. One of another number is as unknown as one that nobody has added:
// ReasonNotFound.
func (a *Auth) UserOf(ctx context.Context, n kabar.NumberID, name string) (role string, err error) {
	u, err := a.find(ctx, name)
	if err != nil {
		return "", err
	}
	if u.Number != n {
		return "", kabar.Refuse(kabar.ReasonNotFound, "", "there is no user %q", name)
	}
	return u.Role, nil
}

// RemoveUser removes a user and ends the user's sessions. The last administrator of a number is refused with ReasonDenied
// unless force is set.
func (a *Auth) RemoveUser(ctx context.Context, name string, force bool) error {
	a.change.Lock()
	defer a.change.Unlock()
	u, err := a.find(ctx, name)
	if err != nil {
		return err
	}
	if u.Role == RoleAdmin && !force {
		if err := a.checkOthers(ctx, u); err != nil {
			return err
		}
	}
	return a.shutOut(ctx, u, func(tx *store.Tx) error {
		err := tx.RemoveUser(u.Number, u.ID)
		if store.IsNotFound(err) { // removed in the round before
			return nil
		}
		return err
	})
}

// checkOthers refuses when u is the only administrator of the number.
func (a *Auth) checkOthers(ctx context.Context, u *store.User) error {
	all, err := a.db.Users(ctx)
	if err != nil {
		return store.Refusal(err)
	}
	for _, other := range all {
		if other.Number == u.Number && other.Role == RoleAdmin && other.ID != u.ID {
			return nil
		}
	}
	return kabar.Refuse(kabar.ReasonDenied, "", "%q is the last administrator of its number", u.Name)
}

// find returns a user by name; one that is unknown is refused with ReasonNotFound.
func (a *Auth) find(ctx context.Context, name string) (*store.User, error) {
	u, err := a.db.User(ctx, name)
	if store.IsNotFound(err) {
		return nil, kabar.Refuse(kabar.ReasonNotFound, "", "there is no user %q", name)
	}
	return u, store.Refusal(err)
}

// shutOut commits a change of a user together with the end of the user's sessions: a round for the change and the first
// sessions, and more if there are many. change is called in each round.
func (a *Auth) shutOut(ctx context.Context, u *store.User, change func(*store.Tx) error) error {
	defer a.Forget(u.ID)
	for found := 1; found > 0; {
		err := a.db.Write(ctx, nil, func(tx *store.Tx) (err error) {
			if err = change(tx); err == nil {
				found, err = tx.RemoveLogins(u.Number, u.ID)
			}
			return err
		})
		if err != nil {
			return store.Refusal(err)
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
	return kabar.Refuse(kabar.ReasonUserExists, "username", "there is a user %q already", name)
}
