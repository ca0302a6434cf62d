package graph

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"sync"
	"time"

	"kabar"
	"kabar/internal/golden"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
)

// fakeNet is a network that carries media, too, and admits a number as it is told. Its code is 316089.
type fakeNet struct {
	*networktest.Fake

	mu           sync.Mutex
	registration network.Registration // empty: registered
	asked        func()               // when a number asks to be registered; may be nil
	media        map[string][]byte    // by locator
}

func newFakeNet() *fakeNet {
	return &fakeNet{Fake: networktest.NewFake(), media: map[string][]byte{}}
}

// admit says how the number is registered from now on.
func (f *fakeNet) admit(state string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.registration = network.Registration(state)
}

func (f *fakeNet) Registration() (network.Registration, string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.registration == "" {
		return network.RegistrationConfirmed, ""
	}
	return f.registration, "this network admits by invite"
}

func (f *fakeNet) Register(context.Context) error {
	if f.asked != nil {
		f.asked()
	}
	if state, _ := f.Registration(); state == network.RegistrationUnknown {
		return errors.New("fake network: silent")
	}
	return nil
}

func (f *fakeNet) Verify(_ context.Context, code string) error {
	if code != "316089" {
		return &network.WrongCode{Left: 1, Why: "wrong verification code: attempts left: 1"}
	}
	f.admit("")
	return nil
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

// remote puts a sample on the network, or other bytes in its place.
func (f *fakeNet) remote(sample, mime string, broken bool) *kabar.RemoteMedium {
	plain := golden.Sample(sample)
	sum := sha256.Sum256(plain)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.media[sample] = plain
	if broken {
		f.media[sample] = []byte("other bytes")
	}
	return &kabar.RemoteMedium{Locator: []byte(sample), MIME: mime, Size: int64(len(plain)), SHA256: hex.EncodeToString(sum[:])}
}

var (
	_ network.Network      = (*fakeNet)(nil)
	_ network.Linked       = (*fakeNet)(nil)
	_ network.Registrar    = (*fakeNet)(nil)
	_ network.MediaCarrier = (*fakeNet)(nil)
)
