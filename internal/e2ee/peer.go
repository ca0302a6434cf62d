package e2ee

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Peer is all state towards one device of a peer: its pinned identity and up to four sessions, the one to send with in
// front. A Peer is never modified: operations return the next one. A nil *Peer is a device never heard of.
type Peer struct {
	identity PublicIdentity
	sessions []*session // a session is shared between successive Peers until it changes
	added    uint32     // sessions ever added
	spent    []spentHandshake
}

// spentHandshake remembers a handshake that used no one-time key and whose session is gone, until its prekeys have expired.
type spentHandshake struct {
	id      [8]byte // first bytes of the transcript
	expires int64
}

// UsedKeys names the one-time prekeys a new session has used up. Delete their rows in the commit that stores the session.
// 0 means none.
type UsedKeys struct {
	OneTime, KEM uint32
}

// Identity returns the pinned identity; the zero one for a nil Peer.
func (p *Peer) Identity() PublicIdentity {
	if p == nil {
		return PublicIdentity{}
	}
	return p.identity.clone()
}

// IdentityChanged says whether an operation pinned another identity than before. A first identity is no change.
func IdentityChanged(before, after *Peer) bool {
	return before != nil && after != nil && !before.identity.Equal(after.identity)
}

// HasSession says whether Encrypt has a session to work with.
func (p *Peer) HasSession() bool { return p != nil && len(p.sessions) > 0 && !p.sessions[0].retired }

// Unanswered says whether the session that Encrypt works with is one of ours that nothing has come back in yet.
func (p *Peer) Unanswered() bool { return p.HasSession() && !p.sessions[0].confirmed() }

// Clone returns a deep copy.
func (p *Peer) Clone() *Peer {
	if p == nil {
		return nil
	}
	c := p.copy()
	c.identity = p.identity.clone()
	for i, s := range c.sessions {
		c.sessions[i] = s.clone()
		c.sessions[i].handshake = bytes.Clone(s.handshake)
	}
	return c
}

// copy is what an operation starts from: lists of its own, the sessions themselves shared.
func (p *Peer) copy() *Peer {
	c := *p
	c.sessions, c.spent = slices.Clone(p.sessions), slices.Clone(p.spent)
	return &c
}

// Pin returns the state with this identity pinned, to accept one that Initiate refused with ErrIdentityChanged or to record
// one met elsewhere. Sessions with another identity are dropped. The identity must be one that Verify accepts.
func (p *Peer) Pin(identity PublicIdentity) (*Peer, error) {
	if err := identity.Verify(); err != nil {
		return nil, fmt.Errorf("pin: %w", err)
	}
	return p.pin(identity), nil
}

// pin is Pin of an identity that has been verified.
func (p *Peer) pin(identity PublicIdentity) *Peer {
	if p == nil {
		return &Peer{identity: identity.clone()}
	}
	next := p.copy()
	if !p.identity.Equal(identity) {
		next.identity = identity.clone()
		next.truncate(0)
	}
	return next
}

// Retire returns the state with every present session receiving only: Encrypt answers ErrNoSession until Initiate, or until
// the peer begins a new one. It is for a store that was set back to an earlier state, whose message keys have been used.
func (p *Peer) Retire() *Peer {
	if p == nil {
		return nil
	}
	next := p.copy()
	for i, s := range next.sessions {
		next.sessions[i] = s.clone()
		next.sessions[i].retired = true
	}
	return next
}

// Initiate verifies the bundle and returns the state with a new session of our own making in front. p may be nil. Nothing
// is sent: the handshake travels in the messages encrypted until the peer answers. Errors: ErrIdentityChanged,
// ErrBadSignature, ErrMalformed.
func Initiate(self *Identity, selfAddr, peerAddr Address, b *Bundle, p *Peer, now time.Time) (*Peer, error) {
	return initiatePeer(systemEntropy(), self, selfAddr, peerAddr, b, p, now)
}

func initiatePeer(
	rnd entropy, self *Identity, selfAddr, peerAddr Address, b *Bundle, p *Peer, now time.Time,
) (*Peer, error) {
	if p != nil && !p.identity.Equal(b.Identity) {
		return nil, fmt.Errorf("initiate: %w", ErrIdentityChanged)
	}
	s, err := initiate(rnd, self, selfAddr, peerAddr, b, now)
	if err != nil {
		return nil, fmt.Errorf("initiate: %w", err)
	}
	next := &Peer{identity: b.Identity.clone()}
	if p != nil {
		next = p.copy()
	}
	next.add(s, now.Unix())
	return next, nil
}

// Encrypt seals plaintext with the front session and returns the message and the state after it, to be committed together
// before the message leaves. p is unchanged. Errors: ErrNoSession, ErrTooLong.
func (p *Peer) Encrypt(plaintext []byte, now time.Time) (msg []byte, next *Peer, err error) {
	return p.encrypt(systemEntropy(), plaintext, now)
}

func (p *Peer) encrypt(rnd entropy, plaintext []byte, now time.Time) ([]byte, *Peer, error) {
	if !p.HasSession() {
		return nil, nil, fmt.Errorf("encrypt: %w", ErrNoSession)
	}
	if len(plaintext) > MaxPlaintext {
		return nil, nil, fmt.Errorf("encrypt %d bytes: %w", len(plaintext), ErrTooLong)
	}
	s := p.sessions[0].clone()
	msg, err := s.encrypt(rnd, plaintext, now.Unix())
	if err != nil {
		return nil, nil, err
	}
	next := p.copy()
	next.sessions[0] = s
	next.expire(now.Unix())
	return msg, next, nil
}

// NeedsRehandshake advises a new handshake (fetch a bundle, Initiate) to renew the post-quantum secret: when there is no
// session, or the newest is SessionLifetime old or has carried SessionMessages. Until then the present session goes on.
func (p *Peer) NeedsRehandshake(now time.Time) bool {
	if !p.HasSession() {
		return true
	}
	s := slices.MaxFunc(p.sessions, func(a, b *session) int { return cmp.Compare(a.order, b.order) })
	return s.count >= SessionMessages || now.Unix()-s.created >= int64(SessionLifetime.Seconds())
}

// Expire returns the state without what has outlived its time: skipped keys after 30 days, sessions behind the first that
// were not used for 30 days; false when nothing was due. Encrypt and Decrypt expire what they touch; a caller sweeps rows
// that lie still.
func (p *Peer) Expire(now time.Time) (next *Peer, changed bool) {
	if p == nil || !p.due(now.Unix()) {
		return p, false
	}
	next = p.copy()
	next.expire(now.Unix())
	return next, true
}

func (p *Peer) due(now int64) bool {
	return slices.ContainsFunc(p.spent, func(h spentHandshake) bool { return h.expires <= now }) ||
		slices.ContainsFunc(p.sessions, func(s *session) bool { return s.stale(now) > 0 }) ||
		p.firstIdle(now) < len(p.sessions)
}

// firstIdle returns the place of the first session, not counting the front, that has been idle too long.
func (p *Peer) firstIdle(now int64) int {
	for i := 1; i < len(p.sessions); i++ {
		if p.sessions[i].used+int64(idleLife.Seconds()) <= now {
			return i
		}
	}
	return len(p.sessions)
}

// expire works on a copy.
func (p *Peer) expire(now int64) {
	for i := p.firstIdle(now); i < len(p.sessions); i = p.firstIdle(now) {
		p.remove(i)
	}
	for i, s := range p.sessions {
		if n := s.stale(now); n > 0 {
			p.sessions[i] = s.clone()
			p.sessions[i].giveUp(n)
		}
	}
	p.spent = slices.DeleteFunc(p.spent, func(h spentHandshake) bool { return h.expires <= now })
}

// add puts a new session in front and drops the last beyond four. It works on a copy.
func (p *Peer) add(s *session, now int64) {
	p.added++
	s.order = p.added
	p.sessions = slices.Insert(p.sessions, 0, s)
	p.truncate(maxSessions)
	p.expire(now)
}

func (p *Peer) truncate(n int) {
	for len(p.sessions) > n {
		p.remove(len(p.sessions) - 1)
	}
}

// remove drops a session and, if its handshake could be played again, remembers that it has been.
func (p *Peer) remove(i int) {
	s := p.sessions[i]
	p.sessions = slices.Delete(p.sessions, i, i+1)
	if !s.replayable {
		return
	}
	p.spent = append(p.spent, spentHandshake{id: [8]byte(s.transcript[:8]), expires: s.created + int64(spentLife.Seconds())})
	if over := len(p.spent) - maxSpent; over > 0 {
		p.spent = slices.Delete(p.spent, 0, over)
	}
}

// isSpent says whether a handshake's session has been here and gone.
func (p *Peer) isSpent(transcript [32]byte) bool {
	return slices.ContainsFunc(p.spent, func(h spentHandshake) bool { return h.id == [8]byte(transcript[:8]) })
}

// received puts the successor of session i in its place: in front, unless it is retired or we have since begun a newer
// session to replace it.
func (p *Peer) received(i int, s *session, now int64) *Peer {
	next := p.copy()
	next.sessions[i] = s
	if front := next.sessions[0]; i > 0 && !s.retired && (!front.initiator || s.order > front.order) {
		next.sessions = slices.Insert(slices.Delete(next.sessions, i, i+1), 0, s)
	}
	next.expire(now)
	return next
}
