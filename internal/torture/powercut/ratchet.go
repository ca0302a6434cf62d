//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"kabar"
	"kabar/internal/network"
)

// ratchet is a network that keeps one counter a customer in the engine's store, in the place of a ratchet, and remembers what
// was sent under each number. It lies outside the business's machine: no power cut reaches it.
type ratchet struct {
	mu       sync.Mutex
	in       network.Inbox
	ready    chan struct{}
	seen     map[string]network.Packet // by customer and counter
	top      map[string]int            // by customer: the highest counter that was handed to Transmit
	messages map[string][]packet       // by the text of the message, each once
	blobs    map[string][]byte         // by locator
	faults   []string
	accepted chan packet // messages the customers have got and no receipt has been chosen for; nil: they say nothing
}

// packet is what is carried.
type packet struct {
	To      string
	Counter int
	Purpose network.Purpose
	Ref     string
	Text    string
	Locator []byte
	Receipt *kabar.Receipt
}

var (
	_ network.Network      = (*ratchet)(nil)
	_ network.MediaCarrier = (*ratchet)(nil)
)

func newRatchet() *ratchet {
	return &ratchet{ready: make(chan struct{}), seen: map[string]network.Packet{}, top: map[string]int{}, messages: map[string][]packet{},
		blobs: map[string][]byte{}}
}

func counterKey(handle string) string { return "sent/" + handle }

// Keys implements network.Network.
func (r *ratchet) Keys(o *network.Outgoing) []string { return []string{counterKey(o.To.Handle())} }

// Prepare implements network.Network.
func (r *ratchet) Prepare(o *network.Outgoing, s network.State) (network.Packet, network.Change, error) {
	key := counterKey(o.To.Handle())
	entry, ok := s[key]
	if !ok {
		return nil, nil, network.ErrNeedsOpen
	}
	n, err := strconv.Atoi(string(entry.Value))
	if err != nil {
		return nil, nil, err
	}
	p := packet{To: o.To.Handle(), Counter: n + 1, Purpose: o.Purpose, Ref: o.Ref, Receipt: o.Receipt}
	if o.Message != nil {
		p.Text = textOf(o.Message.Content)
	}
	if o.Medium != nil {
		p.Locator = o.Medium.Locator
	}
	b, err := json.Marshal(p)
	return b, network.Change{{Key: key, Version: entry.Version, Value: []byte(strconv.Itoa(n + 1))}}, err
}

// Open implements network.Network.
func (r *ratchet) Open(_ context.Context, o *network.Outgoing, _ network.State) (network.Change, error) {
	return network.Change{{Key: counterKey(o.To.Handle()), Value: []byte("0")}}, nil
}

// Transmit implements network.Network.
func (r *ratchet) Transmit(_ context.Context, b network.Packet) error {
	var p packet
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	place := fmt.Sprintf("%s/%d", p.To, p.Counter)
	if before, used := r.seen[place]; used {
		if !bytes.Equal(before, b) {
			r.faults = append(r.faults, "counter "+place+" was used for two packets")
		}
		return nil
	}
	r.seen[place] = bytes.Clone(b)
	r.top[p.To] = max(r.top[p.To], p.Counter)
	if p.Purpose != network.PurposeMessage {
		return nil
	}
	r.messages[p.Text] = append(r.messages[p.Text], p)
	select {
	case r.accepted <- p:
	default: // nobody answers, or not as fast
	}
	return nil
}

// Run implements network.Network.
func (r *ratchet) Run(ctx context.Context, in network.Inbox) error {
	r.mu.Lock()
	r.in = in
	close(r.ready)
	r.mu.Unlock()
	<-ctx.Done()
	r.mu.Lock()
	r.ready = make(chan struct{})
	r.mu.Unlock()
	return ctx.Err()
}

// Upload implements network.MediaCarrier.
func (r *ratchet) Upload(_ context.Context, plain io.Reader, _ int64) ([]byte, time.Time, error) {
	b, err := io.ReadAll(plain)
	if err != nil {
		return nil, time.Time{}, err
	}
	return r.keep(b), time.Now().Add(30 * 24 * time.Hour), nil
}

// keep stores a blob.
func (r *ratchet) keep(b []byte) []byte {
	locator := hash(b)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blobs[locator] = b
	return []byte(locator)
}

// Download implements network.MediaCarrier.
func (r *ratchet) Download(_ context.Context, m *kabar.RemoteMedium) (io.ReadCloser, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b, ok := r.blobs[string(m.Locator)]
	if !ok {
		return nil, errors.New("no such blob")
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// deliver hands an update to the engine and returns when it is committed. It waits for Run.
func (r *ratchet) deliver(ctx context.Context, u kabar.Update, c network.Change) error {
	r.mu.Lock()
	ready := r.ready
	r.mu.Unlock()
	select {
	case <-ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	r.mu.Lock()
	in := r.in
	r.mu.Unlock()
	return in.Deliver(ctx, u, c)
}

// textOf is what makes a content the only one of its kind: each text or caption is used once.
func textOf(c kabar.Content) string {
	switch c := c.(type) {
	case *kabar.Text:
		return c.Body
	case *kabar.Media:
		return strings.TrimSpace(c.Caption)
	default:
		return ""
	}
}
