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
	"strings"
	"time"

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
	Scopes  []string
	Label   string // for the list of keys
}

// AddKey stores a key that NewKey made, by its SHA-256 only. A key that is there already gets the new grant.
func (a *Auth) AddKey(ctx context.Context, key string, g Grant) error {
	if !isKey(key) {
		return fmt.Errorf("add key: not one of ours")
	}
	k := &store.Key{ID: keyID(key), Account: g.Account, Number: g.Number, Scopes: g.Scopes, Label: g.Label}
	if err := a.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.AddKey(k, a.now()) }); err != nil {
		return closed(err)
	}
	a.keys.drop(func(id string, _ Who) bool { return id == k.ID })
	return nil
}

func keyID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// key finds what a key may do.
func (a *Auth) key(ctx context.Context, key string) (Who, error) {
	if !isKey(key) {
		return Who{}, errUnauthorized()
	}
	id := keyID(key)
	w, ok, ticket := a.keys.get(id)
	if ok {
		return w, nil
	}
	k, err := a.db.Key(ctx, id)
	if isMissing(err) {
		return Who{}, errUnauthorized()
	}
	if err != nil {
		return Who{}, closed(err)
	}
	w = Who{Account: k.Account, Number: k.Number, Scopes: k.Scopes}
	w.Role = keyRole(w)
	a.keys.put(id, w, ticket, a.now().Add(time.Hour))
	return w, nil
}

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
