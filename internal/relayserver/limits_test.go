package relayserver_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"kabar/internal/relayclient"
	"kabar/internal/relayserver"
)

// TestLimitsAnswerWhenToAskAgain spends a burst of each limit and follows the advice. The relay's clock stands still.
func TestLimitsAnswerWhenToAskAgain(t *testing.T) {
	r, clock := frozen(t, relayserver.Limits{
		Customer:      relayserver.Rates{Envelopes: 20, Bundles: 4, Lookups: 3, Blobs: 2},
		BundlesHourly: -1,
	})
	c := r.device("6281").dial()
	c.publish(prekeys(1, 100))
	data := []byte("blob")
	for name, test := range map[string]struct {
		burst int
		gap   time.Duration
		do    func() error
	}{
		"envelopes": {20, 50 * time.Millisecond, func() error { return c.Send(t.Context(), to("6281", "x")) }},
		"bundles":   {4, 250 * time.Millisecond, func() error { _, err := c.FetchBundle(t.Context(), "6281"); return err }},
		"look-ups":  {3, 334 * time.Millisecond, func() error { _, err := c.Lookup(t.Context(), "1"); return err }},
		"blobs": {2, 500 * time.Millisecond, func() error {
			_, err := c.PutBlob(t.Context(), bytes.NewReader(data), int64(len(data)), sha256.Sum256(data))
			return err
		}},
	} {
		clock.Add(int64(2 * time.Second)) // everything before is paid for
		for i := range test.burst {
			if err := test.do(); err != nil {
				t.Fatalf("%s: %d of %d: %v", name, i, test.burst, err)
			}
		}
		var later *relayclient.RetryAfter
		if err := test.do(); !errors.Is(err, relayclient.ErrLimited) || !errors.As(err, &later) || later.After <= 0 || later.After > test.gap {
			t.Fatalf("%s: %v, want to be asked to wait at most %s", name, err, test.gap)
		}
		clock.Add(int64(later.After))
		if err := test.do(); err != nil {
			t.Fatalf("%s: after the wait: %v", name, err)
		}
		if err := test.do(); !errors.Is(err, relayclient.ErrLimited) {
			t.Fatalf("%s: one more: %v", name, err)
		}
	}
}

func TestABusinessMayDoMore(t *testing.T) {
	r, _ := frozen(t, relayserver.Limits{})
	customer, business := r.device("6281").dial(), r.business("628").dial()
	burst := func(c *client) (n int) {
		for c.Send(t.Context(), to("6281", "x")) == nil && n < 60 {
			n++
		}
		return n
	}
	if n := burst(customer); n != 50 {
		t.Errorf("a customer may send %d at once, want 50", n)
	}
	if n := burst(business); n != 60 {
		t.Errorf("a business may send %d at once", n)
	}
}

func TestRegistrationsAreLimited(t *testing.T) {
	r, clock := frozen(t, relayserver.Limits{Registrations: 3})
	for i := range 3 {
		r.device(fmt.Sprint("628", i)).dial()
	}
	d := r.device("6283")
	_, err := d.try()
	var later *relayclient.RetryAfter
	if !errors.As(err, &later) || !errors.Is(err, relayclient.ErrLimited) {
		t.Fatalf("the fourth at once: %v", err)
	}
	clock.Add(int64(later.After))
	d.dial()
}

func TestSignalsBeyondTheLimitAreDropped(t *testing.T) {
	r, _ := frozen(t, relayserver.Limits{Customer: relayserver.Rates{Envelopes: 5}})
	c := r.device("6281").dial()
	got := c.listen()
	for range 8 {
		if err := c.Signal(t.Context(), relayclient.Address{Account: "6281"}, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		next(t, got.signals)
	}
	quiet(got, got.signals)
}
