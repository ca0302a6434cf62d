package phone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"kabar/internal/e2ee"
	"kabar/internal/relayclient"
)

const (
	dialTimeout = 30 * time.Second
	reachWithin = 3 * time.Second
	dialsAtOnce = 16 // a thousand handsets that come back together must not starve each other
)

// link is an online customer: it keeps a connection to the relay until it is cut.
type link struct {
	cut   context.CancelFunc
	done  chan struct{}
	ready chan struct{} // closed when the customer can first be reached: registered, and with keys in the directory

	mu   sync.Mutex
	line *line // the present connection; nil: none
}

// connect begins to keep a customer connected, if the phone runs. The channel is closed when the customer can be reached.
func (p *Phone) connect(id int64) (ready <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running == nil || p.running.Err() != nil {
		return nil
	}
	if l := p.links[id]; l != nil {
		return l.ready
	}
	ctx, cut := context.WithCancel(p.running)
	l := &link{cut: cut, done: make(chan struct{}), ready: make(chan struct{})}
	p.links[id] = l
	p.work.Go(func() {
		defer close(l.done)
		p.keep(ctx, id, l)
	})
	return l.ready
}

// reach connects a customer and waits a moment for it, so that who has just made one can be written to at once. Without
// a relay the customer is as good: it connects when there is one.
func (p *Phone) reach(ctx context.Context, id int64) {
	ready := p.connect(id)
	if ready == nil {
		return
	}
	select {
	case <-ready:
	case <-ctx.Done():
	case <-time.After(reachWithin):
	}
}

// disconnect cuts a customer's connection and returns when it has ended.
func (p *Phone) disconnect(id int64) {
	p.mu.Lock()
	l := p.links[id]
	delete(p.links, id)
	p.mu.Unlock()
	if l != nil {
		l.cut()
		<-l.done
	}
}

// keep dials again and again, until ctx ends. Every connection learns anew who the customer is: a new identity takes
// effect with it.
func (p *Phone) keep(ctx context.Context, id int64, l *link) {
	var n *line
	var said string // what has been logged already
	dial := func(ctx context.Context) (*relayclient.Conn, error) {
		select {
		case p.dials <- struct{}{}:
			defer func() { <-p.dials }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		var err error
		if n, err = p.newLine(ctx, id); err != nil {
			return nil, err
		}
		conn, err := n.dial(ctx)
		switch {
		case errors.Is(err, relayclient.ErrRegistration), errors.Is(err, relayclient.ErrWrongKey), errors.Is(err, relayclient.ErrRevoked):
			if said != err.Error() {
				n.log.Warn("the relay does not admit the customer", "error", err)
			}
			said = err.Error()
		case err != nil:
			n.log.Debug("cannot connect", "error", err)
		}
		return conn, err
	}
	run := func(ctx context.Context, conn *relayclient.Conn) error { return n.run(ctx, conn, l) }
	_ = relayclient.Keep(ctx, dial, run) // it ends with ctx only, and that is no error
}

// wake makes a customer's connection look into the outbox.
func (p *Phone) wake(id int64) {
	if n := p.line(id); n != nil {
		n.start(&n.sender, n.send)
	}
}

// line returns a customer's present connection, or nil.
func (p *Phone) line(id int64) *line {
	p.mu.Lock()
	l := p.links[id]
	p.mu.Unlock()
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.line
}

// line is one connection of a customer. At rest it has no goroutine of its own but the one in run; work is done by
// goroutines that exist while there is some.
type line struct {
	p        *Phone
	log      *slog.Logger
	id       int64
	handle   string
	identity *e2ee.Identity
	secret   []byte // the stored form of identity
	old      *e2ee.Identity
	recovery []byte
	login    uint64

	link *link
	conn *relayclient.Conn
	ctx  context.Context //nolint:containedctx // the life of the connection, for work that others start
	end  context.CancelCauseFunc

	mu                               sync.Mutex
	closed                           bool
	work                             sync.WaitGroup
	receiver, sender, fetcher, filer worker
	inbox                            []relayclient.Delivery
	have                             relayclient.LoginInfo // what the relay says of its stock of keys

	patience   map[string]time.Time // by business: do not send before; only the sender touches it
	renewAfter map[string]time.Time // by business: do not try to renew the session before; the same
}

// newLine reads who is to connect.
func (p *Phone) newLine(ctx context.Context, id int64) (*line, error) {
	n := &line{p: p, id: id, patience: make(map[string]time.Time), renewAfter: make(map[string]time.Time)}
	var old []byte
	err := p.db.Read.QueryRowContext(ctx, "SELECT handle, identity, old_identity, recovery, login FROM customers WHERE id = ?", id).
		Scan(&n.handle, &n.secret, &old, &n.recovery, &n.login)
	if err != nil {
		return nil, fmt.Errorf("read customer: %w", err)
	}
	n.log = p.log.With("customer", n.handle)
	if n.identity, err = e2ee.UnmarshalIdentity(n.secret); err == nil && old != nil {
		n.old, err = e2ee.UnmarshalIdentity(old)
	}
	if err != nil {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	return n, nil
}

func (n *line) dial(ctx context.Context) (*relayclient.Conn, error) {
	o := relayclient.Options{
		URL: n.p.opts.RelayURL, Account: n.handle, Class: relayclient.Customer, Invite: n.p.opts.Invite, Host: n.p.host,
		Recovery: n.recovery, PublicKey: n.identity.Public().Sign, Sign: n.identity.Sign, OnLogin: n.loggedIn,
		HTTPClient: n.p.opts.HTTP,
	}
	if n.old != nil {
		o.Reinstall, o.SignOld = true, n.old.Sign
	}
	return relayclient.Dial(ctx, o)
}

// loggedIn stores the relay's counter before the connection is used. A store that the relay knows to be older than the
// last run has sessions whose keys were used since: they are not written in any more. And it lacks private halves of what is
// in the directory, where everything is replaced.
func (n *line) loggedIn(ctx context.Context, info relayclient.LoginInfo) error {
	n.have = info
	return n.p.do(ctx, func(t *tx) error {
		var next uint32
		if err := t.QueryRow("SELECT next_key FROM customers WHERE id = ?", n.id).Scan(&next); err != nil {
			return err
		}
		if info.Restored(n.login, next) {
			n.log.Warn("the store is older than the last run: sessions begin afresh")
			if err := errors.Join(t.retireAll(n.id), t.outdateKeys(n.id, info.HighestID)); err != nil {
				return err
			}
		}
		return t.exec("UPDATE customers SET login = ?, old_identity = NULL WHERE id = ? AND identity = ?", int64(info.Counter), n.id, n.secret)
	})
}

// retireAll makes the next message to each business open a session, and encrypts again what was encrypted in an old one.
func (t *tx) retireAll(id int64) error {
	businesses, err := list[string](context.Background(), t, "SELECT business FROM chats WHERE customer = ?", id)
	if err != nil {
		return err
	}
	c := &customer{id: id}
	for _, business := range businesses {
		ch, err := t.chat(c, business)
		if err != nil {
			return err
		}
		ch.peer, ch.changed = ch.peer.Retire(), true
		if err := t.saveChat(c, ch); err != nil {
			return err
		}
	}
	return t.unseal(id)
}

// unseal has all that may not have left encrypted anew, in another envelope: also what was not encrypted yet, which a life that
// is lost may have sent.
func (t *tx) unseal(customer int64) error {
	return t.exec("UPDATE outbox SET state = ?, ciphertext = NULL, msg_id = randomblob(16) WHERE customer = ? AND state != ?", rowQueued, customer, rowSent)
}

// run works with a connection until it ends.
func (n *line) run(ctx context.Context, conn *relayclient.Conn, l *link) error {
	n.conn, n.link = conn, l
	n.ctx, n.end = context.WithCancelCause(ctx)
	l.set(n)
	defer func() {
		l.set(nil)
		n.end(nil)
		n.mu.Lock()
		n.closed = true
		n.mu.Unlock()
		n.work.Wait()
	}()
	n.start(&n.filer, n.fillDirectory)
	n.start(&n.sender, n.send)
	n.start(&n.fetcher, n.fetch)
	err := conn.Receive(n.ctx, relayclient.Handler{
		Envelope: func(d relayclient.Delivery) {
			n.mu.Lock()
			n.inbox = append(n.inbox, d)
			n.mu.Unlock()
			n.start(&n.receiver, n.drainInbox)
		},
		Expired:    n.expired,
		Signal:     n.signal,
		PrekeysLow: n.keysLow,
	})
	return errors.Join(err, context.Cause(n.ctx))
}

// reached says that the customer can be reached.
func (l *link) reached() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.ready:
	default:
		close(l.ready)
	}
}

func (l *link) set(n *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line = n
}
