package relayserver_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"kabar/internal/relayclient"
	"kabar/internal/relayserver"
)

// prekeys makes a full set whose one-time ids begin at first.
func prekeys(first uint32, n int) relayclient.Prekeys {
	p := relayclient.Prekeys{
		Identity:   []byte("identity"),
		Signed:     &relayclient.Prekey{ID: first, Key: fmt.Appendf(nil, "signed %d", first)},
		LastResort: &relayclient.Prekey{ID: first, Key: fmt.Appendf(nil, "resort %d", first)},
	}
	p.OneTime, p.OneTimeKEM = oneTime("x", first, n), oneTime("kem", first, n)
	return p
}

func oneTime(name string, first uint32, n int) []relayclient.Prekey {
	keys := make([]relayclient.Prekey, n)
	for i := range keys {
		id := first + uint32(i)
		keys[i] = relayclient.Prekey{ID: id, Key: fmt.Appendf(nil, "%s %d", name, id)}
	}
	return keys
}

func (c *client) publish(p relayclient.Prekeys) {
	c.t.Helper()
	if err := c.Publish(c.t.Context(), p); err != nil {
		c.t.Fatal(err)
	}
}

func TestPoppedKeysAreNeverServedTwice(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	owner := r.device("6281")
	c := owner.dial()
	c.publish(prekeys(1, 150))
	var mu sync.Mutex
	served := map[string]int{}
	resorts := 0
	var wg sync.WaitGroup
	for i := range 8 {
		from := r.business(fmt.Sprint("700", i)).dial()
		wg.Go(func() {
			for range 25 {
				b, err := from.FetchBundle(t.Context(), "6281")
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if b.OneTime != nil {
					served[string(b.OneTime.Key)]++
				}
				if served[string(b.KEM.Key)]++; b.KEMLastResort {
					resorts++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if resorts != 50 || served["resort 1"] != 50 {
		t.Errorf("the last resort was served %d times, want 50", resorts)
	}
	delete(served, "resort 1")
	if len(served) != 300 {
		t.Errorf("%d one-time keys were served, want 300", len(served))
	}
	for key, n := range served {
		if n != 1 {
			t.Errorf("%s was served %d times", key, n)
		}
	}
	_ = c.Close()
	if i := owner.dial().Info(); i.OneTime != 0 || i.OneTimeKEM != 0 || !i.Published {
		t.Errorf("the owner is told of %+v", i)
	}
}

func TestABundle(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	owner, from := r.device("6281").dial(), r.business("628").dial()
	if _, err := from.FetchBundle(t.Context(), "999"); !errors.Is(err, relayclient.ErrUnknownRecipient) {
		t.Errorf("unknown account: %v", err)
	}
	if _, err := from.FetchBundle(t.Context(), "6281"); !errors.Is(err, relayclient.ErrNoPrekeys) {
		t.Errorf("nothing published: %v", err)
	}
	owner.publish(relayclient.Prekeys{Identity: []byte("identity"), OneTime: oneTime("x", 1, 2)})
	if _, err := from.FetchBundle(t.Context(), "6281"); !errors.Is(err, relayclient.ErrNoPrekeys) {
		t.Errorf("half published: %v", err)
	}
	owner.publish(relayclient.Prekeys{Signed: &relayclient.Prekey{ID: 7, Key: []byte("s")}, LastResort: &relayclient.Prekey{ID: 9, Key: []byte("l")}})
	b, err := from.FetchBundle(t.Context(), "6281")
	if err != nil {
		t.Fatal(err)
	}
	if string(b.Identity) != "identity" || b.Signed.ID != 7 || b.KEM.ID != 9 || !b.KEMLastResort || b.OneTime == nil || b.OneTime.ID != 1 {
		t.Errorf("bundle %+v", b)
	}
	owner.publish(relayclient.Prekeys{OneTimeKEM: oneTime("kem", 3, 1)})
	if b, err = from.FetchBundle(t.Context(), "6281"); err != nil || b.KEM.ID != 3 || b.KEMLastResort || b.OneTime.ID != 2 {
		t.Errorf("bundle %+v, %v", b, err)
	}
	if b, err = from.FetchBundle(t.Context(), "6281"); err != nil || b.OneTime != nil || !b.KEMLastResort {
		t.Errorf("bundle %+v, %v", b, err)
	}
}

func TestPrekeyIDsAreNeverUsedAgain(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	owner := r.device("6281")
	c := owner.dial()
	c.publish(prekeys(10, 5))
	c.publish(prekeys(10, 5)) // the very same call, repeated
	refused := func(p relayclient.Prekeys, highest uint32) {
		t.Helper()
		err := c.Publish(t.Context(), p)
		var reused *relayclient.PrekeyIDReused
		if !errors.As(err, &reused) || reused.Highest != highest {
			t.Errorf("Publish = %v, want ids up to %d refused", err, highest)
		}
	}
	refused(relayclient.Prekeys{Signed: &relayclient.Prekey{ID: 10, Key: []byte("other")}}, 10)
	refused(relayclient.Prekeys{LastResort: &relayclient.Prekey{ID: 9, Key: []byte("other")}}, 10)
	refused(relayclient.Prekeys{OneTime: oneTime("x", 14, 3)}, 14)
	refused(relayclient.Prekeys{OneTime: oneTime("x", 1, 1)}, 14)
	refused(relayclient.Prekeys{OneTime: oneTime("x", 20, 1), OneTimeKEM: oneTime("kem", 12, 1)}, 14)
	_ = c.Close()
	c = owner.dial()
	if i := c.Info(); i.OneTime != 5 || i.OneTimeKEM != 5 {
		t.Errorf("a refused Publish left something behind: %+v", i)
	}
	from := r.business("628").dial()
	for range 5 {
		if _, err := from.FetchBundle(t.Context(), "6281"); err != nil {
			t.Fatal(err)
		}
	}
	refused(relayclient.Prekeys{OneTime: oneTime("x", 14, 1)}, 14) // gone, and still not free
	c.publish(relayclient.Prekeys{OneTime: oneTime("x", 20, 200)})
	for i := range 4 {
		c.publish(relayclient.Prekeys{OneTime: oneTime("x", 300+uint32(i)*200, 200)})
	}
	if err := c.Publish(t.Context(), relayclient.Prekeys{OneTime: oneTime("x", 2000, 1)}); !errors.Is(err, relayclient.ErrTooLarge) {
		t.Errorf("more than 1,000 keys: %v", err)
	}
}

func TestOneTimeKeysAreReplaced(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	owner, from := r.device("6281"), r.business("628").dial()
	r.device("6282").dial().publish(prekeys(1, 3)) // somebody else's stay
	c := owner.dial()
	if i := c.Info(); i.HighestID != 0 {
		t.Errorf("nothing is published, and the highest id is %d", i.HighestID)
	}
	c.publish(prekeys(1, 4))
	for first := uint32(100); first < 1000; first += 200 { // up to the limit: what is replaced leaves room
		c.publish(relayclient.Prekeys{OneTime: oneTime("x", first, 199), OneTimeKEM: oneTime("kem", first, 1)})
	}
	again := prekeys(2000, 7)
	again.Replace = true
	if err := c.Publish(t.Context(), relayclient.Prekeys{OneTime: oneTime("x", 1098, 2), Replace: true}); err == nil {
		t.Error("an id was used again")
	}
	_ = c.Close()
	c = owner.dial()
	if i := c.Info(); i.OneTime != 999 || i.OneTimeKEM != 9 || i.HighestID != 1098 {
		t.Fatalf("after a Publish that was refused: %+v", i)
	}
	c.publish(again)
	bundle := func(account string) *relayclient.Bundle {
		t.Helper()
		b, err := from.FetchBundle(t.Context(), account)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if b := bundle("6281"); b.Signed.ID != 2000 || b.OneTime.ID != 2000 || b.KEM.ID != 2000 || b.KEMLastResort {
		t.Errorf("bundle %+v", b)
	}
	c.publish(again) // repeated: the answer was lost
	if b := bundle("6281"); b.OneTime.ID != 2001 || b.KEM.ID != 2001 {
		t.Errorf("after a repeated Publish %+v", b)
	}
	if b := bundle("6282"); b.OneTime.ID != 1 || b.KEM.ID != 1 {
		t.Errorf("another device's %+v", b)
	}
	_ = c.Close()
	c = owner.dial()
	if i := c.Info(); i.OneTime != 5 || i.OneTimeKEM != 5 || i.HighestID != 2006 {
		t.Errorf("the owner is told of %+v", i)
	}
	c.publish(relayclient.Prekeys{LastResort: &relayclient.Prekey{ID: 3000, Key: []byte("l")}, Replace: true})
	if b := bundle("6281"); b.OneTime != nil || b.KEM.ID != 3000 || !b.KEMLastResort {
		t.Errorf("replaced by nothing: %+v", b)
	}
	_ = c.Close()
	if i := owner.dial().Info(); i.HighestID != 3000 {
		t.Errorf("the highest id is %d, want that of the last resort", i.HighestID)
	}
}

func TestTheOwnerIsToldWhenKeysRunLow(t *testing.T) {
	r := start(t, relayserver.NoLimits())
	owner, from := r.device("6281").dial(), r.business("628").dial()
	owner.publish(prekeys(1, 12))
	got := owner.listen()
	for range 2 {
		if _, err := from.FetchBundle(t.Context(), "6281"); err != nil {
			t.Fatal(err)
		}
	}
	quiet(got, got.low)
	if _, err := from.FetchBundle(t.Context(), "6281"); err != nil {
		t.Fatal(err)
	}
	if left := next(t, got.low); left != [2]int{9, 9} {
		t.Fatalf("told that %v are left", left)
	}
}

func TestTenBundlesOfATargetAnHour(t *testing.T) {
	limits := relayserver.NoLimits()
	limits.BundlesHourly = 0 // the default
	r := start(t, limits)
	r.device("6281").dial().publish(prekeys(1, 100))
	r.device("6282").dial().publish(prekeys(1, 100))
	sender := r.business("628")
	from := sender.dial()
	fetch := func(account string) error { _, err := from.FetchBundle(t.Context(), account); return err }
	for range 10 {
		if err := fetch("6281"); err != nil {
			t.Fatal(err)
		}
	}
	err := fetch("6281")
	var later *relayclient.RetryAfter
	if !errors.Is(err, relayclient.ErrLimited) || !errors.As(err, &later) || later.After > 6*time.Minute || later.After < 5*time.Minute {
		t.Fatalf("the eleventh: %v", err)
	}
	if err := fetch("6282"); err != nil {
		t.Errorf("another target: %v", err)
	}
	if _, err := r.business("629").dial().FetchBundle(t.Context(), "6281"); err != nil {
		t.Errorf("another fetcher: %v", err)
	}
	_ = from.Close()
	r.stop()
	r.run(limits)
	from = sender.dial()
	if err := fetch("6281"); !errors.Is(err, relayclient.ErrLimited) {
		t.Errorf("after a restart: %v", err)
	}
	r.shift(6*time.Minute + time.Second)
	if err := fetch("6281"); err != nil {
		t.Errorf("six minutes later: %v", err)
	}
	if err := fetch("6281"); !errors.Is(err, relayclient.ErrLimited) {
		t.Errorf("and once more: %v", err)
	}
}
