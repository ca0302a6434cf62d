package auth

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
	"pgregory.net/rapid"

	"kabar"
)

// weakHash is a hash at a cost of long ago.
func weakHash(password string) string {
	salt := []byte("0123456789abcdef")
	sum := argon2.IDKey([]byte(password), salt, 1, 64, 1, hashLen)
	return fmt.Sprintf("$argon2id$v=%d$m=64,t=1,p=1$%s$%s", argon2.Version, encode(salt), encode(sum))
}

func TestCheckPassword(t *testing.T) {
	for _, tt := range []struct {
		password string
		ok       bool
	}{
		{"Secret-1", true},
		{"Sécret-1", true},
		{"S3cret" + strings.Repeat("-", 58), true},
		{"S3cret" + strings.Repeat("-", 59), false}, // 65
		{"Ssss-12", false},                          // 7
		{"secret-1", false},
		{"SECRET-1", false},
		{"Secret--", false},
		{"Secret11", false},
		{"Secret 1", false}, // a space is not special
		{"", false},
		{"secret", false},
	} {
		err := CheckPassword(tt.password)
		if (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.password, err)
		}
		if err != nil {
			wantReason(t, err, kabar.ReasonInvalid)
			if !strings.Contains(err.Error(), "Password doesn't meet complexity requirements") {
				t.Errorf("%q: %v", tt.password, err)
			}
		}
	}
	for _, special := range "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" {
		if err := CheckPassword("Secret1" + string(special)); err != nil {
			t.Errorf("%c is not special: %v", special, err)
		}
	}
}

func TestRandomPassword(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		p := RandomPassword()
		if err := CheckPassword(p); err != nil || len(p) != 23 || strings.Count(p, "-") != 3 || seen[p] {
			t.Fatalf("%q: %v", p, err)
		}
		seen[p] = true
	}
}

func TestMatches(t *testing.T) {
	phc := hash(goodPassword)
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash %q", phc)
	}
	if !matches(goodPassword, phc) || matches(goodPassword+"x", phc) || matches("", phc) {
		t.Error("a hash does not tell passwords apart")
	}
	if hash(goodPassword) == phc {
		t.Error("two hashes are equal: there is no salt")
	}
	if !matches(goodPassword, weakHash(goodPassword)) {
		t.Error("a hash at another cost does not match")
	}
}

// What is no hash, or one that would take forever, matches nothing and does not panic.
func TestMatchesBroken(t *testing.T) {
	good := weakHash(goodPassword)
	for _, phc := range []string{
		"", "$", "$argon2id$v=19$m=64,t=1,p=1$", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "m=64", "m=4000000000", 1), strings.Replace(good, "t=1", "t=0", 1), strings.Replace(good, "t=1", "t=4000000000", 1),
		strings.Replace(good, "p=1", "p=0", 1), good[:len(good)-4], good + "AAAA", strings.ReplaceAll(good, "$", ":"),
	} {
		if matches(goodPassword, phc) {
			t.Errorf("%q matches", phc)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		cut := rapid.IntRange(0, len(good)-1).Draw(t, "cut")
		if matches(goodPassword, good[:cut]) {
			t.Errorf("the first %d bytes match", cut)
		}
	})
}
