package relayserver_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"kabar/internal/relayclient"
	"kabar/internal/relayserver"
)

// together runs n attempts at the same time and returns how many get in; the others must be refused.
func together(t *testing.T, devices []*device) int {
	t.Helper()
	var in atomic.Int32
	var wg sync.WaitGroup
	for _, d := range devices {
		wg.Go(func() {
			switch _, err := d.try(); {
			case err == nil:
				in.Add(1)
			case !errors.Is(err, relayclient.ErrRegistration):
				t.Errorf("%s: %v", d.options.Account, err)
			}
		})
	}
	wg.Wait()
	return int(in.Load())
}

func TestTwoProgramsRaceWithOneInvite(t *testing.T) {
	for range 5 {
		r := private(t)
		invite, _ := r.invite(relayserver.NewInvite{Customers: 10})
		var devices []*device
		for i := range 6 {
			devices = append(devices, r.device(fmt.Sprint(34600111000+i)).of(newHost()).with(invite, ""))
		}
		if n := together(t, devices); n != 1 {
			t.Fatalf("%d programs got in", n)
		}
	}
}

func TestTheLastSeatIsTakenOnce(t *testing.T) {
	r := private(t)
	host := newHost()
	invite, _ := r.invite(relayserver.NewInvite{Customers: 4})
	for i := range 3 {
		r.device(fmt.Sprint(34600222000+i)).of(host).with(invite, "").dial()
	}
	var devices []*device
	for i := range 10 {
		devices = append(devices, r.device(fmt.Sprint(34600111000+i)).of(host).with([]string{"", invite}[i%2], ""))
	}
	if n := together(t, devices); n != 1 {
		t.Fatalf("%d customers got the last seat", n)
	}
}

// Ten servers with the same invite and the right code, all for one number: one key gets it.
func TestACodeIsUsedOnce(t *testing.T) {
	r := private(t)
	invite, _ := r.invite(relayserver.NewInvite{})
	_, _ = r.business(shop).with(invite, "").try() // makes the code
	code := r.code(shop).Code
	var in atomic.Int32
	var wg sync.WaitGroup
	for range 10 {
		d := r.business(shop).with(invite, code)
		wg.Go(func() {
			if _, err := d.try(); err == nil {
				in.Add(1)
			}
		})
	}
	wg.Wait()
	if n := in.Load(); n != 1 {
		t.Fatalf("%d keys got the number", n)
	}
}

// However many guess at once, five do so in vain and the code is void.
func TestGuessingTogetherHelpsNobody(t *testing.T) {
	r := private(t)
	invite, _ := r.invite(relayserver.NewInvite{})
	_, _ = r.business(shop).with(invite, "").try() // makes the code
	wrong := r.wrong(shop)
	var wg sync.WaitGroup
	var seen [6]atomic.Int32
	for range 20 {
		d := r.business(shop).with(invite, wrong)
		wg.Go(func() {
			_, err := d.try()
			w, ok := errors.AsType[*relayclient.WrongCode](err)
			if !ok || w.Left >= len(seen) {
				t.Errorf("a guess: %v", err)
				return
			}
			seen[w.Left].Add(1)
		})
	}
	wg.Wait()
	for n := range 5 {
		if got := seen[n].Load(); (n > 0 && got != 1) || (n == 0 && got != 16) {
			t.Errorf("%d answers say that %d attempts are left", got, n)
		}
	}
}

// Whoever logs in while the account is revoked is out in the end.
func TestRevokedWhileLoggingIn(t *testing.T) {
	for range 20 {
		r := private(t)
		invite, _ := r.invite(relayserver.NewInvite{Customers: 1})
		d := r.device(ana).of(newHost()).with(invite, "")
		_ = d.dial().Close()
		var wg sync.WaitGroup
		var c *client
		wg.Go(func() { c, _ = d.try() }) // an error is fine: it came too late
		r.revoke(ana, false)
		wg.Wait()
		if c != nil {
			if err := c.ended(); !errors.Is(err, relayclient.ErrRevoked) {
				t.Fatalf("the connection ended with %v", err)
			}
		}
	}
}
