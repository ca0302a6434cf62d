package networktest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/patience"
)

// Desk does for a driver what the engine does: it commits what the driver computes, hands on what is committed, and
// starts a new driver over the same store when the process "dies".
type Desk struct {
	Pair
	Store *Store
	Net   network.Network

	t    *testing.T
	stop func()
	refs int
}

// NewDesk returns a desk over an empty store, with a running driver.
func NewDesk(t *testing.T, p Pair) *Desk {
	d := &Desk{Pair: p, Store: NewStore(), t: t}
	d.Start()
	return d
}

// Start makes a driver, runs it and waits until it is connected.
func (d *Desk) Start() {
	d.t.Helper()
	n := d.Driver()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx, d.Store) }()
	d.Net = n
	d.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(patience.Limit):
			d.t.Error("Run has not returned, though its context has ended")
		}
	})
	d.t.Cleanup(d.stop)
	d.Connected(true)
}

// Stop ends the driver, as the end of the process does, and waits for Run.
func (d *Desk) Stop() { d.stop() }

// Restart ends the driver and starts another one over the same store.
func (d *Desk) Restart() {
	d.t.Helper()
	d.Stop()
	d.Start()
}

// Connected waits until the driver is connected, or is not. A driver without a connection to lose always is.
func (d *Desk) Connected(want bool) {
	d.t.Helper()
	linked, ok := d.Net.(network.Linked)
	if !ok {
		return
	}
	patience.Until(d.t, fmt.Sprintf("connected is %v", want), func() bool {
		is, _ := linked.Link()
		return is == want
	})
}

// Message returns a new message to a customer, with a ref of its own.
func (d *Desk) Message(to kabar.Customer, c kabar.Content) *network.Outgoing {
	d.refs++
	now := d.Now()
	return &network.Outgoing{Purpose: network.PurposeMessage, From: d.Number, To: to, Now: now, Ref: fmt.Sprintf("01%016x", d.refs),
		Message: &kabar.Message{Direction: kabar.Outbound, Status: kabar.Accepted, Content: c, At: now, Expires: now.Add(kabar.DefaultTTL)}}
}

// Text returns a new text to a customer.
func (d *Desk) Text(to Peer, body string) *network.Outgoing {
	return d.Message(to.Customer(), &kabar.Text{Body: body})
}

// Pack does T1: it has the driver compute the packet and commits it with the driver's change. What passes is tried again.
// The error is one that is final for the message.
func (d *Desk) Pack(o *network.Outgoing) (network.Packet, error) {
	d.t.Helper()
	for end := time.Now().Add(patience.Limit); ; time.Sleep(time.Millisecond) {
		o.Now = d.Now()
		p, err := d.compute(o)
		var refused *network.Refused
		if err == nil || errors.As(err, &refused) {
			return p, err
		}
		if time.Now().After(end) {
			d.t.Fatalf("pack %s %s: still %v", o.Purpose, o.Ref, err)
		}
	}
}

// compute tries T1 once.
func (d *Desk) compute(o *network.Outgoing) (network.Packet, error) {
	s, err := d.Store.State(d.t.Context(), d.Net.Keys(o)...)
	if err != nil {
		return nil, err
	}
	p, change, err := d.Net.Prepare(o, s)
	if errors.Is(err, network.ErrNeedsOpen) {
		return nil, errors.Join(err, d.open(o, s))
	}
	if err != nil {
		return nil, err
	}
	return p, d.Store.Pack(p, change)
}

func (d *Desk) open(o *network.Outgoing, s network.State) error {
	change, err := d.Net.Open(d.t.Context(), o, s)
	if err == nil {
		err = d.Store.Deliver(d.t.Context(), kabar.Update{}, change)
	}
	if err == nil {
		o.Opened, o.Fetched = true, nil
	}
	return err
}

// Transmit does T2: it hands a packet to the network until that has it. The error is one that is final.
func (d *Desk) Transmit(p network.Packet) error {
	d.t.Helper()
	for end := time.Now().Add(patience.Limit); ; time.Sleep(5 * time.Millisecond) {
		err := d.Net.Transmit(d.t.Context(), p)
		var refused *network.Refused
		if err == nil || errors.As(err, &refused) {
			return err
		}
		if time.Now().After(end) {
			d.t.Fatalf("transmit: still %v", err)
		}
	}
}

// Send packs and transmits, and fails the test when the network refuses.
func (d *Desk) Send(o *network.Outgoing) {
	d.t.Helper()
	p, err := d.Pack(o)
	if err == nil {
		err = d.Transmit(p)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// Heard returns the updates from one customer that f accepts.
func (d *Desk) Heard(from Peer, f func(kabar.Update) bool) []kabar.Update {
	var us []kabar.Update
	for _, u := range d.Store.Updates() {
		if u.From.Handle() == from.Customer().Handle() && f(u) {
			us = append(us, u)
		}
	}
	return us
}

// Await waits until there are n updates from a customer that f accepts, and returns them.
func (d *Desk) Await(from Peer, what string, n int, f func(kabar.Update) bool) []kabar.Update {
	d.t.Helper()
	patience.Until(d.t, fmt.Sprintf("%d from the customer: %s", n, what), func() bool { return len(d.Heard(from, f)) >= n })
	return d.Heard(from, f)
}

// Texts returns the bodies of the texts that a customer has sent, in the order of the commits.
func (d *Desk) Texts(from Peer) []string {
	var all []string
	for _, u := range d.Heard(from, isMessage) {
		if t, ok := u.Message.Content.(*kabar.Text); ok {
			all = append(all, t.Body)
		}
	}
	return all
}

func isMessage(u kabar.Update) bool { return u.Message != nil }
