package relay

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"kabar"
	"kabar/internal/e2ee"
	"kabar/internal/network"
	"kabar/internal/payload"
	"kabar/internal/prekeys"
	"kabar/internal/relayproto"
)

// session is the state towards one customer as it is stored: the epoch it belongs to, when we opened it last, whether it is
// to be replaced, and the peer.
type session struct {
	entry  network.Entry
	opened int64 // seconds since 1970; 0: never
	renew  bool  // one side could not read the other since: what asks for a fresh session gets a new one
	peer   *e2ee.Peer
}

// readSession reads a customer's session. One of an earlier epoch may receive, but not send.
func readSession(s network.State, handle string, dev *device) (session, error) {
	entry, ok := s[peerKey(handle)]
	if !ok {
		return session{}, nil
	}
	if len(entry.Value) < sessionHead {
		return session{}, errors.New("read a session: too short")
	}
	epoch, opened, renew := binary.BigEndian.Uint64(entry.Value), binary.BigEndian.Uint64(entry.Value[8:]), entry.Value[16]
	peer, err := e2ee.UnmarshalPeer(entry.Value[sessionHead:])
	if err != nil {
		return session{}, fmt.Errorf("read a session: %w", err)
	}
	if epoch < dev.Epoch {
		peer = peer.Retire()
	}
	return session{entry, int64(opened), renew != 0, peer}, nil
}

// sessionHead is the length of what stands before the peer's row: epoch (8 bytes), opened (8), renew (1).
const sessionHead = 8 + 8 + 1

// write returns the change that stores the next state of a session.
func (s session) write(handle string, next *e2ee.Peer, dev *device) (network.Set, error) {
	row, err := next.MarshalBinary()
	if err != nil {
		return network.Set{}, fmt.Errorf("encode a session: %w", err)
	}
	value := binary.BigEndian.AppendUint64(nil, dev.Epoch)
	value = binary.BigEndian.AppendUint64(value, uint64(s.opened))
	value = append(value, 0)
	if s.renew {
		value[16] = 1
	}
	return network.Set{Key: peerKey(handle), Version: s.entry.Version, Value: append(value, row...)}, nil
}

// freshFor is how long a session that we opened counts as fresh when something cannot be read: that was most likely
// written before the customer saw it, and another one would cost another bundle.
const freshFor = time.Minute

// doubt notes that something of the customer's could not be read.
func (s session) doubt(now time.Time) session {
	s.renew = s.renew || now.Unix()-s.opened >= int64(freshFor.Seconds())
	return s
}

// Keys implements network.Network.
func (d *Driver) Keys(o *network.Outgoing) []string { return []string{peerKey(o.To.Handle())} }

// Prepare implements network.Network: it encrypts.
func (d *Driver) Prepare(o *network.Outgoing, s network.State) (network.Packet, network.Change, error) {
	d.mu.RLock()
	dev, fresh := d.device, d.fresh
	d.mu.RUnlock()
	if !fresh {
		return nil, nil, errOffline
	}
	handle := o.To.Handle()
	sess, err := readSession(s, handle, dev)
	if err != nil {
		return nil, nil, err
	}
	if !sess.peer.HasSession() || !o.Opened && (o.Fresh && sess.renew || sess.peer.NeedsRehandshake(o.Now)) {
		return nil, nil, network.ErrNeedsOpen
	}
	plain, err := encode(o)
	if err != nil { // it would fail every time
		d.log.Error("encode a message", "ref", o.Ref, "err", err)
		return nil, nil, &network.Refused{Reason: kabar.ReasonUndeliverable}
	}
	ciphertext, next, err := sess.peer.Encrypt(plain, o.Now)
	if errors.Is(err, e2ee.ErrNoSession) {
		return nil, nil, network.ErrNeedsOpen
	}
	if errors.Is(err, e2ee.ErrTooLong) {
		return nil, nil, &network.Refused{Reason: kabar.ReasonTooLong}
	}
	if err != nil {
		return nil, nil, err
	}
	set, err := sess.write(handle, next, dev)
	if err != nil {
		return nil, nil, err
	}
	packet, err := newPacket(o, ciphertext)
	return packet, network.Change{set}, err
}

// Open implements network.Network: it fetches a bundle and begins a session. When a session exists and only ought to be
// renewed, a failure to do so is no error: the present one goes on.
func (d *Driver) Open(ctx context.Context, o *network.Outgoing, s network.State) (network.Change, error) {
	conn, dev, err := d.link()
	if err != nil {
		return nil, err
	}
	handle := o.To.Handle()
	if !relayproto.ValidAccount(handle) { // nobody can be called that, and the relay hangs up on whoever asks
		return nil, &network.Refused{Reason: kabar.ReasonUnknownUser}
	}
	sess, err := readSession(s, handle, dev)
	if err != nil {
		return nil, err
	}
	fetched, err := conn.FetchBundle(ctx, handle)
	if err != nil {
		if sess.peer.HasSession() && !o.Fresh {
			return nil, nil
		}
		return nil, verdict(err)
	}
	bundle, err := prekeys.Bundle(fetched)
	if err != nil {
		return nil, fmt.Errorf("read the bundle of a customer: %w", err)
	}
	next, err := e2ee.Initiate(dev.identity, d.address(), peerAddress(handle), bundle, sess.peer, o.Now)
	if errors.Is(err, e2ee.ErrIdentityChanged) {
		// The customer has installed the app anew. The engine learns of it with the customer's first message.
		var pinned *e2ee.Peer
		if pinned, err = sess.peer.Pin(bundle.Identity); err == nil {
			next, err = e2ee.Initiate(dev.identity, d.address(), peerAddress(handle), bundle, pinned, o.Now)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("begin a session: %w", err)
	}
	sess.opened, sess.renew = o.Now.Unix(), false
	set, err := sess.write(handle, next, dev)
	return network.Change{set}, err
}

// envelopeID makes the relay's id of an envelope. That of a message begins with the message's own id, so that a customer
// who cannot decrypt it can say which one it was; the rest is random.
func envelopeID(o *network.Outgoing) (id [16]byte, err error) {
	_, _ = rand.Read(id[:]) // never fails: crypto/rand
	if o.Purpose != network.PurposeMessage {
		id[0] = 0 // no message of ours begins with it
		return id, nil
	}
	ref, err := hex.DecodeString(o.Ref)
	if err != nil || len(ref) > len(id) {
		return id, fmt.Errorf("message id %q", o.Ref)
	}
	copy(id[:], ref)
	return id, nil
}

// encode makes the plaintext.
func encode(o *network.Outgoing) ([]byte, error) {
	p := &payload.Payload{}
	switch o.Purpose {
	case network.PurposeMessage:
		m, err := messageOf(o)
		if err != nil {
			return nil, err
		}
		p.Message = m
	case network.PurposeReceipt:
		p.Receipt = &payload.Receipt{Status: o.Receipt.Status.String(), IDs: o.Receipt.Refs}
	case network.PurposeRetry:
		p.Retry = &payload.Retry{IDs: o.Refs}
	case network.PurposeProfile:
		p.Profile = &o.From.Profile
	}
	at := o.Now
	if o.Message != nil {
		at = o.Message.At
	}
	return payload.Encode(p, at)
}
