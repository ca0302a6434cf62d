package relay

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"kabar"
	"kabar/internal/e2ee"
	"kabar/internal/network"
	"kabar/internal/payload"
	"kabar/internal/relayclient"
	"kabar/internal/relayproto"
)

// receiver decrypts and delivers what arrives over one connection: in order for each customer, customers side by side.
// The relay sends no more than a window ahead of acknowledgements, which bounds what is held here.
type receiver struct {
	d    *Driver
	in   network.Inbox
	conn *relayclient.Conn
	ctx  context.Context //nolint:containedctx // the life of the connection, for work the relay's handler starts
	stop context.CancelCauseFunc
	low  chan relayclient.LoginInfo // what the directory has left

	mu      sync.Mutex
	waiting map[string][]func(context.Context) // by account; present while the account is worked
	held    int                                // what waits and is worked, all accounts
	work    sync.WaitGroup
}

// maxHeld bounds what is held: an honest relay stops at two windows, of envelopes and of expiry notices.
const maxHeld = 4 * relayproto.CreditFrames

// errFlood ends a connection.
var errFlood = errors.New("relay: sends without waiting for acknowledgements")

func newReceiver(ctx context.Context, d *Driver, in network.Inbox, conn *relayclient.Conn) *receiver {
	ctx, stop := context.WithCancelCause(ctx)
	return &receiver{d: d, in: in, conn: conn, ctx: ctx, stop: stop, low: make(chan relayclient.LoginInfo, 1),
		waiting: map[string][]func(context.Context){}}
}

// wait ends what is under way: whatever has not been acknowledged comes again.
func (r *receiver) wait() {
	r.stop(nil)
	r.work.Wait()
}

func (r *receiver) envelope(v relayclient.Delivery) {
	r.enqueue(v.From.Account, func(ctx context.Context) { r.until(ctx, v.Seq, func() error { return r.deliver(ctx, v) }) })
}

func (r *receiver) expired(x relayclient.Expiry) {
	u := kabar.Update{From: customer(x.To.Account), Expired: &kabar.Expired{Refs: messagesIn(hexID(x.ID))}}
	r.enqueue(x.To.Account, func(ctx context.Context) { r.until(ctx, x.Seq, func() error { return r.in.Deliver(ctx, u, nil) }) })
}

func (r *receiver) prekeysLow(oneTime, kem int) {
	select {
	case r.low <- relayclient.LoginInfo{OneTime: oneTime, OneTimeKEM: kem, Published: true}:
	default: // the one that waits says the same
	}
}

// tend keeps the directory supplied while the connection lives: with more keys when they run low, and with new ones when
// the present ones have come of age.
func (r *receiver) tend() {
	tick := time.NewTicker(r.d.tendEvery)
	defer tick.Stop()
	for {
		info, done := supplied, make(chan struct{})
		select {
		case info = <-r.low:
		case <-tick.C:
		case done = <-r.d.shifted:
		case <-r.ctx.Done():
			return
		}
		if err := r.d.replenish(r.ctx, r.in, r.conn, info); err != nil && r.ctx.Err() == nil {
			r.d.log.Warn("replenish prekeys", "err", err)
		}
		close(done)
	}
}

// enqueue runs f after what has been enqueued for the account before.
func (r *receiver) enqueue(account string, f func(context.Context)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held++; r.held > maxHeld {
		r.stop(errFlood)
		return
	}
	queue, busy := r.waiting[account]
	r.waiting[account] = append(queue, f)
	if !busy {
		r.work.Go(func() { r.drain(account) })
	}
}

func (r *receiver) drain(account string) {
	for {
		r.mu.Lock()
		queue := r.waiting[account]
		if len(queue) == 0 {
			delete(r.waiting, account)
			r.mu.Unlock()
			return
		}
		f := queue[0]
		r.waiting[account] = queue[1:]
		r.mu.Unlock()
		f(r.ctx)
		r.mu.Lock()
		r.held--
		r.mu.Unlock()
	}
}

// How long a delivery that the engine could not commit waits before it is tried again; the pause doubles.
const (
	minPause = 200 * time.Millisecond
	maxPause = 5 * time.Second
)

// until repeats f until it succeeds or the connection ends, and then acknowledges. The customer's later messages wait.
func (r *receiver) until(ctx context.Context, seq uint64, f func() error) {
	pause := minPause
	for {
		err := f()
		if err == nil {
			//failpoint:before-ack
			if err := r.conn.Ack(ctx, seq); err != nil && ctx.Err() == nil {
				r.d.log.Debug("acknowledge", "err", err) // it comes again, and is recognised
			}
			return
		}
		if ctx.Err() != nil {
			return
		}
		if !errors.Is(err, network.ErrConflict) {
			r.d.log.Warn("deliver from the relay", "err", err)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return
			}
			pause = min(2*pause, maxPause)
		}
	}
}

// deliver decrypts an envelope and commits what it says together with the ratchet.
func (r *receiver) deliver(ctx context.Context, v relayclient.Delivery) error {
	from := v.From.Account
	keys, state, err := r.load(ctx, v)
	if err != nil {
		return err
	}
	dev := r.d.present()
	sess, err := r.d.readSession(state, from, dev)
	if err != nil {
		return err
	}
	plain, next, used, err := e2ee.Decrypt(dev.identity, r.d.address(), peerAddress(from), sess.peer, v.Ciphertext, keys, r.d.o.Now())
	switch {
	case errors.Is(err, e2ee.ErrDuplicate):
		return nil // committed before, and the acknowledgement was lost
	case errors.Is(err, e2ee.ErrUndecryptable), errors.Is(err, e2ee.ErrMalformed):
		return r.garbled(ctx, v, sess, err)
	case err != nil:
		return err
	}
	u, err := r.read(from, plain)
	if err != nil {
		r.d.log.Warn("a customer's message makes no sense", "envelope", hexID(v.ID), "err", err)
		u = senseless(v)
	}
	if u.Retry != nil { // the customer could not read us
		sess = sess.doubt(r.d.o.Now(), answeredWithin)
	}
	settled, err := r.settle(ctx, from, &sess, &u, next)
	if err != nil {
		return err
	}
	set, err := r.d.writeSession(sess, from, next, dev)
	if err != nil {
		return err
	}
	change := append(append(network.Change{set}, spent(state, used)...), settled...)
	u.NewIdentity = next.Identity().Fingerprint()
	return r.in.Deliver(ctx, u, change)
}

// settle ends what the customer was asked for, since something readable has come. What comes with a complaint is to be asked for
// again: perhaps it was a request that could not be read.
func (r *receiver) settle(ctx context.Context, from string, sess *session, u *kabar.Update, next *e2ee.Peer) (network.Change, error) {
	if !sess.asking || u.Retry == nil && next.Unanswered() {
		return nil, nil
	}
	s, err := r.in.State(ctx, askedKey(from))
	if err != nil {
		return nil, err
	}
	a := readAsked(s, from)
	if u.Retry != nil {
		u.Retry.Again = a.refs
		return nil, nil
	}
	sess.asking = false
	return a.answered(from), nil
}

func (r *receiver) read(from string, plain []byte) (kabar.Update, error) {
	p, err := payload.Decode(plain)
	if err != nil {
		return kabar.Update{}, err
	}
	return updateOf(from, p)
}

// senseless is the update for what was decrypted and cannot be understood: the business sees that there was something.
func senseless(v relayclient.Delivery) kabar.Update {
	return kabar.Update{From: customer(v.From.Account), At: v.SentAt, Ref: hexID(v.ID),
		Message: &kabar.Incoming{Content: &kabar.Unsupported{Detail: "the customer's app sent something that this version cannot read"}}}
}

// load reads the session and the prekeys that the envelope needs.
func (r *receiver) load(ctx context.Context, v relayclient.Delivery) (e2ee.PreKeys, network.State, error) {
	var found e2ee.PreKeys
	want := []string{peerKey(v.From.Account)}
	ids, handshake, err := e2ee.PreKeyIDs(v.Ciphertext)
	handshake = handshake && err == nil // what cannot be parsed fails in Decrypt
	if handshake {
		want = append(want, signedKey(ids.Signed), kemKey(ids.KEM), oneTimeKey(ids.OneTime))
	}
	s, err := r.in.State(ctx, want...)
	if err != nil || !handshake {
		return found, s, err
	}
	if k, err := e2ee.UnmarshalSignedPreKey(s[signedKey(ids.Signed)].Value); err == nil {
		found.Signed = append(found.Signed, k)
	}
	if k, err := e2ee.UnmarshalKEMPreKey(s[kemKey(ids.KEM)].Value); err == nil {
		found.KEM = append(found.KEM, k)
	}
	if k, err := e2ee.UnmarshalOneTimePreKey(s[oneTimeKey(ids.OneTime)].Value); err == nil {
		found.OneTime = append(found.OneTime, k)
	}
	return found, s, nil
}

// spent removes the one-time keys that a new session has used.
func spent(s network.State, used e2ee.UsedKeys) network.Change {
	var c network.Change
	for id, key := range map[uint32]string{used.OneTime: oneTimeKey(used.OneTime), used.KEM: kemKey(used.KEM)} {
		if entry, ok := s[key]; ok && id != 0 {
			c = append(c, network.Set{Key: key, Version: entry.Version})
		}
	}
	return c
}

// garbled keeps what cannot be decrypted and has the engine ask for it again.
func (r *receiver) garbled(ctx context.Context, v relayclient.Delivery, sess session, why error) error {
	key := garbledKey(v.From.Account, v.ID)
	s, err := r.in.State(ctx, key)
	if err != nil || bytes.HasPrefix(s[key].Value, v.ID[:]) {
		return err // or it is kept already, and only the acknowledgement was lost
	}
	r.d.log.Warn("cannot decrypt: asking for it again", "envelope", hexID(v.ID), "err", why)
	u := kabar.Update{From: customer(v.From.Account), At: v.SentAt, Ref: hexID(v.ID), Garbled: true}
	change := network.Change{{Key: key, Version: s[key].Version, Value: append(v.ID[:], v.Ciphertext...)}}
	if sess.peer != nil {
		set, err := r.d.writeSession(sess.doubt(r.d.o.Now(), freshFor), v.From.Account, sess.peer, r.d.present())
		if err != nil {
			return err
		}
		change = append(change, set)
	}
	return r.in.Deliver(ctx, u, change)
}
