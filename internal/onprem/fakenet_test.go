package onprem

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"kabar"
	"kabar/internal/network"
)

// fakeNet is a network that takes everything and has no state. Handles that end in 000 are not on it until they join.
type fakeNet struct {
	ready chan struct{} // closed once it runs

	mu      sync.Mutex
	in      network.Inbox
	offline bool
	since   time.Time
	refuse  kabar.Reason      // of every message, if set
	later   bool              // every message is put off
	putOff  bool              // one was
	joined  map[string]bool   // by handle
	media   map[string][]byte // by locator
	told    []kabar.Profile   // what customers were told of the business

	registration network.Registration // empty: registered
	wrong        int                  // codes brought
}

func newFakeNet() *fakeNet {
	return &fakeNet{ready: make(chan struct{}), joined: map[string]bool{}, media: map[string][]byte{}}
}

func (f *fakeNet) Keys(*network.Outgoing) []string { return nil }

func (f *fakeNet) Prepare(o *network.Outgoing, _ network.State) (network.Packet, network.Change, error) {
	if o.Purpose == network.PurposeProfile {
		f.mu.Lock()
		f.told = append(f.told, o.From.Profile)
		f.mu.Unlock()
	}
	b, err := json.Marshal(map[string]string{"to": o.To.Handle(), "ref": o.Ref, "purpose": string(o.Purpose)})
	return b, nil, err
}

func (f *fakeNet) Open(context.Context, *network.Outgoing, network.State) (network.Change, error) {
	return nil, nil
}

func (f *fakeNet) Transmit(_ context.Context, p network.Packet) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var packet struct{ To, Purpose string }
	if err := json.Unmarshal(p, &packet); err != nil {
		return err
	}
	switch {
	case network.Purpose(packet.Purpose) != network.PurposeMessage:
	case f.later:
		f.putOff = true
		return &network.Later{After: 50 * time.Millisecond, Why: "not now"}
	case f.refuse != "":
		return &network.Refused{Reason: f.refuse}
	case !f.has(packet.To):
		return &network.Refused{Reason: kabar.ReasonUnknownUser}
	}
	return nil
}

// has reports whether a customer is on the network. The caller holds the lock.
func (f *fakeNet) has(handle string) bool {
	return !strings.HasSuffix(handle, "000") || f.joined[handle]
}

func (f *fakeNet) join(handle string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.joined[handle] = true
}

func (f *fakeNet) Run(ctx context.Context, in network.Inbox) error {
	f.in = in
	close(f.ready)
	<-ctx.Done()
	return ctx.Err()
}

func (f *fakeNet) Upload(_ context.Context, plain io.Reader, _ int64) ([]byte, time.Time, error) {
	_, err := io.Copy(io.Discard, plain)
	return []byte("uploaded"), time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC), err
}

func (f *fakeNet) Download(_ context.Context, m *kabar.RemoteMedium) (io.ReadCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return io.NopCloser(bytes.NewReader(f.media[string(m.Locator)])), nil
}

func (f *fakeNet) Lookup(_ context.Context, handles []string) ([]bool, error) {
	if f.isOffline() {
		return nil, errors.New("fake network: offline")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	known := make([]bool, len(handles))
	for i, h := range handles {
		known[i] = f.has(h)
	}
	return known, nil
}

func (f *fakeNet) Link() (bool, time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.offline, f.since
}

// waits reports whether nothing that is left will go on: the network is not there, or puts messages off, of which one waits.
func (f *fakeNet) waits() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.offline || f.later && f.putOff
}

// refuses has every message refused for a reason, or put off, from now on.
func (f *fakeNet) refuses(why string) {
	reasons := map[string]kabar.Reason{"unknown": kabar.ReasonUnknownUser, "undeliverable": kabar.ReasonUndeliverable}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuse, f.later, f.putOff = reasons[why], why == "later", false
}

func (f *fakeNet) isOffline() bool {
	connected, _ := f.Link()
	return !connected
}

func (f *fakeNet) set(offline bool, since time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.offline, f.since = offline, since
}

// The code of the fake network is 316089; after two wrong ones it has none for an hour and a half.

func (f *fakeNet) Registration() (network.Registration, string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.registration == "" {
		return network.RegistrationConfirmed, ""
	}
	return f.registration, "registration refused: this network admits by invite; then: kabar number invite " + ours + " --invite-file FILE"
}

func (f *fakeNet) Register(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.registration == network.RegistrationUnknown:
		return errors.New("fake network: silent")
	case f.wrong >= 2:
		return &network.WrongCode{After: 90 * time.Minute, Why: "void"}
	}
	return nil
}

func (f *fakeNet) Verify(_ context.Context, code string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case code != "316089" || f.wrong >= 2:
		if f.wrong++; f.wrong >= 2 {
			return &network.WrongCode{After: 90 * time.Minute, Why: "void"}
		}
		return &network.WrongCode{Left: 1, Why: "wrong verification code: attempts left: 1"}
	}
	f.registration = network.RegistrationConfirmed
	return nil
}

func (f *fakeNet) admit(state string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.registration, f.wrong = network.Registration(state), 0
}
