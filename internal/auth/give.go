package auth

import (
	"context"
	"slices"
	"time"

	"kabar"
	"kabar/internal/store"
)

// Wanted is a key that somebody asks for.
type Wanted struct {
	Account kabar.AccountID // 0: the asker's, which may be all
	Number  string          // digits; empty: the asker's, or all of the account
	Role    string          // or
	Scopes  []string
	Label   string
	Expires time.Time // zero: when the asker's own key ends
}

// Give makes a key on behalf of w, who has to have all that it may do: see Who.Covers. The key is told this once.
func (a *Auth) Give(ctx context.Context, w Who, wanted Wanted) (key string, k *store.Key, err error) {
	store.Note(ctx, func(*store.Audit) {}) // who tries to give more than they have is to be seen
	g := Grant{Account: wanted.Account, Number: w.Number, Role: wanted.Role, Scopes: wanted.Scopes, Label: wanted.Label, Expires: wanted.Expires}
	if g.Account == 0 {
		g.Account = w.Account
	}
	if g.Expires.IsZero() {
		g.Expires = w.Ends
	}
	if !g.Expires.IsZero() && !a.now().Before(g.Expires) {
		return "", nil, kabar.Refuse(kabar.ReasonInvalid, "expires", "lies in the past")
	}
	if len(g.Scopes) == 0 && g.Role == "" {
		return "", nil, kabar.Refuse(kabar.ReasonMissing, "role", "or scopes are required: what the key may do")
	}
	if wanted.Number != "" {
		if err := a.ofNumber(ctx, &g, wanted.Number); err != nil {
			return "", nil, err
		}
	}
	if err := a.knows(ctx, g.Account); err != nil {
		return "", nil, err
	}
	if err := g.Check(); err != nil {
		return "", nil, err
	}
	if err := w.Covers(g); err != nil {
		return "", nil, err
	}
	key = NewKey()
	if err := a.AddKey(ctx, key, g); err != nil {
		return "", nil, err
	}
	k, err = a.db.Key(ctx, KeyID(key))
	return key, k, store.Refusal(err)
}

// ofNumber binds a grant to a number, and to its account. A number of an account that the grant is not for is unknown.
func (a *Auth) ofNumber(ctx context.Context, g *Grant, digits string) error {
	all, err := a.db.Numbers(ctx)
	if err != nil {
		return store.Refusal(err)
	}
	for _, n := range all {
		if n.Digits == digits && (g.Account == 0 || g.Account == n.Account) {
			g.Account, g.Number = n.Account, n.ID
			return nil
		}
	}
	return kabar.Refuse(kabar.ReasonInvalid, "number", "there is no such number")
}

// knows refuses an account that there is not; 0 stands for all.
func (a *Auth) knows(ctx context.Context, id kabar.AccountID) error {
	all, err := a.db.Accounts(ctx)
	if err != nil {
		return store.Refusal(err)
	}
	if id == 0 || slices.ContainsFunc(all, func(one *kabar.Account) bool { return one.ID == id }) {
		return nil
	}
	return kabar.Refuse(kabar.ReasonInvalid, "account", "there is no such account")
}

// Given returns the keys that w may see, oldest first: those of the account, or of the number, that w is of.
func (a *Auth) Given(ctx context.Context, w Who) ([]*store.Key, error) {
	if err := a.NoteUses(ctx); err != nil { // so that the list is of now
		return nil, err
	}
	all, err := a.db.Keys(ctx, w.Account, w.Number)
	return all, store.Refusal(err)
}

// Take revokes a key on behalf of w, who could have given it. One that w may not see is unknown.
func (a *Auth) Take(ctx context.Context, w Who, id string) error {
	all, err := a.Given(ctx, w)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(k *store.Key) bool { return k.ID == id })
	if at < 0 {
		return kabar.Refuse(kabar.ReasonNotFound, "", "there is no such key")
	}
	k := all[at]
	store.Note(ctx, func(e *store.Audit) { e.Subject = "key/" + id[:shortKey] })
	w.Ends = time.Time{} // a key that ends may end one that does not
	if err := w.Covers(Grant{Account: k.Account, Number: k.Number, Role: k.Role, Scopes: k.Scopes}); err != nil {
		return err
	}
	return a.RevokeKey(ctx, id)
}
