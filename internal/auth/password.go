package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"kabar"
)

// The cost of a hash: OWASP's recommendation for argon2id.
const (
	hashMemory  = 19 << 10 // KiB
	hashTime    = 2
	hashThreads = 1
	hashLen     = 32
	saltLen     = 16
)

// maxHashes is how many passwords are hashed at a time: it bounds the memory that logins can take.
const maxHashes = 4

// MaxPassword is the longest password, in characters; MinPassword the shortest.
const (
	MinPassword = 8
	MaxPassword = 64
)

// CheckPassword checks a new password against the policy of the contract: 8 to 64 characters, among them a digit, an upper
// and a lower case letter and a special character. The error is a *kabar.Error with ReasonInvalid.
func CheckPassword(p string) error {
	n := utf8.RuneCountInString(p)
	lacks := func(is func(rune) bool) bool { return !strings.ContainsFunc(p, is) }
	if n < MinPassword || n > MaxPassword || lacks(isDigit) || lacks(unicode.IsUpper) || lacks(unicode.IsLower) || lacks(isSpecial) {
		return kabar.Refuse(kabar.ReasonInvalid, "", "Password doesn't meet complexity requirements: %d to %d characters with at least "+
			"one digit, one upper case letter, one lower case letter and one special character", MinPassword, MaxPassword)
	}
	return nil
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// isSpecial reports whether r is one of the 32 punctuation marks and symbols of ASCII.
func isSpecial(r rune) bool {
	return r < utf8.RuneSelf && (unicode.IsPunct(r) || unicode.IsSymbol(r))
}

// readable are characters that are not taken for one another.
const readable = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"

// RandomPassword makes a password that meets the policy: four groups of five characters, about 115 bits.
func RandomPassword() string {
	for {
		b := make([]byte, 23)
		for i := range b {
			if b[i] = '-'; i%6 != 5 {
				n, _ := rand.Int(rand.Reader, big.NewInt(int64(len(readable)))) // never fails: crypto/rand
				b[i] = readable[n.Int64()]
			}
		}
		if CheckPassword(string(b)) == nil {
			return string(b)
		}
	}
}

// hash returns the PHC string of a password.
func hash(password string) string {
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // never fails: crypto/rand
	sum := argon2.IDKey([]byte(password), salt, hashTime, hashMemory, hashThreads, hashLen)
	return prefix() + encode(salt) + "$" + encode(sum)
}

// prefix is how the hashes made today begin; one that begins otherwise is made anew at the next login.
func prefix() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$", argon2.Version, hashMemory, hashTime, hashThreads)
}

func encode(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }

// matches compares a password with a PHC string. A string that is not one matches nothing.
func matches(password, phc string) bool {
	var version int
	var memory, time uint32
	var threads uint8
	var rest string
	_, err := fmt.Sscanf(phc, "$argon2id$v=%d$m=%d,t=%d,p=%d$%s", &version, &memory, &time, &threads, &rest)
	salt64, sum64, ok := strings.Cut(rest, "$")
	if err != nil || !ok || version != argon2.Version || memory > 1<<16 || time == 0 || time > 10 || threads == 0 {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(salt64)
	sum, err2 := base64.RawStdEncoding.DecodeString(sum64)
	if err1 != nil || err2 != nil || len(sum) != hashLen {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, time, memory, threads, hashLen)
	return subtle.ConstantTimeCompare(got, sum) == 1
}

// hashingOf runs f, which hashes once, when it is its turn.
func (a *Auth) hashingOf(ctx context.Context, f func()) error {
	select {
	case a.hashing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-a.hashing }()
	f()
	return nil
}

func (a *Auth) hash(ctx context.Context, password string) (phc string, err error) {
	err = a.hashingOf(ctx, func() { phc = hash(password) })
	return phc, err
}

func (a *Auth) matches(ctx context.Context, password, phc string) (ok bool, err error) {
	err = a.hashingOf(ctx, func() { ok = matches(password, phc) })
	return ok, err
}
