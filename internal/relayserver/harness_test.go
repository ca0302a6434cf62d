package relayserver_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kabar/internal/patience"
	"kabar/internal/relayclient"
	"kabar/internal/relayserver"
)

// relay is a running relay on a loopback port, with a clock that can be shifted.
type relay struct {
	*relayserver.Server
	t    testing.TB
	dir  string
	addr string
	skew *atomic.Int64
	stop func()
}

// start runs a relay in a new folder.
func start(t testing.TB, limits relayserver.Limits) *relay {
	t.Helper()
	r := &relay{t: t, dir: t.TempDir(), addr: "127.0.0.1:0", skew: new(atomic.Int64)}
	r.run(limits)
	return r
}

// run runs the relay of the folder on the address it had before.
func (r *relay) run(limits relayserver.Limits) {
	r.t.Helper()
	server, err := relayserver.Open(r.t.Context(), relayserver.Options{
		Dir:    r.dir,
		Limits: limits,
		Admit:  relayserver.OpenRegistration,
		Now:    func() time.Time { return time.Now().Add(time.Duration(r.skew.Load())) },
		Log:    slog.New(slog.NewTextHandler(r.t.Output(), nil)),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Server = server
	r.serve(r.addr)
}

// serve starts r.Server on addr.
func (r *relay) serve(addr string) {
	r.t.Helper()
	server := r.Server
	var ln net.Listener
	var err error
	if !patience.Comes(func() bool { // a port that it has had before may be that of somebody's connection for a moment
		ln, err = net.Listen("tcp", addr)
		return err == nil
	}) {
		r.t.Fatal(err)
	}
	r.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, ln) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-served; err != nil {
			r.t.Errorf("Serve: %v", err)
		}
		if err := server.Close(); err != nil {
			r.t.Errorf("Close: %v", err)
		}
	})
	r.t.Cleanup(r.stop)
}

// shift moves the relay's clock forward and lets it act on that.
func (r *relay) shift(d time.Duration) {
	r.t.Helper()
	r.skew.Add(int64(d))
	if err := r.Sweep(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *relay) url() string { return "ws://" + r.addr }

// device holds what a handset keeps.
type device struct {
	relay   *relay
	options relayclient.Options
}

func (r *relay) device(account string) *device {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		r.t.Fatal(err)
	}
	return &device{relay: r, options: relayclient.Options{
		URL: r.url(), Account: account, PublicKey: pub,
		Sign: func(m []byte) []byte { return ed25519.Sign(priv, m) },
	}}
}

func (r *relay) business(account string) *device {
	d := r.device(account)
	d.options.Class = relayclient.Business
	return d
}

// dial connects and fails the test if it cannot.
func (d *device) dial() *client {
	d.relay.t.Helper()
	c, err := d.try()
	if err != nil {
		d.relay.t.Fatal(err)
	}
	return c
}

func (d *device) try() (*client, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience.Limit)
	defer cancel()
	conn, err := relayclient.Dial(ctx, d.options)
	if err != nil {
		return nil, err
	}
	c := &client{Conn: conn, t: d.relay.t}
	d.relay.t.Cleanup(func() { _ = conn.Close() })
	return c, nil
}

// client is a connection with helpers for tests.
type client struct {
	*relayclient.Conn
	t testing.TB
}

// listen collects what arrives.
func (c *client) listen() *arrivals {
	a := &arrivals{
		client:    c,
		envelopes: make(chan relayclient.Delivery, 1000),
		expired:   make(chan relayclient.Expiry, 1000),
		signals:   make(chan string, 1000),
		low:       make(chan [2]int, 1000),
	}
	go func() {
		_ = c.Receive(context.Background(), relayclient.Handler{ // ends with the connection
			Envelope:   func(d relayclient.Delivery) { a.envelopes <- d },
			Expired:    func(e relayclient.Expiry) { a.expired <- e },
			Signal:     func(_ relayclient.Address, b []byte) { a.signals <- string(b) },
			PrekeysLow: func(x, k int) { a.low <- [2]int{x, k} },
		})
	}()
	return a
}

type arrivals struct {
	client    *client
	envelopes chan relayclient.Delivery
	expired   chan relayclient.Expiry
	signals   chan string
	low       chan [2]int
}

// next returns what comes next.
func next[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	return patience.Next(t, "something arrives", from)
}

// settle returns when the relay has done what it was asked on this connection so far, and has sent what that brought for this
// device: a look-up is answered behind it.
func (c *client) settle() {
	c.t.Helper()
	for range 3 { // the worker's turns: of what came before, of what that has stirred, and one more
		if _, err := c.Lookup(patience.Context(c.t), "1"); err != nil {
			c.t.Fatal(err)
		}
	}
}

// quiet fails the test if something has come on one of a's channels.
func quiet[T any](a *arrivals, from <-chan T) {
	a.client.t.Helper()
	a.client.settle()
	select {
	case v := <-from:
		a.client.t.Fatalf("unexpected: %v", v)
	case <-time.After(100 * time.Millisecond): // from the connection to the channel
	}
}

func randomID() (id relayclient.MsgID) {
	_, _ = rand.Read(id[:])
	return id
}

// to makes an envelope for an account.
func to(account, text string) relayclient.Envelope {
	return relayclient.Envelope{ID: randomID(), To: relayclient.Address{Account: account}, Ciphertext: []byte(text)}
}

// send fails the test if the relay refuses.
func (c *client) send(e relayclient.Envelope) {
	c.t.Helper()
	if err := c.Send(c.t.Context(), e); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) ack(seqs ...uint64) {
	c.t.Helper()
	if err := c.Ack(c.t.Context(), seqs...); err != nil {
		c.t.Fatal(err)
	}
}

// randomAccount is one that nobody has.
func randomAccount() string {
	id := randomID()
	return hex.EncodeToString(id[:])
}

func errorHas(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }

// frozen runs a relay whose clock moves only when it is told to.
func frozen(t testing.TB, limits relayserver.Limits) (*relay, *atomic.Int64) {
	t.Helper()
	clock := new(atomic.Int64)
	clock.Store(time.Now().UnixNano())
	server, err := relayserver.Open(t.Context(), relayserver.Options{
		Dir: t.TempDir(), Limits: limits, Admit: relayserver.OpenRegistration,
		Now: func() time.Time { return time.Unix(0, clock.Load()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, Server: server}
	r.serve("127.0.0.1:0")
	return r, clock
}
