// Package networktest has a network in memory for the tests of everybody above the drivers, and Exercise, which is the
// definition of a correct driver.
package networktest

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"time"

	"kabar"
	"kabar/internal/network"
)

// Fake is a network in memory. Like a real driver it keeps state (a counter a customer, in place of a ratchet) in the
// engine's store, and it notices when a counter is used twice. It may be used in a testing/synctest bubble.
type Fake struct {
	mu      sync.Mutex
	in      network.Inbox
	ready   chan struct{}
	packets []Packet
	seen    map[string]string // "handle/counter" to packet
	twice   []string          // counters used for two different packets
	refuse  func(Packet) error
	offline bool
	opened  map[string]int
}

// Packet is what a Fake has been handed.
type Packet struct {
	To      string
	Counter int
	Purpose network.Purpose
	Ref     string
	Kind    kabar.Kind
	Content json.RawMessage
	Receipt *kabar.Receipt
	Refs    []string
	Fresh   bool
	ReplyTo string
	Target  string
	Profile *kabar.Profile
	Step    *kabar.FlowStep
}

var (
	_ network.Network = (*Fake)(nil)
	_ network.Linked  = (*Fake)(nil)
)

// NewFake returns a connected network to which everybody belongs.
func NewFake() *Fake {
	return &Fake{ready: make(chan struct{}), seen: map[string]string{}, opened: map[string]int{}}
}

// Keys implements network.Network.
func (f *Fake) Keys(o *network.Outgoing) []string { return []string{"count/" + o.To.Handle()} }

// Entries implements network.Personal.
func (f *Fake) Entries(handle string) []string { return []string{"count/" + handle} }

// Prepare implements network.Network.
func (f *Fake) Prepare(o *network.Outgoing, s network.State) (network.Packet, network.Change, error) {
	key := "count/" + o.To.Handle()
	entry, ok := s[key]
	if !ok || o.Fresh && !o.Opened {
		return nil, nil, network.ErrNeedsOpen
	}
	n, err := strconv.Atoi(string(entry.Value))
	if err != nil {
		return nil, nil, err
	}
	p := Packet{To: o.To.Handle(), Counter: n + 1, Purpose: o.Purpose, Ref: o.Ref, Receipt: o.Receipt, Refs: o.Refs, Fresh: o.Fresh,
		ReplyTo: o.ReplyTo, Target: o.Target, Step: o.Step}
	if o.Purpose == network.PurposeProfile {
		p.Profile = &o.From.Profile
	}
	if o.Message != nil {
		p.Kind = o.Message.Content.Kind()
		if p.Content, err = kabar.EncodeContent(o.Message.Content); err != nil {
			return nil, nil, err
		}
	}
	b, err := json.Marshal(p)
	return b, network.Change{{Key: key, Version: entry.Version, Value: []byte(strconv.Itoa(n + 1))}}, err
}

// Open implements network.Network.
func (f *Fake) Open(_ context.Context, o *network.Outgoing, s network.State) (network.Change, error) {
	f.mu.Lock()
	f.opened[o.To.Handle()]++
	f.mu.Unlock()
	key := "count/" + o.To.Handle()
	if entry, ok := s[key]; ok {
		return network.Change{{Key: key, Version: entry.Version, Value: entry.Value}}, nil
	}
	return network.Change{{Key: key, Value: []byte("0")}}, nil
}

// Transmit implements network.Network.
func (f *Fake) Transmit(_ context.Context, b network.Packet) error {
	var p Packet
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.offline {
		return errors.New("fake network: offline")
	}
	if f.refuse != nil {
		if err := f.refuse(p); err != nil {
			return err
		}
	}
	place := p.To + "/" + strconv.Itoa(p.Counter)
	switch before, used := f.seen[place]; {
	case used && before == string(b):
		return nil // the same bytes again: the network has them
	case used:
		f.twice = append(f.twice, place)
	}
	f.seen[place] = string(b)
	f.packets = append(f.packets, p)
	return nil
}

// Run implements network.Network.
func (f *Fake) Run(ctx context.Context, in network.Inbox) error {
	f.mu.Lock()
	f.in = in
	close(f.ready)
	f.mu.Unlock()
	<-ctx.Done()
	f.mu.Lock()
	f.ready = make(chan struct{})
	f.mu.Unlock()
	return ctx.Err()
}

// Link implements network.Linked.
func (f *Fake) Link() (bool, time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.offline, time.Time{}
}

// SetOffline cuts or restores the connection.
func (f *Fake) SetOffline(off bool) {
	f.mu.Lock()
	f.offline = off
	in := f.in
	f.mu.Unlock()
	if !off && in != nil {
		in.Ready()
	}
}

// Refuse has every packet judged by judge before it is taken; nil takes all.
func (f *Fake) Refuse(judge func(Packet) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuse = judge
}

// Deliver hands an update to the engine as a driver would, and returns when it is committed. It waits for Run.
func (f *Fake) Deliver(ctx context.Context, u kabar.Update) error {
	f.mu.Lock()
	ready := f.ready
	f.mu.Unlock()
	select {
	case <-ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	f.mu.Lock()
	in := f.in
	f.mu.Unlock()
	return in.Deliver(ctx, u, nil)
}

// Packets returns what was taken so far, in order, each once.
func (f *Fake) Packets() []Packet {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Packet(nil), f.packets...)
}

// Messages returns the messages among the packets.
func (f *Fake) Messages() []Packet {
	var ms []Packet
	for _, p := range f.Packets() {
		if p.Purpose == network.PurposeMessage {
			ms = append(ms, p)
		}
	}
	return ms
}

// UsedTwice names the counters that were used for two different packets: must be empty, whatever happens.
func (f *Fake) UsedTwice() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.twice...)
}
