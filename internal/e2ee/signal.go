package e2ee

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

// Signals are short-lived hints (typing, online) that may be lost in any number. They are sealed with a key of the session
// that stays the same for its life, apart from the ratchet: losing them skips no message key, and sending them needs no
// commit. The price is that they have no forward secrecy within a session.

// signalFill makes a signal exactly as long as an ordinary message of the same bucket.
const signalFill = 2 + headerSize - signalHeader

// SealSignal seals data as a signal, using the first session that the peer has proved to hold (ErrNoSession if none).
// The sequence inside is the time in microseconds, or one more than the last if that is not later. next remembers it; it
// need not be committed: after a restart the clock carries on. Errors: ErrNoSession, ErrTooLong.
func (p *Peer) SealSignal(data []byte, now time.Time) (msg []byte, next *Peer, err error) {
	return p.sealSignal(systemEntropy(), data, now)
}

func (p *Peer) sealSignal(rnd entropy, data []byte, now time.Time) ([]byte, *Peer, error) {
	if p == nil {
		return nil, nil, fmt.Errorf("seal signal: %w", ErrNoSession)
	}
	if len(data) > MaxPlaintext {
		return nil, nil, fmt.Errorf("seal signal of %d bytes: %w", len(data), ErrTooLong)
	}
	i := slices.IndexFunc(p.sessions, func(s *session) bool { return s.confirmed() && !s.retired })
	if i < 0 {
		return nil, nil, fmt.Errorf("seal signal: %w", ErrNoSession)
	}
	s := p.sessions[i].clone()
	s.signalOut = max(s.signalOut+1, uint64(max(now.UnixMicro(), 0)))
	msg, err := s.sealSignal(rnd, data)
	if err != nil {
		return nil, nil, err
	}
	next := p.copy()
	next.sessions[i] = s
	return msg, next, nil
}

func (s *session) sealSignal(rnd entropy, data []byte) ([]byte, error) {
	header := make([]byte, signalHeader)
	header[0], header[1] = protoVersion, kindSignal
	if err := rnd.fill(header[2:]); err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(s.outKey(infoSignal))
	if err != nil {
		return nil, err
	}
	content := binary.BigEndian.AppendUint64(nil, s.signalOut)
	content = append(content, make([]byte, signalFill-len(content))...)
	content = append(content, pad(data)...)
	return aead.Seal(header, header[2:], content, s.associated(header)), nil
}

// OpenSignal opens a signal. One that is not newer than the last of its session is ErrDuplicate; one that no session opens
// is ErrUndecryptable and simply dropped: nobody asks for a signal again. next remembers the sequence; committing it is
// optional and keeps replays out across a restart. p is unchanged.
func (p *Peer) OpenSignal(msg []byte) (data []byte, next *Peer, err error) {
	header, body, err := parseSignal(msg)
	if err != nil {
		return nil, nil, err
	}
	if p == nil {
		return nil, nil, fmt.Errorf("open signal: %w", ErrUndecryptable)
	}
	for i, s := range p.sessions {
		content, err := s.openSignal(header, body)
		if err != nil {
			continue
		}
		return p.takeSignal(i, content)
	}
	return nil, nil, fmt.Errorf("open signal: %w", ErrUndecryptable)
}

// parseSignal splits a signal into nonce-bearing header and sealed body.
func parseSignal(msg []byte) (header, body []byte, err error) {
	r := reader{rest: msg}
	header = r.take(signalHeader)
	body = r.take(len(r.rest))
	r.require(len(header) == signalHeader && header[0] == protoVersion && header[1] == kindSignal)
	r.require(isBucket(len(body) - signalFill - tagSize))
	return header, body, r.end("parse signal")
}

func (s *session) openSignal(header, body []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(s.inKey(infoSignal))
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, header[2:], body, s.associated(header))
}

// takeSignal reads the content of an authentic signal of session i.
func (p *Peer) takeSignal(i int, content []byte) ([]byte, *Peer, error) {
	sequence := binary.BigEndian.Uint64(content)
	data, ok := unpad(content[signalFill:])
	switch {
	case !ok:
		return nil, nil, fmt.Errorf("open signal: padding: %w", ErrMalformed)
	case sequence <= p.sessions[i].signalIn:
		return nil, nil, fmt.Errorf("open signal: %w", ErrDuplicate)
	}
	next := p.copy()
	next.sessions[i] = next.sessions[i].clone()
	next.sessions[i].signalIn = sequence
	return data, next, nil
}

// IsSignal says whether the bytes are meant for OpenSignal rather than Decrypt.
func IsSignal(msg []byte) bool { return len(msg) > 1 && msg[0] == protoVersion && msg[1] == kindSignal }
