package relay_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
	"kabar/internal/network/relay"
	"kabar/internal/relayserver"
)

const business = "628111000111"

// rig is a relay on a loopback port, a clock for all, and the wire between the relay and the business.
type rig struct {
	t     *testing.T
	dir   string
	url   string
	skew  atomic.Int64
	wire  *wire
	log   *slog.Logger
	relay *relayserver.Server

	mu        sync.Mutex
	customers int
}

func newRig(t *testing.T) *rig { return newLimitedRig(t, relayserver.NoLimits()) }

func newLimitedRig(t *testing.T, limits relayserver.Limits) *rig {
	t.Helper()
	return newRigOf(t, limits, relayserver.OpenRegistration)
}

func newRigOf(t *testing.T, limits relayserver.Limits, admit relayserver.Admission) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), wire: &wire{conns: map[net.Conn]bool{}}, log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	server, err := relayserver.Open(t.Context(), relayserver.Options{Dir: r.dir, Limits: limits, Admit: admit, Now: r.now, Log: r.log})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.relay, r.url = server, "ws://"+ln.Addr().String()
	r.serve(ln)
	return r
}

// serve runs the relay until everything else of the test has ended.
func (r *rig) serve(ln net.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- r.relay.Serve(ctx, ln) }()
	r.t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-served, r.relay.Close()); err != nil {
			r.t.Errorf("the relay: %v", err)
		}
	})
}

func (r *rig) now() time.Time { return time.Now().Add(time.Duration(r.skew.Load())) }

// shift moves the clock of everybody.
func (r *rig) shift(d time.Duration) { r.skew.Add(int64(d)) }

// pair is what networktest works with.
func (r *rig) pair() networktest.Pair {
	return networktest.Pair{
		Number:   &kabar.Number{ID: 1, Digits: business, Profile: kabar.Profile{Name: "Warung Kabar", Email: "warung@example.com"}},
		Now:      r.now,
		Driver:   func() network.Network { return r.driver() },
		Customer: func() networktest.Peer { return r.handset() },
		Line:     r.wire.set,
		Stranger: kabar.Customer{WaID: "999999999999"},
	}
}

func (r *rig) driver() *relay.Driver { return r.invited("") }

// invited returns a driver that has an invite.
func (r *rig) invited(invite string) *relay.Driver {
	return relay.New(relay.Options{URL: r.url, Account: business, Invite: func(context.Context) (string, error) { return invite, nil }, TempDir: r.dir, Log: r.log, Now: r.now,
		HTTP: &http.Client{Transport: &http.Transport{DialContext: r.wire.dial, DisableKeepAlives: true}}})
}

// desk is the business at work.
func (r *rig) desk() *networktest.Desk { return networktest.NewDesk(r.t, r.pair()) }

// handset returns a new customer, who is online.
func (r *rig) handset() *handset {
	r.mu.Lock()
	r.customers++
	n := r.customers
	r.mu.Unlock()
	h := newHandset(r, fmt.Sprintf("62900%d", n))
	h.Online(true)
	return h
}

// wire is the business's way to the relay, which can be cut.
type wire struct {
	mu    sync.Mutex
	down  bool
	conns map[net.Conn]bool
}

var errCut = errors.New("the line is cut")

func (w *wire) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down {
		_ = c.Close()
		return nil, errCut
	}
	w.conns[c] = true
	return c, nil
}

func (w *wire) set(up bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = !up
	for c := range w.conns {
		if w.down {
			_ = c.Close()
			delete(w.conns, c)
		}
	}
}
