package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"kabar"
	"kabar/internal/store"
)

// Credentials are what a login brings.
type Credentials struct {
	User, Password string
	NewPassword    string     // empty: keep the password
	From           netip.Addr // of the client; guesses are counted by it
}

// AddressOf returns the address a request comes from. Headers of proxies are not believed.
func AddressOf(r *http.Request) netip.Addr {
	a, _ := netip.ParseAddrPort(r.RemoteAddr) // the invalid address is one as well: they share the limit
	return a.Addr()
}

// Token is a token and its end.
type Token struct {
	Token   string
	Expires time.Time
}

// Login checks a name and a password and starts a session. A user who must change the password and brings no new one is
// refused with ReasonPasswordChange, a new one that is too weak with ReasonInvalid, a wrong name or password with
// ReasonUnauthorized, too many of them with ReasonTooMany.
func (a *Auth) Login(ctx context.Context, c Credentials) (Token, error) {
	name := a.throttleKey(c.User)
	if err := a.limiter.begin(ctx, name, c.From); err != nil {
		return Token{}, err
	}
	store.Note(ctx, func(e *store.Audit) { e.Actor, e.Subject = "user "+c.User, "user/"+c.User })
	u, err := a.verify(ctx, c)
	var refused *kabar.Error
	switch {
	case err == nil:
		if a.limiter.succeeded(name, c.From) {
			a.forgive(ctx, name)
		}
		store.Note(ctx, func(e *store.Audit) { e.Account = u.Account })
	case errors.As(err, &refused) && refused.Reason == kabar.ReasonUnauthorized:
		a.limiter.failed(name, c.From)
		a.remember(ctx, name, c.From)
		return Token{}, err
	default:
		a.limiter.abandoned(c.From)
		return Token{}, err
	}
	fresh, err := a.newHash(ctx, u, c)
	if err != nil {
		return Token{}, err
	}
	if fresh == "" {
		return a.start(ctx, u, "")
	}
	return a.replace(ctx, u, fresh)
}

// replace starts a session and stores the new hash. Of two logins that bring the same old password, one wins.
func (a *Auth) replace(ctx context.Context, u *store.User, fresh string) (Token, error) {
	a.change.Lock()
	defer a.change.Unlock()
	now, err := a.db.User(ctx, u.Name)
	if err != nil && !store.IsNotFound(err) {
		return Token{}, store.Refusal(err)
	}
	if err != nil || now.Hash != u.Hash {
		return Token{}, errUnauthorized()
	}
	return a.start(ctx, u, fresh)
}

// verify finds the user whose name and password are given. An unknown name costs as much as a known one.
func (a *Auth) verify(ctx context.Context, c Credentials) (*store.User, error) {
	u, err := a.db.User(ctx, c.User)
	if err != nil && !store.IsNotFound(err) {
		return nil, store.Refusal(err)
	}
	phc := a.unknown
	if u != nil {
		phc = u.Hash
	}
	ok, err := a.matches(ctx, c.Password, phc)
	if err != nil {
		return nil, err
	}
	if !ok || u == nil {
		return nil, errUnauthorized()
	}
	return u, nil
}

// newHash returns the hash to store with the login: of the new password, or of the old one at today's cost; "" for none.
func (a *Auth) newHash(ctx context.Context, u *store.User, c Credentials) (string, error) {
	switch {
	case c.NewPassword == "" && u.MustChange:
		return "", &kabar.Error{Reason: kabar.ReasonPasswordChange, Detail: "Password must be changed"}
	case c.NewPassword == "" && strings.HasPrefix(u.Hash, prefix()):
		return "", nil
	case c.NewPassword == "":
		return a.hash(ctx, c.Password)
	case c.NewPassword == c.Password && u.MustChange:
		return "", kabar.Refuse(kabar.ReasonInvalid, "", "Password doesn't meet complexity requirements: it must differ from the one it replaces")
	}
	if err := CheckPassword(c.NewPassword); err != nil {
		return "", err
	}
	return a.hash(ctx, c.NewPassword)
}

// Issue starts a session of a user without asking for the password: for the command that prints a token to whoever owns
// the machine.
func (a *Auth) Issue(ctx context.Context, user string) (Token, error) {
	u, err := a.db.User(ctx, user)
	if err != nil {
		return Token{}, fmt.Errorf("issue a token for %s: %w", user, err)
	}
	return a.start(ctx, u, "")
}

// start commits a session, and the user's new hash if there is one. Whoever has logged in with a password that has been
// changed meanwhile is refused.
func (a *Auth) start(ctx context.Context, u *store.User, hash string) (Token, error) {
	issued := a.now().UTC().Truncate(time.Second)
	l := &store.Login{ID: newSession(), Account: u.Account, Number: u.Number, User: u.ID, Expires: issued.Add(TokenLife)}
	token, err := a.sign(u.Name, l.ID, issued, l.Expires)
	if err != nil {
		return Token{}, err
	}
	err = a.db.Write(ctx, nil, func(tx *store.Tx) error {
		now, err := tx.User(u.Number, u.ID)
		if store.IsNotFound(err) || (err == nil && now.Hash != u.Hash) {
			return errUnauthorized()
		}
		if err != nil {
			return err
		}
		if hash != "" {
			if err := tx.SetPassword(u.Number, u.ID, hash, false); err != nil {
				return err
			}
		}
		return tx.AddLogin(l)
	})
	if err == nil {
		_, _ = a.db.SweepLogins(ctx, issued) // who comes takes out who has gone; the next one tries again
	}
	return Token{token, l.Expires}, store.Refusal(err)
}

// Logout ends the session of w, at once. Of a key there is none to end.
func (a *Auth) Logout(ctx context.Context, w Who) error {
	if w.session == "" {
		return kabar.Refuse(kabar.ReasonDenied, "", "an API key has no session to end: kabar key revoke ends the key")
	}
	if err := a.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.RemoveLogin(w.session) }); err != nil {
		return store.Refusal(err)
	}
	a.sessions.drop(func(id string, _ Who) bool { return id == w.session })
	return nil
}

// Forget drops what is remembered of a user's sessions. Whoever has removed the user or the sessions from the store calls
// it after the commit, so that they end at once and not a second later.
func (a *Auth) Forget(user int64) {
	a.sessions.drop(func(_ string, w Who) bool { return w.user == user })
}

// session finds who is behind a token.
func (a *Auth) session(ctx context.Context, token string) (Who, error) {
	c, err := a.parse(token)
	if err != nil || c.Session == "" {
		return Who{}, errUnauthorized()
	}
	w, ok, ticket := a.sessions.get(c.Session)
	if ok {
		return w, nil
	}
	l, err := a.db.Login(ctx, c.Session)
	var u *store.User
	if err == nil {
		u, err = a.db.User(ctx, c.User)
	}
	switch {
	case store.IsNotFound(err):
		return Who{}, errUnauthorized()
	case err != nil:
		return Who{}, store.Refusal(err)
	case u.ID != l.User || u.Number != l.Number || !a.now().Before(l.Expires):
		return Who{}, errUnauthorized()
	}
	w = Who{Account: u.Account, Number: u.Number, User: u.Name, Role: u.Role, user: u.ID, session: l.ID}
	a.sessions.put(l.ID, w, ticket, l.Expires)
	return w, nil
}
