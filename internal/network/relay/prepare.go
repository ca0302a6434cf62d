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
	"kabar/internal/relayclient"
	"kabar/internal/relayproto"
)

// session is the state towards one customer as it is stored: the epoch it belongs to, when we opened it last, whether it is
// to be replaced, how many before it were never answered, whether the customer owes us an answer, and the peer.
type session struct {
	entry  network.Entry
	opened int64 // seconds since 1970; 0: never
	renew  bool  // one side could not read the other since: what asks for a fresh session gets a new one
	asking bool  // there is an entry of what the customer was asked for
	vain   byte  // sessions that we opened one after another and the customer has not answered, at most maxVain
	peer   *e2ee.Peer
}

// readSession reads a customer's session. One of an earlier epoch may receive, but not send.
func (d *Driver) readSession(s network.State, handle string, dev *device) (session, error) {
	entry, ok := s[peerKey(handle)]
	if !ok {
		return session{}, nil
	}
	if len(entry.Value) < sessionHead {
		return session{}, errors.New("read a session: too short")
	}
	epoch, opened, flags := binary.BigEndian.Uint64(entry.Value), binary.BigEndian.Uint64(entry.Value[8:]), entry.Value[16]
	peer, err := d.peers.Unmarshal(entry.Value[sessionHead:])
	if err != nil {
		return session{}, fmt.Errorf("read a session: %w", err)
	}
	if epoch < dev.Epoch {
		peer = peer.Retire()
	}
	return session{entry, int64(opened), flags&flagRenew != 0, flags&flagAsking != 0, flags >> flagBits, peer}, nil
}

// sessionHead is the length of what stands before the peer's row: epoch (8 bytes), opened (8), and a byte with the flags and, above
// them, vain.
const sessionHead = 8 + 8 + 1

const (
	flagRenew  = 1
	flagAsking = 2
	flagBits   = 2
)

// writeSession returns the change that stores the next state of a session.
func (d *Driver) writeSession(s session, handle string, next *e2ee.Peer, dev *device) (network.Set, error) {
	row, err := d.peers.Marshal(next)
	if err != nil {
		return network.Set{}, fmt.Errorf("encode a session: %w", err)
	}
	value := binary.BigEndian.AppendUint64(nil, dev.Epoch)
	value = binary.BigEndian.AppendUint64(value, uint64(s.opened))
	value = append(value, s.vain<<flagBits)
	if s.renew {
		value[16] |= flagRenew
	}
	if s.asking {
		value[16] |= flagAsking
	}
	return network.Set{Key: peerKey(handle), Version: s.entry.Version, Value: append(value, row...)}, nil
}

// How long a session that we opened counts as fresh when one side could not read the other: that was most likely written before
// the customer saw it, and another one would cost another bundle. A customer who asks many times, for what is on its way in old
// sessions, would otherwise have us begin so many that those are forgotten, and there is more to ask for. A session that is not
// answered may be one that the customer cannot read. It is fresh for a moment only, and for twice as long as the one before it.
const (
	freshFor       = time.Minute     // something of the customer's could not be read
	answeredWithin = 5 * time.Second // the session may be what cannot be read: the customer asks for something of ours, or has not answered
	maxVain        = 6               // answeredWithin is doubled so often at most
)

// doubt notes that one side could not read the other, which is no reason for another session while ours is fresh.
func (s session) doubt(now time.Time, fresh time.Duration) session {
	if s.peer.Unanswered() {
		fresh = answeredWithin << s.vain
	}
	s.renew = s.renew || now.Unix()-s.opened >= int64(fresh.Seconds())
	return s
}

// open takes over a session that we have begun.
func (s session) open(now time.Time) session {
	if s.vain = min(s.vain+1, maxVain); !s.peer.Unanswered() {
		s.vain = 0
	}
	s.opened, s.renew = now.Unix(), false
	return s
}

// Identity implements network.Identified.
func (d *Driver) Identity(to kabar.Customer, s network.State) string {
	sess, err := d.readSession(s, to.Handle(), d.present())
	if err != nil || sess.peer == nil { // who cannot be read is not known: Prepare says why
		return ""
	}
	return sess.peer.Identity().Fingerprint()
}

// Keys implements network.Network.
func (d *Driver) Keys(o *network.Outgoing) []string {
	keys := []string{peerKey(o.To.Handle())}
	if o.Purpose == network.PurposeRetry {
		keys = append(keys, askedKey(o.To.Handle()))
	}
	return keys
}

// Prepare implements network.Network: it encrypts.
func (d *Driver) Prepare(o *network.Outgoing, s network.State) (network.Packet, network.Change, error) {
	d.mu.RLock()
	dev, fresh := d.device, d.fresh
	d.mu.RUnlock()
	if !fresh {
		return nil, nil, errOffline
	}
	handle := o.To.Handle()
	sess, err := d.readSession(s, handle, dev)
	if err != nil {
		return nil, nil, err
	}
	var also network.Change
	refs := o.Refs
	if o.Purpose == network.PurposeRetry {
		a := readAsked(s, handle)
		if len(a.refs) > 0 {
			sess = sess.doubt(o.Now, freshFor)
		}
		if wait := a.hold(o.Now); wait > 0 && sess.peer.Unanswered() && !o.Opened && !sess.renew {
			return nil, nil, &network.Later{After: wait, Why: "the customer has not answered the last request"}
		}
		a = a.with(o.Refs, o.Now)
		also, refs, sess.asking = network.Change{a.change(handle)}, a.refs, true
	}
	if !sess.peer.HasSession() || !o.Opened && (o.Fresh && sess.renew || sess.peer.NeedsRehandshake(o.Now)) {
		return nil, nil, network.ErrNeedsOpen
	}
	plain, err := encode(o, refs)
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
	set, err := d.writeSession(sess, handle, next, dev)
	if err != nil {
		return nil, nil, err
	}
	packet, err := newPacket(o, ciphertext)
	return packet, append(also, set), err
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
	sess, err := d.readSession(s, handle, dev)
	if err != nil {
		return nil, err
	}
	fetched, ok := o.Fetched.(*relayclient.Bundle)
	if !ok {
		if fetched, err = conn.FetchBundle(ctx, handle); err != nil {
			if sess.peer.HasSession() && !o.Fresh {
				return nil, nil
			}
			return nil, verdict(err)
		}
		o.Fetched = fetched // a session that is not committed has used none of its keys
	}
	bundle, err := prekeys.Bundle(fetched)
	if err != nil {
		return nil, fmt.Errorf("read the bundle of a customer: %w", err)
	}
	next, err := e2ee.Initiate(dev.identity, d.address(), peerAddress(handle), bundle, sess.peer, o.Now)
	if errors.Is(err, e2ee.ErrIdentityChanged) {
		// The customer has installed the app anew. Whether that needs to be acknowledged before anything goes out is the
		// engine's to know: it asks for the identity.
		var pinned *e2ee.Peer
		if pinned, err = sess.peer.Pin(bundle.Identity); err == nil {
			next, err = e2ee.Initiate(dev.identity, d.address(), peerAddress(handle), bundle, pinned, o.Now)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("begin a session: %w", err)
	}
	set, err := d.writeSession(sess.open(o.Now), handle, next, dev)
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

// encode makes the plaintext. refs are what a request names.
func encode(o *network.Outgoing, refs []string) ([]byte, error) {
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
		p.Retry = &payload.Retry{IDs: refs}
	case network.PurposeProfile:
		p.Profile = &o.From.Profile
	case network.PurposeFlow:
		p.Step = o.Step
	}
	at := o.Now
	if o.Message != nil {
		at = o.Message.At
	}
	return payload.Encode(p, at)
}
