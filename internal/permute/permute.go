// Package permute turns growing keys into public ids and back: a small keyed permutation, so that an id needs no index,
// tells nothing of how many others there are, and decodes to its key.
//
// It is not an authenticator: every 64-bit number is somebody's id. Whoever decodes one checks what it belongs to.
package permute

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
)

// KeySize is the length of a permutation's key in bytes.
const KeySize = 16

// rounds of the Feistel network. Four make a strong pseudorandom permutation of a strong round function; the rest is
// margin, and costs a microsecond.
const rounds = 6

// Permutation maps 64-bit numbers one to one. It is safe for concurrent use.
type Permutation struct{ block cipher.Block }

// NewKey makes a random key.
func NewKey() []byte {
	key := make([]byte, KeySize)
	_, _ = rand.Read(key) // never fails: crypto/rand
	return key
}

// New returns the permutation of a key of KeySize bytes.
func New(key []byte) (*Permutation, error) {
	block, err := aes.NewCipher(key)
	if err != nil || len(key) != KeySize {
		return nil, fmt.Errorf("permutation key: %d bytes, want %d", len(key), KeySize)
	}
	return &Permutation{block}, nil
}

// Hide maps a key to its public number.
func (p *Permutation) Hide(key uint64) uint64 {
	l, r := uint32(key>>32), uint32(key)
	b := make([]byte, aes.BlockSize)
	for i := range rounds {
		l, r = r, l^p.round(b, byte(i), r)
	}
	return uint64(l)<<32 | uint64(r)
}

// Reveal maps a public number to its key.
func (p *Permutation) Reveal(ref uint64) uint64 {
	l, r := uint32(ref>>32), uint32(ref)
	b := make([]byte, aes.BlockSize)
	for i := rounds - 1; i >= 0; i-- {
		l, r = r^p.round(b, byte(i), l), l
	}
	return uint64(l)<<32 | uint64(r)
}

// round works in b, a block.
func (p *Permutation) round(b []byte, i byte, half uint32) uint32 {
	clear(b)
	b[0] = i
	binary.BigEndian.PutUint32(b[1:], half)
	p.block.Encrypt(b, b)
	return binary.BigEndian.Uint32(b[:])
}
