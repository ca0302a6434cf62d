package relayserver_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"kabar/internal/relayclient"
	"kabar/internal/relayserver"
)

// Without invites a business still needs a code, customers need nothing, and whoever wants to know hears of each code once.
func TestCodesWithoutInvites(t *testing.T) {
	told := make(chan relayserver.Code, 10)
	r := &relay{t: t, dir: t.TempDir(), addr: "127.0.0.1:0", skew: new(atomic.Int64)}
	r.skew.Store(time.Now().Truncate(time.Millisecond).UnixNano())
	var err error
	r.Server, err = relayserver.Open(t.Context(), relayserver.Options{Dir: r.dir, Limits: relayserver.NoLimits(), Admit: relayserver.CodesOnly,
		Known: []string{"628111000299"}, Coded: func(c relayserver.Code) { told <- c }, Now: func() time.Time { return time.Unix(0, r.skew.Load()) }})
	if err != nil {
		t.Fatal(err)
	}
	r.serve(r.addr)

	if !r.device(ana).dial().Info().Registered {
		t.Error("a customer needs no code")
	}
	if !r.business("628111000299").dial().Info().Registered {
		t.Error("a known business needs no code")
	}
	d, other := r.business(shop), r.business(otherShop)
	for range 2 { // asking again makes no other code
		if _, err := d.try(); !errors.Is(err, relayclient.ErrVerify) {
			t.Fatalf("without a code: %v", err)
		}
	}
	code := next(t, told)
	if code != r.code(shop) || code.Number != shop || len(code.Code) != 6 {
		t.Fatalf("told of %+v, there is %+v", code, r.code(shop))
	}
	if _, err := other.try(); !errors.Is(err, relayclient.ErrVerify) || next(t, told).Number != otherShop {
		t.Fatalf("another number: %v", err)
	}
	_, err = d.with("", r.wrong(shop)).try()
	left(t, err, 4)
	c := d.with("", code.Code).dial()
	if !c.Info().Registered {
		t.Error("not registered")
	}
	if len(told) > 0 {
		t.Errorf("told of a code again: %v", <-told)
	}

	// A revoked number comes back by a new code, for which it has to ask.
	if out := r.revoke(shop, false); !slices.Equal(out.Accounts, []string{shop}) {
		t.Fatalf("revoked %+v", out)
	}
	if _, err := d.with("", "").try(); !errors.Is(err, relayclient.ErrRevoked) {
		t.Fatalf("revoked, it logs in: %v", err)
	}
	if _, err := d.with("any", "").try(); !errors.Is(err, relayclient.ErrVerify) {
		t.Fatalf("revoked, it asks: %v", err)
	}
	d.with("any", next(t, told).Code).dial()
}
