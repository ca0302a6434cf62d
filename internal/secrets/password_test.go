package secrets

import (
	"bytes"
	"errors"
	"testing"
)

func TestPassword(t *testing.T) {
	sealed := SealWithPassword("Secret-12", "settings", []byte("hello"))
	if again := SealWithPassword("Secret-12", "settings", []byte("hello")); bytes.Equal(sealed, again) || bytes.Contains(sealed, []byte("hello")) {
		t.Error("equal words are sealed alike, or not at all")
	}
	if plain, err := OpenWithPassword("Secret-12", "settings", sealed); string(plain) != "hello" || err != nil {
		t.Errorf("%q, %v", plain, err)
	}
	if _, err := OpenWithPassword("secret-12", "settings", sealed); !errors.Is(err, ErrPassword) {
		t.Errorf("another password: %v", err)
	}
	if _, err := OpenWithPassword("Secret-12", "else", sealed); !errors.Is(err, ErrPassword) {
		t.Errorf("another purpose: %v", err)
	}
	for i := range sealed {
		bent := bytes.Clone(sealed)
		bent[i] ^= 1
		if _, err := OpenWithPassword("Secret-12", "settings", bent); !errors.Is(err, ErrDamaged) {
			t.Fatalf("byte %d is another: %v", i, err)
		}
	}
	for _, n := range []int{0, 1, 24, len(sealed) - 1} {
		if _, err := OpenWithPassword("Secret-12", "settings", sealed[:n]); !errors.Is(err, ErrDamaged) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}
