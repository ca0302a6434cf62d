package e2ee

import (
	"crypto/hmac"
	"crypto/mlkem"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// Kinds, the second byte of everything on the wire.
const (
	kindMessage   = 1
	kindHandshake = 2 // a message that carries the handshake, until the peer has answered
	kindSignal    = 3
)

const (
	tagSize       = chacha20poly1305.Overhead
	saltSize      = 16
	checkSize     = 8
	headerSize    = 32 + 4 + 4 + 4 + saltSize + checkSize
	handshakeSize = publicIdentitySize + 3*4 + 32 + mlkem.CiphertextSize768
	signalHeader  = 2 + chacha20poly1305.NonceSizeX
)

// handshake is what the responder needs to find the same secret.
type handshake struct {
	identity   PublicIdentity
	ids        KeyIDs
	ephemeral  [32]byte
	ciphertext []byte // of the KEM, 1,088 bytes
}

// KeyIDs names the responder's prekeys that a handshake was made with. OneTime is 0 when there was none.
type KeyIDs struct {
	Signed, KEM, OneTime uint32
}

func (h *handshake) marshal() []byte {
	b := h.identity.append(make([]byte, 0, handshakeSize))
	b = appendU32(appendU32(appendU32(b, h.ids.Signed), h.ids.KEM), h.ids.OneTime)
	b = append(b, h.ephemeral[:]...)
	return append(b, h.ciphertext...)
}

func (r *reader) handshake() *handshake {
	h := &handshake{identity: r.publicIdentity(), ids: KeyIDs{Signed: r.u32(), KEM: r.u32(), OneTime: r.u32()}}
	r.copyInto(h.ephemeral[:])
	h.ciphertext = r.clone(mlkem.CiphertextSize768)
	r.require(h.ids.Signed != 0 && h.ids.KEM != 0)
	return h
}

// message is one parsed message. prefix and header alias the bytes it was parsed from.
type message struct {
	handshake *handshake // nil in an ordinary message
	ratchet   [32]byte   // the sender's ratchet key of this chain
	chain     uint32     // how many chains the sender began before this one
	number    uint32     // place in the chain
	previous  uint32     // messages in the sender's chain before this one
	salt      [saltSize]byte

	prefix []byte // everything before the check
	check  []byte // authenticates the prefix with a key of the session
	header []byte // prefix and check: the associated data
	body   []byte // ciphertext and tag
}

// appendPrefix writes what the check covers. hs is the marshalled handshake, or nil.
func (m *message) appendPrefix(b, hs []byte) []byte {
	if hs == nil {
		b = append(b, protoVersion, kindMessage)
	} else {
		b = append(append(b, protoVersion, kindHandshake), hs...)
	}
	b = append(b, m.ratchet[:]...)
	b = appendU32(appendU32(appendU32(b, m.chain), m.number), m.previous)
	return append(b, m.salt[:]...)
}

// parseMessage reads a message of either kind, or returns ErrMalformed.
func parseMessage(data []byte) (*message, error) {
	r := reader{rest: data}
	r.version()
	m := &message{}
	switch r.u8() {
	case kindMessage:
	case kindHandshake:
		m.handshake = r.handshake()
	default:
		r.require(false)
	}
	r.copyInto(m.ratchet[:])
	m.chain, m.number, m.previous = r.u32(), r.u32(), r.u32()
	r.copyInto(m.salt[:])
	m.check = r.take(checkSize)
	m.body = r.take(len(r.rest))
	r.require(isBucket(len(m.body) - tagSize))
	if err := r.end("parse message"); err != nil {
		return nil, err
	}
	m.header = data[:len(data)-len(m.body)]
	m.prefix = m.header[:len(m.header)-checkSize]
	return m, nil
}

// PreKeyIDs tells which prekeys a message was made with, so that their rows can be loaded before Decrypt; false for a
// message that carries no handshake. The ids are claims of an unauthenticated sender, and the keys may be gone because an
// earlier message of the same session used them: a missing row is no error here.
func PreKeyIDs(msg []byte) (KeyIDs, bool, error) {
	m, err := parseMessage(msg)
	if err != nil || m.handshake == nil {
		return KeyIDs{}, false, err
	}
	return m.handshake.ids, true, nil
}

// Sender returns the identity a message with a handshake claims to come from, its signature checked; false for a message
// without one. Only Decrypt proves the claim.
func Sender(msg []byte) (PublicIdentity, bool, error) {
	m, err := parseMessage(msg)
	if err != nil || m.handshake == nil {
		return PublicIdentity{}, false, err
	}
	if err := m.handshake.identity.Verify(); err != nil {
		return PublicIdentity{}, false, fmt.Errorf("sender: %w", err)
	}
	return m.handshake.identity, true, nil
}

// checkOf is the header check of a prefix: a truncated HMAC.
func checkOf(key, prefix []byte) []byte {
	sum := hmacSum(key, prefix)
	return sum[:checkSize]
}

// checks says whether the header was made with this key.
func (m *message) checks(key []byte) bool { return hmac.Equal(m.check, checkOf(key, m.prefix)) }
