package permute

import (
	"crypto/aes"
	"encoding/binary"
)

// Ids that stand as numbers in JSON must be below 2^53, and look like others of their kind when they have 15 or 16 digits.
const (
	smallBits = 52
	smallBase = 1e14           // the least number of 15 digits
	smallHalf = 1<<26 - 1      // one half of a small key
	smallMost = 1 << smallBits // keys are below this
	smallTag  = byte(rounds)   // keeps these rounds apart from those of Hide
)

// HideSmall maps a key below 2^52 to its public number of 15 or 16 digits, which is below 2^53; 0 for any other key.
func (p *Permutation) HideSmall(key uint64) uint64 {
	if key >= smallMost {
		return 0
	}
	l, r := uint32(key>>26), uint32(key&smallHalf)
	b := make([]byte, aes.BlockSize)
	for i := range byte(rounds) {
		l, r = r, l^p.narrow(b, i, r)
	}
	return smallBase + (uint64(l)<<26 | uint64(r))
}

// RevealSmall maps a public number to its key; false for what is the number of none.
func (p *Permutation) RevealSmall(id uint64) (key uint64, ok bool) {
	if id < smallBase || id-smallBase >= smallMost {
		return 0, false
	}
	id -= smallBase
	l, r := uint32(id>>26), uint32(id&smallHalf)
	b := make([]byte, aes.BlockSize)
	for i := range byte(rounds) {
		l, r = r^p.narrow(b, rounds-1-i, l), l
	}
	return uint64(l)<<26 | uint64(r), true
}

// narrow is round for halves of 26 bits.
func (p *Permutation) narrow(b []byte, i byte, half uint32) uint32 {
	clear(b)
	b[0] = smallTag + i
	binary.BigEndian.PutUint32(b[1:], half)
	p.block.Encrypt(b, b)
	return binary.BigEndian.Uint32(b[:]) & smallHalf
}
