package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"time"
	"unicode"

	"kabar"
	"kabar/internal/store"
)

// The form of a key: prefix, 26 characters of random (130 bits), 7 of checksum, all of A-Z and 2-7. Prefix and checksum let
// a scanner of secrets recognise it, and spare the store a look at what is none.
const (
	keyPrefix = "kbr_"
	keyRandom = 26
	keyLen    = len(keyPrefix) + keyRandom + 7
)

// NewKey makes an API key.
func NewKey() string {
	random := rand.Text()[:keyRandom]
	return keyPrefix + random + checksum(random)
}

func checksum(random string) string {
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], crc32.ChecksumIEEE([]byte(random)))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])
}

// isKey reports whether s has the form of a key.
func isKey(s string) bool {
	if len(s) != keyLen || !strings.HasPrefix(s, keyPrefix) {
		return false
	}
	random := s[len(keyPrefix) : len(keyPrefix)+keyRandom]
	return s == keyPrefix+random+checksum(random)
}

// Grant says what a key may do.
type Grant struct {
	Account kabar.AccountID // 0: all
	Number  kabar.NumberID  // 0: all of the account, and none of the /v1 API
	Role    string          // one of Roles; empty: Scopes
	Scopes  []string
	Label   string    // for the list of keys
	Expires time.Time // from then on the key is none; zero: never
}

// AddKey stores a key that NewKey made, by its SHA-256 and its first characters only. A key that is there already gets the
// new grant; one that was revoked stays so. An unknown scope is refused with ReasonInvalid.
func (a *Auth) AddKey(ctx context.Context, key string, g Grant) error {
	if !isKey(key) {
		return fmt.Errorf("add key: not one of ours")
	}
	if err := g.Check(); err != nil {
		return err
	}
	k := &store.Key{ID: KeyID(key), Account: g.Account, Number: g.Number, Role: g.Role, Scopes: g.Scopes, Label: g.Label, Hint: key[:hintLen], Expires: g.Expires}
	if err := a.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.AddKey(k, a.now()) }); err != nil {
		return store.Refusal(err)
	}
	a.dropKey(k.ID)
	return nil
}

// hintLen is how much of a key lies open, so that its owner recognises it in a list: the prefix and 20 of 130 random bits.
const hintLen = len(keyPrefix) + 4

const maxLabel = 128

// Check refuses, with ReasonInvalid, a grant that no key can have.
func (g *Grant) Check() error {
	if g.Role != "" {
		if _, err := RoleNamed(g.Role); err != nil {
			return err
		}
		if len(g.Scopes) > 0 {
			return kabar.Refuse(kabar.ReasonInvalid, "scopes", "a key has a role or scopes, not both")
		}
	}
	for _, s := range g.Scopes {
		if !slices.Contains(AllScopes(), s) {
			return kabar.Refuse(kabar.ReasonInvalid, "scopes", "%q is unknown; there are %s", s, strings.Join(AllScopes(), ", "))
		}
	}
	if len(g.Label) > maxLabel || strings.ContainsFunc(g.Label, unicode.IsControl) {
		return kabar.Refuse(kabar.ReasonInvalid, "label", "must have at most %d bytes and no control characters", maxLabel)
	}
	return nil
}

// RevokeKey ends a key, at once in this process and within a second in any other. One that is unknown is refused with
// ReasonNotFound, one that is revoked already stays so.
func (a *Auth) RevokeKey(ctx context.Context, id string) error {
	err := a.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.RevokeKey(id, a.now()) })
	if store.IsNotFound(err) {
		return kabar.Refuse(kabar.ReasonNotFound, "", "there is no key %q", id)
	}
	if err != nil {
		return store.Refusal(err)
	}
	a.dropKey(id)
	return nil
}

func (a *Auth) dropKey(id string) { a.keys.drop(func(known string, _ Who) bool { return known == id }) }

// KeyID returns the id that a key has in the store: the SHA-256 of all of it, in hexadecimal digits.
func KeyID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// key finds what a key may do.
func (a *Auth) key(ctx context.Context, key string) (Who, error) {
	if !isKey(key) {
		return Who{}, errUnauthorized()
	}
	id := KeyID(key)
	w, ok, ticket := a.keys.get(id)
	if ok {
		return w, nil
	}
	k, err := a.db.Key(ctx, id)
	if store.IsNotFound(err) { // or revoked
		return Who{}, errUnauthorized()
	}
	if err != nil {
		return Who{}, store.Refusal(err)
	}
	now := a.now()
	end := k.Expires
	if end.IsZero() {
		end = now.Add(time.Hour) // longer than the cache's life is as good as forever
	}
	if !now.Before(end) {
		return Who{}, &expiredError{errUnauthorized(), end}
	}
	a.uses.note(k, now)
	w = Who{Account: k.Account, Number: k.Number, Team: k.Role, Scopes: scopesOf(k.Role, k.Scopes), Key: k.ID, Since: k.Created, Ends: k.Expires}
	w.Role = keyRole(w)
	a.keys.put(id, w, ticket, end)
	return w, nil
}

// expiredError refuses a key that has ended as any other that is none; the Graph API tells its owner.
type expiredError struct {
	error
	at time.Time
}

func (e *expiredError) Unwrap() error { return e.error }

// keyRole returns what a key is to the /v1 API: nothing unless it belongs to one number.
func keyRole(w Who) string {
	switch {
	case w.Number == 0:
		return ""
	case w.May(ScopeAdmin):
		return RoleAdmin
	case w.May(ScopeMessages):
		return RoleUser
	}
	return ""
}
