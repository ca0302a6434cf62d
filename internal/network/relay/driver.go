// Package relay is the driver for the embedded network: it encrypts for customers end to end and carries the ciphertext to
// and from a kabar relay.
//
// All its lasting state (the device's identity and prekeys, a session a customer) lives in the engine's store, handed in
// and out as network.State and network.Change: a ratchet advances only in the commit that stores its ciphertext. In memory
// there is the connection and a copy of the device's own keys.
//
// Run starts and ends every goroutine. The other methods may be called while Run runs; Transmit, Open, Upload, Download
// and Lookup fail with an error that passes while there is no connection. Protocol and promises: docs/encryption.md.
package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"kabar"
	"kabar/internal/e2ee"
	"kabar/internal/network"
	"kabar/internal/relayclient"
	"kabar/internal/relayproto"
)

// Options describe a driver for one number.
type Options struct {
	URL     string // of the relay, ws:// or wss://
	Account string // the number's digits
	// Invite returns what admits the number to a private relay; empty or nil in open mode. It is asked at each dial: an invite
	// can be given to a driver that runs.
	Invite  func(ctx context.Context) (string, error)
	TempDir string // for ciphertext on its way; default the system's
	Log     *slog.Logger
	Now     func() time.Time
	HTTP    *http.Client
}

// Driver carries the messages of one number over a relay.
type Driver struct {
	o   Options
	log *slog.Logger

	tendEvery     time.Duration // how often the age of the prekeys is looked at
	askEvery      time.Duration // how often the relay is asked again while it waits for a code
	verifications chan verification
	shifted       chan chan struct{} // the clock has jumped: closed when the directory has been seen to
	peers         e2ee.Memo

	mu           sync.RWMutex
	device       *device // nil until Run has read or made it
	stale        bool    // the store has another device by now: it is read before the next dial
	fresh        bool    // the relay has said that the store is no older than the last run, or sessions start afresh
	conn         *relayclient.Conn
	since        time.Time // of the present state of the link
	registration registration
}

var (
	_ network.Network      = (*Driver)(nil)
	_ network.MediaCarrier = (*Driver)(nil)
	_ network.Directory    = (*Driver)(nil)
	_ network.Typist       = (*Driver)(nil)
	_ network.Linked       = (*Driver)(nil)
	_ network.Identified   = (*Driver)(nil)
	_ network.Aging        = (*Driver)(nil)
	_ network.Personal     = (*Driver)(nil)
)

// New returns a driver. It does nothing until Run.
func New(o Options) *Driver {
	d := &Driver{o: o, log: o.Log, tendEvery: 10 * time.Minute, askEvery: 30 * time.Second, verifications: make(chan verification),
		shifted: make(chan chan struct{}), registration: registration{state: network.RegistrationUnknown}}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.o.Now == nil {
		d.o.Now = time.Now
	}
	d.since = time.Now() // real time: how long a line is down is no matter of the product's clock
	return d
}

// shiftWait is how long Shifted waits at most.
const shiftWait = 5 * time.Second

// Shifted implements network.Aging. Whoever begins a session at once gets keys that have not expired. A driver without a connection looks
// after them when it has one.
func (d *Driver) Shifted() {
	if up, _ := d.Link(); !up {
		return
	}
	wait := time.NewTimer(shiftWait)
	defer wait.Stop()
	done := make(chan struct{})
	select {
	case d.shifted <- done:
	case <-wait.C:
		return
	}
	select {
	case <-done:
	case <-wait.C:
	}
}

// errOffline passes: the driver reconnects by itself.
var errOffline = errors.New("relay: not connected")

// dialTimeout bounds connecting and logging in: a relay that accepts and says nothing must not hold the driver.
const dialTimeout = 30 * time.Second

// Run connects and receives until ctx ends.
func (d *Driver) Run(ctx context.Context, in network.Inbox) error {
	err := relayclient.Keep(ctx, func(ctx context.Context) (*relayclient.Conn, error) {
		return d.dialUntilAdmitted(ctx, in)
	}, func(ctx context.Context, conn *relayclient.Conn) error {
		err := d.serve(ctx, in, conn)
		if errors.Is(err, relayclient.ErrRevoked) {
			d.remember(ctx, err)
		}
		return err
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// dial connects and registers if need be, with a code if there is one.
func (d *Driver) dial(ctx context.Context, in network.Inbox, code string) (*relayclient.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if d.outdated() {
		if err := d.reloadDevice(ctx, in); err != nil {
			return nil, err
		}
	}
	dev := d.present()
	var invite string
	if d.o.Invite != nil {
		var err error
		if invite, err = d.o.Invite(ctx); err != nil {
			return nil, fmt.Errorf("read the invite: %w", err)
		}
	}
	return relayclient.Dial(ctx, relayclient.Options{
		URL: d.o.URL, Account: d.o.Account, Class: relayclient.Business, Invite: invite, Code: code, Recovery: dev.Recovery,
		PublicKey: dev.identity.Public().Sign, Sign: dev.identity.Sign, HTTPClient: d.o.HTTP,
		OnLogin: func(ctx context.Context, info relayclient.LoginInfo) error { return d.login(ctx, in, info) },
	})
}

// login compares the relay's memory of this device with ours, and looks for the entry that a restore leaves. A store that has
// been set back has used its message keys and has lost some of its prekeys: every session is started afresh, and the directory
// gets new keys. Nothing is encrypted before that is known.
func (d *Driver) login(ctx context.Context, in network.Inbox, info relayclient.LoginInfo) error {
	s, err := in.State(ctx, network.RestoredKey)
	if err != nil {
		return err
	}
	mark, restored := s[network.RestoredKey]
	//failpoint:login
	err = d.changeDevice(ctx, in, func(dev *device) (c network.Change, err error) {
		if restored {
			c = network.Change{{Key: network.RestoredKey, Version: mark.Version}}
		}
		if restored || info.Restored(dev.Counter, dev.NextID) {
			dev.startAfresh(info.HighestID)
			d.log.Warn("the store has been set back: every session starts afresh", "restored", restored)
		}
		dev.Counter = info.Counter
		return c, nil
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fresh = true
	return nil
}

// serve receives over one connection until it ends.
func (d *Driver) serve(ctx context.Context, in network.Inbox, conn *relayclient.Conn) error {
	if err := d.replenish(ctx, in, conn, conn.Info()); err != nil {
		return err
	}
	d.setConn(conn)
	defer d.setConn(nil)
	in.Ready()
	d.log.Info("connected to the relay", "url", d.o.URL)
	r := newReceiver(ctx, d, in, conn)
	defer r.wait()
	r.work.Go(r.tend)
	err := conn.Receive(r.ctx, relayclient.Handler{Envelope: r.envelope, Expired: r.expired, PrekeysLow: r.prekeysLow})
	return errors.Join(err, context.Cause(r.ctx))
}

func (d *Driver) setConn(c *relayclient.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conn, d.since = c, time.Now()
}

// present returns the device as it is now; nil before Run has read it.
func (d *Driver) present() *device {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.device
}

// outdated reports whether the device has to be read, and forgets that.
func (d *Driver) outdated() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	outdated := d.device == nil || d.stale
	d.stale = false
	return outdated
}

// link returns the connection and the device, or errOffline.
func (d *Driver) link() (*relayclient.Conn, *device, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.conn == nil || d.device == nil {
		return nil, nil, errOffline
	}
	return d.conn, d.device, nil
}

// Link implements network.Linked.
func (d *Driver) Link() (connected bool, since time.Time) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.conn != nil, d.since
}

// Lookup implements network.Directory.
func (d *Driver) Lookup(ctx context.Context, handles []string) ([]bool, error) {
	conn, _, err := d.link()
	if err != nil {
		return nil, err
	}
	var accounts []string
	for _, h := range handles {
		if relayproto.ValidAccount(h) { // the relay hangs up on whoever asks for anything else
			accounts = append(accounts, h)
		}
	}
	known, err := conn.Lookup(ctx, accounts...)
	if err != nil {
		return nil, verdict(err)
	}
	all := make([]bool, len(handles))
	for i, h := range handles {
		if relayproto.ValidAccount(h) {
			all[i], known = known[0], known[1:]
		}
	}
	return all, nil
}

func (d *Driver) address() e2ee.Address { return e2ee.Address{Account: d.o.Account, Device: 1} }

func peerAddress(account string) e2ee.Address { return e2ee.Address{Account: account, Device: 1} }

// verdict translates the relay's refusals into the engine's words.
func verdict(err error) error {
	var later *relayclient.RetryAfter
	switch {
	case errors.As(err, &later):
		return &network.Later{After: later.After, Why: later.Unwrap().Error()}
	case errors.Is(err, relayclient.ErrUnknownRecipient):
		return &network.Refused{Reason: kabar.ReasonUnknownUser}
	case errors.Is(err, relayclient.ErrExpired):
		return &network.Refused{Reason: kabar.ReasonExpired}
	case errors.Is(err, relayclient.ErrTooLarge), errors.Is(err, relayclient.ErrMalformed):
		return &network.Refused{Reason: kabar.ReasonUndeliverable}
	case errors.Is(err, relayclient.ErrNoPrekeys):
		return &network.Later{After: 5 * time.Second, Why: "the customer's phone has not published its keys yet"}
	}
	return err
}
