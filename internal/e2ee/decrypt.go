package e2ee

import (
	"fmt"
	"time"
)

// Decrypt opens a message. It returns the plaintext, the state after it and the one-time prekeys that a new session used:
// all to be committed together before the message is acknowledged. p, which may be nil, is unchanged, and on error there is
// nothing to commit.
//
// A message whose handshake carries another identity than the pinned one yields a state that pins the new identity and has
// only the new session: compare with IdentityChanged (or ask Sender before) and commit it, or refuse by not committing.
//
// Errors: ErrDuplicate, ErrUndecryptable (also as ErrTooFarAhead, ErrUnknownPreKey), ErrMalformed (also as ErrBadSignature),
// or an error of the PreKeyStore.
func Decrypt(
	self *Identity, selfAddr, peerAddr Address, p *Peer, msg []byte, keys PreKeyStore, now time.Time,
) (plaintext []byte, next *Peer, used UsedKeys, err error) {
	m, err := parseMessage(msg)
	if err != nil {
		return nil, nil, used, err
	}
	if p != nil {
		for i, s := range p.sessions {
			if m.checks(s.inKey(infoHeader)) {
				plaintext, next, err = p.decryptWith(i, m, now)
				return plaintext, next, used, err
			}
		}
	}
	if m.handshake == nil {
		return nil, nil, used, fmt.Errorf("decrypt: unknown session: %w", ErrUndecryptable)
	}
	return accept(self, selfAddr, peerAddr, p, m, keys, now)
}

// decryptWith opens a message of session i on a clone, which takes its place only when all went well.
func (p *Peer) decryptWith(i int, m *message, now time.Time) ([]byte, *Peer, error) {
	s := p.sessions[i].clone()
	if n := s.stale(now.Unix()); n > 0 {
		s.giveUp(n)
	}
	plaintext, err := s.decrypt(m, now.Unix())
	if err != nil {
		return nil, nil, err
	}
	return plaintext, p.received(i, s, now.Unix()), nil
}

// accept opens a message that begins a session.
func accept(
	self *Identity, selfAddr, peerAddr Address, p *Peer, m *message, keys PreKeyStore, now time.Time,
) ([]byte, *Peer, UsedKeys, error) {
	none := UsedKeys{}
	if err := m.handshake.identity.Verify(); err != nil {
		return nil, nil, none, fmt.Errorf("decrypt: %w", err)
	}
	own, err := loadKeys(keys, m.handshake.ids, now)
	if err != nil {
		return nil, nil, none, fmt.Errorf("decrypt: %w", err)
	}
	s, err := respond(self, selfAddr, peerAddr, m.handshake, own, now)
	if err != nil {
		return nil, nil, none, fmt.Errorf("decrypt: %w", err)
	}
	if !m.checks(s.inKey(infoHeader)) {
		return nil, nil, none, fmt.Errorf("decrypt: handshake: %w", ErrUndecryptable)
	}
	if p != nil && p.isSpent(s.transcript) {
		return nil, nil, none, fmt.Errorf("decrypt: handshake played again: %w", ErrDuplicate)
	}
	plaintext, err := s.decrypt(m, now.Unix())
	if err != nil {
		return nil, nil, none, err
	}
	next := p.pin(m.handshake.identity)
	next.add(s, now.Unix())
	return plaintext, next, own.used(), nil
}
