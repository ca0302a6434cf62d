package e2ee

import (
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// HKDF infos. The header and signal keys of a session have a direction, so nothing can be reflected to its sender.
const (
	infoHandshake = "kabar/e2ee/1 PQXDH X25519 ML-KEM-768 SHA-256"
	infoRoot      = "kabar/e2ee/1 root"
	infoMessage   = "kabar/e2ee/1 message"
	infoHeader    = "kabar/e2ee/1 header from "
	infoSignal    = "kabar/e2ee/1 signal from "
)

// maxNumber is the last message number of a chain. A session asks to be renewed long before.
const maxNumber = ^uint32(0) - 1

// kdfRoot mixes a new agreement into the root and begins a chain.
func kdfRoot(root [32]byte, secret []byte) (next, chain [32]byte) {
	out := derive(secret, root[:], infoRoot, 64)
	return [32]byte(out[:32]), [32]byte(out[32:])
}

// kdfChain moves a chain on by one message.
func kdfChain(chain [32]byte) (next, message [32]byte) {
	return hmacSum(chain[:], []byte{2}), hmacSum(chain[:], []byte{1})
}

// direction names the side that sends, for keys that belong to one direction.
func direction(fromInitiator bool) string {
	if fromInitiator {
		return "initiator"
	}
	return "responder"
}

func (s *session) outKey(info string) []byte { return expand(s.auth, info+direction(s.initiator)) }
func (s *session) inKey(info string) []byte  { return expand(s.auth, info+direction(!s.initiator)) }

// encrypt seals plaintext as the next message. It modifies s.
func (s *session) encrypt(rnd entropy, plaintext []byte, now int64) ([]byte, error) {
	if err := s.beginSending(rnd); err != nil {
		return nil, err
	}
	if s.send.next > maxNumber {
		return nil, fmt.Errorf("encrypt: session used up: %w", ErrNoSession)
	}
	m := message{ratchet: s.send.pair.pub, chain: s.send.begun - 1, number: s.send.next, previous: s.send.previous}
	if err := rnd.fill(m.salt[:]); err != nil {
		return nil, err
	}
	var key [32]byte
	s.send.key, key = kdfChain(s.send.key)
	s.send.next++
	s.tally(now)

	padded := pad(plaintext)
	out := make([]byte, 0, 2+len(s.handshake)+headerSize+len(padded)+tagSize)
	out = m.appendPrefix(out, s.handshake)
	out = append(out, checkOf(s.outKey(infoHeader), out)...)
	return s.seal(out, key, m.salt[:], padded)
}

// beginSending makes a new ratchet key if the peer has answered the last one: as late as possible, when there is something
// to send, so that an answer carries the freshest secret and a device that only listens spends nothing.
func (s *session) beginSending(rnd entropy) error {
	if s.send.active {
		return nil
	}
	if s.send.begun == ^uint32(0) {
		return fmt.Errorf("encrypt: session used up: %w", ErrNoSession)
	}
	pair, err := rnd.newKeyPair()
	if err != nil {
		return err
	}
	secret, err := pair.agree(s.recv.remote[:])
	if err != nil {
		return fmt.Errorf("encrypt: ratchet: %w", err)
	}
	s.root, s.send.key = kdfRoot(s.root, secret)
	s.send.pair, s.send.active = pair, true
	s.send.begun++
	return nil
}

// seal appends the sealed body to the header, which is authenticated together with the transcript. The key is used for this
// one body only, and the salt makes it new even if the database was set back and the message key comes round again.
func (s *session) seal(header []byte, key [32]byte, salt, padded []byte) ([]byte, error) {
	aead, err := chacha20poly1305.New(derive(key[:], salt, infoMessage, chacha20poly1305.KeySize))
	if err != nil {
		return nil, err
	}
	var nonce [chacha20poly1305.NonceSize]byte
	return aead.Seal(header, nonce[:], padded, s.associated(header)), nil
}

func (s *session) associated(header []byte) []byte {
	return append(append(make([]byte, 0, len(s.transcript)+len(header)), s.transcript[:]...), header...)
}

// decrypt opens a message whose header check has passed. It modifies s, which the caller throws away on error.
func (s *session) decrypt(m *message, now int64) ([]byte, error) {
	key, err := s.messageKey(m, now)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.New(derive(key[:], m.salt[:], infoMessage, chacha20poly1305.KeySize))
	if err != nil {
		return nil, err
	}
	var nonce [chacha20poly1305.NonceSize]byte
	padded, err := aead.Open(nil, nonce[:], m.body, s.associated(m.header))
	if err != nil {
		return nil, fmt.Errorf("decrypt: %w", ErrUndecryptable)
	}
	plaintext, ok := unpad(padded)
	if !ok {
		return nil, fmt.Errorf("decrypt: padding: %w", ErrMalformed)
	}
	s.handshake = nil
	s.tally(now)
	return plaintext, nil
}

// messageKey finds the key of a message: a skipped one, one ahead in the current chain, or one in the peer's next chain.
func (s *session) messageKey(m *message, now int64) ([32]byte, error) {
	// The peer begins a chain only after an answer to its last, so it can never be two chains ahead.
	if m.chain > s.recv.begun || max(m.chain, m.number) > maxNumber {
		return [32]byte{}, fmt.Errorf("decrypt: chain %d after %d: %w", m.chain, s.recv.begun, ErrUndecryptable)
	}
	if m.chain == s.recv.begun {
		if err := s.beginReceiving(m, now); err != nil {
			return [32]byte{}, err
		}
	}
	if current := m.chain+1 == s.recv.begun; current && m.ratchet != s.recv.remote {
		return [32]byte{}, fmt.Errorf("decrypt: forked chain: %w", ErrUndecryptable)
	} else if !current || m.number < s.recv.next {
		return s.skippedKey(place{m.chain + 1, m.number + 1})
	}
	if m.number-s.recv.next > maxSkip {
		return [32]byte{}, fmt.Errorf("decrypt: message %d after %d: %w", m.number, s.recv.next, ErrTooFarAhead)
	}
	s.skipTo(m.number, now)
	var key [32]byte
	s.recv.key, key = kdfChain(s.recv.key)
	s.recv.next++
	return key, nil
}

// beginReceiving follows the peer into its next chain. What is missing of the old one is skipped. Our own ratchet key has
// done its work and is forgotten; the next send makes another.
func (s *session) beginReceiving(m *message, now int64) error {
	if !s.send.pair.set() {
		return fmt.Errorf("decrypt: forked ratchet: %w", ErrUndecryptable)
	}
	if s.recv.begun > 0 {
		if m.previous < s.recv.next {
			return fmt.Errorf("decrypt: forked chain: %w", ErrUndecryptable)
		}
		if m.previous-s.recv.next > maxSkip {
			return fmt.Errorf("decrypt: chain ended at %d after %d: %w", m.previous, s.recv.next, ErrTooFarAhead)
		}
		s.skipTo(m.previous, now)
	}
	secret, err := s.send.pair.agree(m.ratchet[:])
	if err != nil {
		return fmt.Errorf("decrypt: ratchet: %w: %w", ErrUndecryptable, err)
	}
	s.root, s.recv.key = kdfRoot(s.root, secret)
	s.recv.remote, s.recv.next = m.ratchet, 0
	s.recv.begun++
	s.send = sendChain{begun: s.send.begun, previous: s.send.next}
	return nil
}

// skipTo stores the keys of the current chain up to, and not including, message number.
func (s *session) skipTo(number uint32, now int64) {
	for s.recv.next < number {
		var key [32]byte
		s.recv.key, key = kdfChain(s.recv.key)
		s.store(place{s.recv.begun, s.recv.next + 1}, key, now)
		s.recv.next++
	}
}

// skippedKey takes a stored key. A key that is not there has been used, unless it may have been given up unused.
func (s *session) skippedKey(at place) ([32]byte, error) {
	key, ok := s.take(at)
	switch {
	case ok:
		return key, nil
	case at.compare(s.dropped) <= 0:
		return key, fmt.Errorf("decrypt: skipped key given up: %w", ErrUndecryptable)
	default:
		return key, fmt.Errorf("decrypt: %w", ErrDuplicate)
	}
}
