package e2ee

// Bits of a session's row.
const (
	rowInitiator = 1 << iota
	rowReplayable
	rowSending   // the send chain is active
	rowHandshake // the handshake is still repeated
	rowRetired
	rowKnown = rowInitiator | rowReplayable | rowSending | rowHandshake | rowRetired
)

// MarshalBinary returns the state as one row, secrets included: 365 bytes for a session that has received last, 461 for
// one that has sent last, 1,260 more until a session of our making is answered, 48 for each skipped key.
func (p *Peer) MarshalBinary() ([]byte, error) {
	b := append(make([]byte, 0, 640), protoVersion)
	b = p.identity.append(b)
	b = appendU32(b, p.added)
	b = append(b, byte(len(p.spent)))
	for _, h := range p.spent {
		b = appendU64(append(b, h.id[:]...), uint64(h.expires))
	}
	b = append(b, byte(len(p.sessions)))
	for _, s := range p.sessions {
		b = s.append(b)
	}
	return b, nil
}

func (s *session) append(b []byte) []byte {
	b = append(b, s.flags())
	b = append(append(append(b, s.transcript[:]...), s.auth[:]...), s.root[:]...)
	b = appendU64(appendU64(appendU32(b, s.order), uint64(s.created)), uint64(s.used))
	b = appendU64(appendU64(appendU32(b, s.count), s.signalOut), s.signalIn)
	b = appendU32(appendU32(appendU32(b, s.send.begun), s.send.next), s.send.previous)
	if s.send.active {
		b = append(append(append(b, s.send.pair.priv[:]...), s.send.pair.pub[:]...), s.send.key[:]...)
	}
	b = appendU32(appendU32(b, s.recv.begun), s.recv.next)
	b = append(append(b, s.recv.remote[:]...), s.recv.key[:]...)
	b = append(b, s.handshake...)
	b = appendU32(appendU32(b, s.dropped.chain), s.dropped.number)
	b = append(b, byte(len(s.skipped)))
	for _, k := range s.skipped {
		b = appendU32(appendU32(b, k.place.chain), k.place.number)
		b = appendU64(append(b, k.key[:]...), uint64(k.expires))
	}
	return b
}

func (s *session) flags() (f byte) {
	if s.initiator {
		f |= rowInitiator
	}
	if s.replayable {
		f |= rowReplayable
	}
	if s.send.active {
		f |= rowSending
	}
	if s.handshake != nil {
		f |= rowHandshake
	}
	if s.retired {
		f |= rowRetired
	}
	return f
}

// UnmarshalPeer reads what MarshalBinary wrote, or returns ErrMalformed. The row
// is the caller's own and its keys are taken as they are; no reference to data is kept.
func UnmarshalPeer(data []byte) (*Peer, error) {
	r := reader{rest: data}
	r.version()
	p := &Peer{identity: r.publicIdentity(), added: r.u32()}
	n := int(r.u8())
	r.require(n <= maxSpent)
	for i := 0; i < n && !r.bad; i++ {
		var h spentHandshake
		r.copyInto(h.id[:])
		h.expires = int64(r.u64())
		p.spent = append(p.spent, h)
	}
	n = int(r.u8())
	r.require(n <= maxSessions)
	for i := 0; i < n && !r.bad; i++ {
		p.sessions = append(p.sessions, r.session())
	}
	if err := r.end("unmarshal peer"); err != nil {
		return nil, err
	}
	return p, nil
}

func (r *reader) session() *session {
	flags := r.u8()
	r.require(flags&^rowKnown == 0)
	s := &session{
		initiator:  flags&rowInitiator != 0,
		replayable: flags&rowReplayable != 0,
		retired:    flags&rowRetired != 0,
	}
	r.copyInto(s.transcript[:])
	r.copyInto(s.auth[:])
	r.copyInto(s.root[:])
	s.order, s.created, s.used = r.u32(), int64(r.u64()), int64(r.u64())
	s.count, s.signalOut, s.signalIn = r.u32(), r.u64(), r.u64()
	r.sendChain(&s.send, flags&rowSending != 0)
	s.recv.begun, s.recv.next = r.u32(), r.u32()
	r.copyInto(s.recv.remote[:])
	r.copyInto(s.recv.key[:])
	if flags&rowHandshake != 0 {
		s.handshake = r.clone(handshakeSize)
	}
	s.dropped = place{chain: r.u32(), number: r.u32()}
	r.skipped(s)
	return s
}

func (r *reader) sendChain(c *sendChain, active bool) {
	c.begun, c.next, c.previous = r.u32(), r.u32(), r.u32()
	if !active {
		return
	}
	c.active = true
	r.copyInto(c.pair.priv[:])
	r.copyInto(c.pair.pub[:])
	r.copyInto(c.key[:])
}

// skipped reads the skipped keys, which must be in order and after what was given up.
func (r *reader) skipped(s *session) {
	n := int(r.u8())
	r.require(n <= maxSkipped)
	last := s.dropped
	for i := 0; i < n && !r.bad; i++ {
		k := skippedKey{place: place{chain: r.u32(), number: r.u32()}}
		r.copyInto(k.key[:])
		k.expires = int64(r.u64())
		r.require(k.place.compare(last) > 0)
		last = k.place
		s.skipped = append(s.skipped, k)
	}
}
