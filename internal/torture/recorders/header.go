//go:build unix

package recorders

import (
	"encoding/binary"
	"encoding/hex"

	"kabar/internal/torture/history"
)

// Sizes of what stands in clear before a ciphertext (docs/encryption.md): a version byte, a kind byte, for a handshake its
// fields, then the sender's ratchet key, the number of its chain, the message's place in it.
const (
	kindMessage   = 1
	kindHandshake = 2
	identityLen   = 32 + 32 + 64 // signing key, agreement key, signature
	kemLen        = 1088         // ML-KEM-768 ciphertext
	handshakeLen  = identityLen + 3*4 + 32 + kemLen
	ratchetLen    = 32
)

// headerOf reads the clear header of a ciphertext; nil for what has none.
func headerOf(b []byte) *history.Header {
	if len(b) < 2 {
		return nil
	}
	kind, rest := b[1], b[2:]
	h := &history.Header{}
	if kind == kindHandshake {
		if len(rest) < handshakeLen {
			return nil
		}
		ids := rest[identityLen:]
		h.KEM, h.OneTime = binary.BigEndian.Uint32(ids[4:]), binary.BigEndian.Uint32(ids[8:])
		h.Ephemeral = hex.EncodeToString(ids[12:44])
		rest = rest[handshakeLen:]
	} else if kind != kindMessage {
		return nil
	}
	if len(rest) < ratchetLen+8 {
		return nil
	}
	h.Ratchet = hex.EncodeToString(rest[:ratchetLen])
	h.Chain, h.Number = binary.BigEndian.Uint32(rest[ratchetLen:]), binary.BigEndian.Uint32(rest[ratchetLen+4:])
	return h
}
