package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"kabar"
)

func address(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

// guess makes an attempt that fails if it is admitted, and returns how long to wait otherwise.
func guess(t *testing.T, l *limiter, name string, from netip.Addr) time.Duration {
	t.Helper()
	err := l.begin(t.Context(), name, from)
	var refused *kabar.Error
	switch {
	case err == nil:
		l.failed(name, from)
		return 0
	case errors.As(err, &refused) && refused.Reason == kabar.ReasonTooMany:
		return refused.After
	}
	t.Fatal(err)
	return 0
}

func TestLimiterDoubles(t *testing.T) {
	c := &clock{}
	l := newLimiter(c.now)
	for i := range freeFailures + 1 { // the last of them makes the first wait
		if wait := guess(t, l, "admin", address(1)); wait != 0 {
			t.Fatalf("attempt %d waits %v", i, wait)
		}
	}
	for i, want := range []time.Duration{2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
		want *= time.Second
		if got := guess(t, l, "admin", address(1)); got != want {
			t.Fatalf("wait %d is %v, want %v", i, got, want)
		}
		c.advance(want - time.Nanosecond)
		if guess(t, l, "admin", address(1)) == 0 {
			t.Fatalf("admitted before the wait of %v was over", want)
		}
		c.advance(time.Nanosecond)
		if got := guess(t, l, "admin", address(1)); got != 0 {
			t.Fatalf("refused for %v after the wait of %v", got, want)
		}
	}
	c.advance(2*longestWait + time.Second)
	for i := range freeFailures {
		if wait := guess(t, l, "admin", address(1)); wait != 0 {
			t.Fatalf("attempt %d after a long time waits %v", i, wait)
		}
	}
}

// One address that tries many names is stopped; another one is not, nor is the owner of a name that somebody else attacks.
func TestLimiterTellsApart(t *testing.T) {
	c := &clock{}
	l := newLimiter(c.now)
	admitted := 0
	for i := range 10_000 { // in ten minutes
		if guess(t, l, fmt.Sprintf("user%d", i%100), address(1)) == 0 {
			admitted++
		}
		c.advance(60 * time.Millisecond)
	}
	if admitted > 30 {
		t.Errorf("%d guesses reached the hash", admitted)
	}
	for range 20 {
		guess(t, l, "admin", address(1))
		guess(t, l, "admin", address(2))
	}
	if wait := guess(t, l, "admin", address(3)); wait != 0 {
		t.Errorf("an honest user waits %v because of others", wait)
	}
	if wait := guess(t, l, "admin", address(3)); wait == 0 {
		t.Error("a second failure on a blocked name is free")
	}
}

func TestLimiterForgives(t *testing.T) {
	l := newLimiter((&clock{}).now)
	for range freeFailures {
		guess(t, l, "ops", address(1))
	}
	for range 20 {
		if err := l.begin(t.Context(), "ops", address(1)); err != nil {
			t.Fatal(err)
		}
		l.succeeded("ops", address(1))
		if err := l.begin(t.Context(), "ops", address(2)); err != nil {
			t.Fatal(err)
		}
		l.abandoned(address(2))
	}
	guess(t, l, "ops", address(1))
	if guess(t, l, "ops", address(1)) == 0 {
		t.Error("a login of one's own has bought guesses")
	}
}

// Many attempts at once wait for their turn; those that fail stop the rest.
func TestLimiterParallel(t *testing.T) {
	l := newLimiter((&clock{}).now)
	var mu sync.Mutex
	admitted, refused := 0, 0
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			err := l.begin(t.Context(), "ops", address(1))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				refused++
				return
			}
			admitted++
			l.failed("ops", address(1))
		})
	}
	wg.Wait()
	if admitted != freeFailures+1 || admitted+refused != 200 {
		t.Errorf("%d admitted, %d refused", admitted, refused)
	}
	for range 100 {
		wg.Go(func() {
			if err := l.begin(t.Context(), "good", address(2)); err != nil {
				t.Error(err)
			}
			l.succeeded("good", address(2))
		})
	}
	wg.Wait()
}

func TestLimiterGivesUpWithItsClient(t *testing.T) {
	l := newLimiter((&clock{}).now)
	for range freeFailures {
		if err := l.begin(t.Context(), "ops", address(1)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.begin(ctx, "ops", address(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLimiterIsBounded(t *testing.T) {
	c := &clock{}
	l := newLimiter(c.now)
	for i := range 3 * limiterSize {
		guess(t, l, fmt.Sprintf("user%d", i), address(i))
		c.advance(time.Millisecond)
	}
	if len(l.names) > limiterSize || len(l.addresses) > limiterSize {
		t.Errorf("%d names, %d addresses", len(l.names), len(l.addresses))
	}
}

func TestNetworkOf(t *testing.T) {
	same := func(a, b string) bool { return networkOf(netip.MustParseAddr(a)) == networkOf(netip.MustParseAddr(b)) }
	if !same("2001:db8::1", "2001:db8::ffff:1") || same("2001:db8::1", "2001:db8:0:1::1") || same("10.0.0.1", "10.0.0.2") ||
		!same("::ffff:10.0.0.1", "10.0.0.1") || !same("fe80::1%eth0", "fe80::2%eth1") {
		t.Error("networks are wrong")
	}
	if networkOf(netip.Addr{}) != (netip.Prefix{}) {
		t.Error("the invalid address has a network")
	}
}
