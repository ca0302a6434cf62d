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

// fakeNet is a network that takes everything and has no state. Handles that end in 000 are not on it.
type fakeNet struct {
	ready chan struct{} // closed once it runs

	mu      sync.Mutex
	in      network.Inbox
	offline bool
	since   time.Time
	refuse  kabar.Reason      // of everything, if set
	media   map[string][]byte // by locator
}

func newFakeNet() *fakeNet { return &fakeNet{ready: make(chan struct{}), media: map[string][]byte{}} }

func (f *fakeNet) Keys(*network.Outgoing) []string { return nil }

func (f *fakeNet) Prepare(o *network.Outgoing, _ network.State) (network.Packet, network.Change, error) {
	b, err := json.Marshal(map[string]string{"to": o.To.Handle(), "ref": o.Ref, "purpose": string(o.Purpose)})
	return b, nil, err
}

func (f *fakeNet) Open(context.Context, *network.Outgoing, network.State) (network.Change, error) {
	return nil, nil
}

func (f *fakeNet) Transmit(_ context.Context, p network.Packet) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != "" && bytes.Contains(p, []byte(`"purpose":"message"`)) {
		return &network.Refused{Reason: f.refuse}
	}
	return nil
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
	known := make([]bool, len(handles))
	for i, h := range handles {
		known[i] = !strings.HasSuffix(h, "000")
	}
	return known, nil
}

func (f *fakeNet) Link() (bool, time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.offline, f.since
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
