package e2ee

import (
	"cmp"
	"slices"
)

// session is one Double Ratchet. Operations work on a clone, so a failed one leaves no trace.
type session struct {
	transcript [32]byte // hash of everything the handshake agreed on; part of every message's associated data
	auth       [32]byte // secret of the header checks and of the signals
	root       [32]byte
	initiator  bool   // our side began
	replayable bool   // the peer began without any one-time key, so its handshake could be played again
	retired    bool   // only receives
	order      uint32 // rises with every session added to the peer
	created    int64  // seconds since 1970, as are used and expires
	used       int64
	count      uint32 // messages in both directions

	send      sendChain
	recv      recvChain
	handshake []byte // repeated in every message until the peer has answered; nil from then on, and on the peer's side

	signalOut, signalIn uint64 // highest sequence sent and received

	skipped []skippedKey // ordered by place
	dropped place        // keys up to here may have been given up unused
}

// sendChain is the sending side. Between receiving a new ratchet key and the next send it is idle and holds no secret.
type sendChain struct {
	pair     keyPair
	key      [32]byte
	active   bool
	begun    uint32 // chains begun, the active one included
	next     uint32 // number of the next message
	previous uint32 // messages in the chain before
}

// recvChain is the receiving side.
type recvChain struct {
	remote [32]byte // the peer's ratchet key; its signed prekey before its first answer
	key    [32]byte
	begun  uint32 // chains seen
	next   uint32 // number of the next message expected
}

// place is where a message stands in a session: chains begun up to its chain, and its number plus one, so that the zero
// place comes before every message.
type place struct {
	chain, number uint32
}

func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.chain, q.chain), cmp.Compare(p.number, q.number))
}

// skippedKey is the message key of a message that has not arrived yet.
type skippedKey struct {
	place   place
	key     [32]byte
	expires int64
}

func (s *session) clone() *session {
	c := *s
	c.skipped = slices.Clone(s.skipped)
	return &c
}

// confirmed says that the peer has proved to hold the session.
func (s *session) confirmed() bool { return s.handshake == nil }

// store remembers the key of a skipped message and gives up the oldest beyond the cap.
func (s *session) store(at place, key [32]byte, now int64) {
	s.skipped = append(s.skipped, skippedKey{place: at, key: key, expires: now + int64(skippedLife.Seconds())})
	if over := len(s.skipped) - maxSkipped; over > 0 {
		s.giveUp(over)
	}
}

// giveUp drops the n oldest skipped keys and remembers how far that reached.
func (s *session) giveUp(n int) {
	s.dropped = s.skipped[n-1].place
	s.skipped = slices.Delete(s.skipped, 0, n)
}

// take removes and returns a skipped key.
func (s *session) take(at place) (key [32]byte, ok bool) {
	i, found := slices.BinarySearchFunc(s.skipped, at, func(k skippedKey, at place) int { return k.place.compare(at) })
	if !found {
		return key, false
	}
	key = s.skipped[i].key
	s.skipped = slices.Delete(s.skipped, i, i+1)
	return key, true
}

// stale counts the skipped keys whose time is over. They lie in front: keys are stored in the order of their places.
func (s *session) stale(now int64) int {
	n := 0
	for n < len(s.skipped) && s.skipped[n].expires <= now {
		n++
	}
	return n
}

// tally counts a message and marks the session as used.
func (s *session) tally(now int64) {
	s.used = max(s.used, now)
	if s.count < ^uint32(0) {
		s.count++
	}
}
