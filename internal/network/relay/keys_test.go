package relay_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kabar"
	"kabar/internal/e2ee"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
	"kabar/internal/patience"
	"kabar/internal/prekeys"
	"kabar/internal/relayclient"
)

// has counts the private keys of a kind that the business holds.
func has(d *networktest.Desk, kind string) int {
	return d.Store.Keys(func(key string) bool { return strings.HasPrefix(key, kind+"/") })
}

// names are those of the private keys of a kind that the business holds.
func names(d *networktest.Desk, kind string) map[string]bool {
	all := map[string]bool{}
	d.Store.Keys(func(key string) bool {
		if strings.HasPrefix(key, kind+"/") {
			all[key] = true
		}
		return false
	})
	return all
}

// bundle takes a bundle of the business out of the directory.
func (h *handset) bundle() *relayclient.Bundle {
	h.rig.t.Helper()
	b, err := h.conn.FetchBundle(h.rig.t.Context(), business)
	if err != nil {
		h.rig.t.Fatal(err)
	}
	return b
}

// greet begins a session with a bundle fetched before and says something in it.
func (h *handset) greet(b *relayclient.Bundle, text string) {
	h.rig.t.Helper()
	next, err := e2ee.Initiate(h.identity, h.self(), h.toward(), must(prekeys.Bundle(b)), h.peer, h.rig.now())
	if err != nil {
		h.rig.t.Fatal(err)
	}
	h.peer = next
	h.Say(text)
}

func TestPrekeysAreReplenished(t *testing.T) {
	r := newRig(t)
	d, taker := r.desk(), r.handset()
	if x, k := has(d, "onetime"), has(d, "kem"); x != 100 || k != 51 {
		t.Fatalf("began with %d and %d keys, want 100 and 50 and a last resort", x, k)
	}
	ids := map[uint32]bool{}
	take := func() bool {
		b := taker.bundle()
		if b.OneTime == nil || b.KEMLastResort {
			return false
		}
		if ids[b.OneTime.ID] || ids[b.KEM.ID] {
			t.Fatal("a one-time key was handed out twice")
		}
		ids[b.OneTime.ID], ids[b.KEM.ID] = true, true
		return true
	}
	for range 41 {
		if !take() {
			t.Fatalf("the directory has run out after %d bundles", len(ids)/2)
		}
	}
	patience.Until(t, "the relay gets more KEM keys", func() bool { return has(d, "kem") > 51 })
	if x := has(d, "onetime"); x != 100 {
		t.Errorf("one-time keys were made, too, though there are plenty: %d", x)
	}
	for range 82 { // what was committed a moment ago may still be on its way to the relay
		patience.Until(t, "a bundle has one-time keys", take)
	}
	ana := r.handset()
	ana.greet(ana.bundle(), "hello")
	d.Await(ana, "a text", 1, isText)
	before := names(d, "onetime")
	budi := r.handset()
	budi.Say("hello")
	d.Await(budi, "a text", 1, isText)
	for key := range names(d, "onetime") { // more may have been made meanwhile
		delete(before, key)
	}
	if len(before) != 1 {
		t.Errorf("%d one-time keys went with a session, want 1", len(before))
	}
}

// rotating returns a desk whose driver looks at the age of its keys all the time.
func (r *rig) rotating() *networktest.Desk {
	p := r.pair()
	p.Driver = func() network.Network {
		n := r.driver()
		n.TendEvery(5 * time.Millisecond)
		return n
	}
	return networktest.NewDesk(r.t, p)
}

func TestPrekeysRotateEveryWeekAndGoAfterTheirGrace(t *testing.T) {
	r := newRig(t)
	d, ana, budi, taker := r.rotating(), r.handset(), r.handset(), r.handset()
	old := [2]*relayclient.Bundle{ana.bundle(), budi.bundle()}
	r.shift(6 * 24 * time.Hour)
	time.Sleep(50 * time.Millisecond)
	if now := taker.bundle(); now.Signed.ID != old[0].Signed.ID {
		t.Error("the signed prekey was replaced before it was a week old")
	}
	r.shift(2 * 24 * time.Hour)
	patience.Until(t, "the signed prekey is replaced", func() bool { return taker.bundle().Signed.ID != old[0].Signed.ID })
	if n := has(d, "signed"); n != 2 {
		t.Errorf("%d signed prekeys are held, want the new one and the old one", n)
	}
	ana.greet(old[0], "your keys were old, but good") // eight days on the way
	d.Await(ana, "a text", 1, isText)

	r.shift(32 * 24 * time.Hour) // day 40
	ana.publish(t.Context())     // her keys have come of age, too
	budi.publish(t.Context())
	patience.Until(t, "the first signed prekey is gone", func() bool { return has(d, "signed") == 2 && taker.bundle().Signed.ID > old[0].Signed.ID+1 })
	budi.greet(old[1], "your keys are too old")
	answerGarbled(t, d, budi, 1) // and it still arrives, by way of a new session
	if len(d.Heard(budi, isGarbled)) == 0 {
		t.Error("a handshake with a key of 40 days ago was accepted")
	}
	d.Send(d.Text(ana, "still with you"))
	patience.Until(t, "it is shown", func() bool { return len(ana.Shown()) == 1 })
}

func TestPrekeysRotateAtAStart(t *testing.T) {
	r := newRig(t)
	d, taker := r.desk(), r.handset()
	before := taker.bundle().Signed.ID
	d.Restart()
	if taker.bundle().Signed.ID != before {
		t.Error("a restart has replaced a key of today")
	}
	r.shift(8 * 24 * time.Hour)
	d.Restart()
	if taker.bundle().Signed.ID <= before {
		t.Error("a key of eight days ago is still handed out")
	}
}

// The line breaks between the commit of new keys and their publication.
func TestKeysThatWereNotPublishedAreReplaced(t *testing.T) {
	r := newRig(t)
	d, taker := r.rotating(), r.handset()
	before := taker.bundle().Signed.ID
	var cut atomic.Bool
	d.Store.Around(func(_ context.Context, _ kabar.Update, commit func() error) error {
		signed := has(d, "signed")
		err := commit()
		if has(d, "signed") > signed && !cut.Swap(true) {
			r.wire.set(false)
		}
		return err
	})
	r.shift(8 * 24 * time.Hour)
	patience.Until(t, "new keys are committed", cut.Load)
	if taker.bundle().Signed.ID != before {
		t.Fatal("the keys were published: this test misses its mark")
	}
	r.wire.set(true)
	patience.Until(t, "new keys are published", func() bool { return taker.bundle().Signed.ID != before })
	ana := r.handset()
	ana.Say("hello")
	d.Await(ana, "a text", 1, isText)
}

func TestTheLastResortServesWhenOneTimeKeysHaveRunOut(t *testing.T) {
	r := newRig(t)
	d, taker := r.desk(), r.handset()
	d.Stop()
	for range 100 {
		taker.bundle()
	}
	customers := []*handset{r.handset(), r.handset()}
	for _, p := range customers {
		b := p.bundle()
		if b.OneTime != nil || !b.KEMLastResort {
			t.Fatal("the directory has not run out: this test misses its mark")
		}
		p.greet(b, "hello")
	}
	d.Start()
	for _, p := range customers {
		d.Await(p, "a text", 1, isText)
		d.Send(d.Text(p, "welcome"))
		patience.Until(t, "it is shown", func() bool { return len(p.Shown()) == 1 })
	}
	if b := taker.bundle(); b.OneTime == nil || b.KEMLastResort {
		t.Error("the directory has not been filled again")
	}
}

// The other way round: a customer whose keys have run out can be written to.
func TestACustomerWithoutOneTimeKeys(t *testing.T) {
	r := newRig(t)
	d, ana := r.desk(), newHandset(r, "62911")
	ana.stock = 0
	ana.Online(true)
	d.Send(d.Text(ana, "hello"))
	patience.Until(t, "it is shown", func() bool { return len(ana.Shown()) == 1 })
}

// A restored store gives out ids again that the relay has seen. It finds higher ones, and what it publishes works.
func TestARestoredStoreFindsUnusedPrekeyIDs(t *testing.T) {
	r := newRig(t)
	d, taker := r.desk(), r.handset()
	backup := d.Store.Snapshot()
	for range 95 { // both kinds are replenished in the life that is lost
		taker.bundle()
		time.Sleep(time.Millisecond)
	}
	patience.Until(t, "both kinds are replenished", func() bool { return has(d, "onetime") > 100 && has(d, "kem") > 60 })
	r.shift(8 * 24 * time.Hour)
	d.Restart()
	lost := taker.bundle().Signed.ID
	d.Stop()
	d.Store.Restore(backup)
	d.Start()
	b := taker.bundle()
	if b.Signed.ID <= lost {
		t.Fatalf("signed prekey %d is handed out, which was lost with %d", b.Signed.ID, lost)
	}
	for range 4 { // of the one-time keys of the life that was lost none is handed out
		p := r.handset()
		p.Say("hello")
		d.Await(p, "a text", 1, isText)
		if n := len(d.Heard(p, isGarbled)); n > 0 {
			t.Errorf("%d messages made with fresh keys could not be read", n)
		}
	}
}
