// Package secrets seals what Kabar keeps on disk.
//
// A [Key] is 32 bytes of AES-256-GCM. It seals records ([Key.Seal]) and other keys ([Key.Wrap]); every sealed value is
// bound to the place it belongs to by additional data ([AAD]), so a value copied to another row, table or column does not
// open. The chain of keys (master, number, conversation) and where sealed values live are the caller's; so is rotation.
//
// What this package does not do: it compresses nothing, and cannot wipe memory (the Go
// runtime may copy a key). The length of a plaintext is visible from the length of its sealed form.
//
// Everything here is safe for concurrent use. The nonce is random (96 bits), so one key must not seal more than 2^32
// values: NIST SP 800-38D, section 8.3. Form of a sealed value: version (1 byte), nonce (12), ciphertext, tag (16).
package secrets

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// KeySize is the length of a key in bytes.
const KeySize = 32

// Overhead is how many bytes longer a sealed value is than its plaintext.
const Overhead = 1 + 12 + 16

// ErrSealed says that a sealed value did not open: another key, other additional data, damage, or an unknown version.
// Which of them it was cannot be told.
var ErrSealed = errors.New("sealed value does not open")

// The first byte of a sealed value: its version and purpose in one. It is authenticated, so a record never opens as a key.
const (
	formRecord = 1
	formKey    = 2
)

const redacted = "[redacted]"

// Key seals and opens values. It never shows itself: printed, logged or encoded it is "[redacted]". The zero Key is no
// key: sealing under it panics, and nothing opens under it. Copies share the same material.
type Key struct {
	m *material // a pointer, so that printing a struct that holds a Key in an unexported field shows an address at most
}

type material struct {
	raw  [KeySize]byte
	aead cipher.AEAD
}

// NewKey makes a key from the operating system's random source.
func NewKey() Key {
	var raw [KeySize]byte
	rand.Read(raw[:]) // never fails: crypto/rand stops the process instead
	return fromRaw(raw)
}

func fromRaw(raw [KeySize]byte) Key {
	block, err := aes.NewCipher(raw[:])
	if err != nil {
		panic(err) // only a wrong length can fail, and the type fixes the length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // only a foreign block cipher can fail
	}
	return Key{&material{raw: raw, aead: aead}}
}

// IsZero tells whether k is the zero Key, which seals nothing.
func (k Key) IsZero() bool { return k.m == nil }

// ID returns a name of the key for people and for the store: 16 hexadecimal digits, of a hash that tells nothing about the
// key. It is not secret. The zero Key has none.
func (k Key) ID() string {
	if k.IsZero() {
		return ""
	}
	sum := sha256.Sum256(append([]byte("kabar key id v1\x00"), k.m.raw[:]...))
	return hex.EncodeToString(sum[:8])
}

// Seal encrypts plaintext and binds it to aad, which [Key.Open] must be given again and which is not stored.
func (k Key) Seal(plaintext, aad []byte) []byte {
	return k.AppendSeal(make([]byte, 0, len(plaintext)+Overhead), plaintext, aad)
}

// Open returns the plaintext of a value made by [Key.Seal] with the same key and aad, otherwise [ErrSealed].
func (k Key) Open(sealed, aad []byte) ([]byte, error) {
	return k.AppendOpen(nil, sealed, aad)
}

// AppendSeal is [Key.Seal] that appends to dst. The free capacity of dst must not overlap plaintext.
func (k Key) AppendSeal(dst, plaintext, aad []byte) []byte {
	return k.seal(dst, formRecord, plaintext, aad)
}

// AppendOpen is [Key.Open] that appends the plaintext to dst. The free capacity of dst must not overlap sealed. When it
// fails, nothing of the plaintext is returned.
func (k Key) AppendOpen(dst, sealed, aad []byte) ([]byte, error) {
	return k.open(dst, formRecord, sealed, aad)
}

// Wrap seals other under k, bound to aad. What it returns opens with [Key.Unwrap] only, never with [Key.Open].
func (k Key) Wrap(other Key, aad []byte) []byte {
	if other.IsZero() {
		panic("secrets: Wrap of the zero Key")
	}
	return k.seal(make([]byte, 0, KeySize+Overhead), formKey, other.m.raw[:], aad)
}

// Unwrap returns the key sealed by [Key.Wrap] under k with the same aad, otherwise [ErrSealed].
func (k Key) Unwrap(wrapped, aad []byte) (Key, error) {
	raw, err := k.open(make([]byte, 0, KeySize), formKey, wrapped, aad)
	if err != nil {
		return Key{}, fmt.Errorf("unwrap key: %w", err)
	}
	if len(raw) != KeySize {
		return Key{}, fmt.Errorf("unwrap key: %w", ErrSealed)
	}
	return fromRaw([KeySize]byte(raw)), nil
}

func (k Key) seal(dst []byte, form byte, plaintext, aad []byte) []byte {
	if k.IsZero() {
		panic("secrets: Seal with the zero Key") // going on would store what nobody can read, or anybody
	}
	return k.m.aead.Seal(append(dst, form), nil, plaintext, bind(form, aad))
}

func (k Key) open(dst []byte, form byte, sealed, aad []byte) ([]byte, error) {
	if k.IsZero() || len(sealed) < Overhead || sealed[0] != form {
		return nil, ErrSealed
	}
	out, err := k.m.aead.Open(dst, nil, sealed[1:], bind(form, aad))
	if err != nil {
		return nil, ErrSealed
	}
	return out, nil
}

// bind puts the form in front of the additional data.
func bind(form byte, aad []byte) []byte {
	b := make([]byte, 0, 1+len(aad))
	return append(append(b, form), aad...)
}

// String returns "[redacted]".
func (k Key) String() string { return redacted }

// Format writes "[redacted]" for every verb and flag.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[redacted]".
func (k Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]", so that no encoder writes key material.
func (k Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }
