package relay_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/e2ee"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
	"kabar/internal/patience"
	"kabar/internal/relayserver"
)

// loseSession takes the business's session with a customer away, as a restore does.
func loseSession(t *testing.T, d *networktest.Desk, p *handset) {
	t.Helper()
	key := "peer/" + p.account
	s, err := d.Store.State(t.Context(), key)
	if err == nil {
		err = d.Store.Deliver(t.Context(), kabar.Update{}, network.Change{{Key: key, Version: s[key].Version}})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// outOfTouch has a customer and the business write in sessions that the other cannot read: the business has lost its own, and
// has begun one with keys that the customer has lost. The customer has then said one thing that nobody has.
func outOfTouch(t *testing.T, r *rig) (*networktest.Desk, *handset) {
	t.Helper()
	d := r.desk()
	ana := newHandset(r, "62901")
	ana.stock, ana.thrifty = 0, true // the directory serves what was published last
	ana.Online(true)
	ana.Say("hello")
	d.Await(ana, "a text", 1, isText)
	loseSession(t, d, ana)
	ana.note(func() { ana.keys = e2ee.PreKeys{} })
	ana.Say("lost")
	askAgain(d, ana, d.Await(ana, "something garbled", 1, isGarbled)[0])
	d.Await(ana, "a complaint in a session that the business does not have", 2, isGarbled)
	return d, ana
}

// A request that the customer could not read is made again: nobody else knows what is missing.
func TestARequestThatCannotBeReadIsMadeAgain(t *testing.T) {
	r := newRig(t)
	d, ana := outOfTouch(t, r)
	ana.busy.Lock()
	ana.publish(t.Context())
	ana.busy.Unlock()
	r.shift(6 * time.Second) // a session that is not answered for so long is in doubt
	askAgain(d, ana, d.Heard(ana, isGarbled)[1])
	d.Await(ana, "the second text", 2, isText)
	if got := d.Texts(ana); !slices.Equal(got, []string{"hello", "lost"}) {
		t.Errorf("ana has said %q", got)
	}
	ana.Say("at last")
	d.Await(ana, "the third text", 3, isText)
	if n := has(d, "asked"); n != 0 {
		t.Error("it is still remembered what was asked for, although she has answered")
	}
}

// The customer finds a way first, and complains in a session that the business can read.
func TestAComplaintThatCanBeReadHasTheRequestMadeAgain(t *testing.T) {
	r := newRig(t)
	d, ana := outOfTouch(t, r)
	request := ana.arrivedIDs()[len(ana.arrivedIDs())-1]
	ana.busy.Lock()
	ana.open()
	ana.complain(request)
	ana.busy.Unlock()
	u := d.Await(ana, "a complaint", 1, func(u kabar.Update) bool { return u.Retry != nil })[0]
	if lost := d.Heard(ana, isGarbled)[0].Ref; !slices.Contains(u.Retry.Again, lost) || len(u.Retry.Refs) != 0 {
		t.Fatalf("asked for again: %q, want %q; messages: %q", u.Retry.Again, lost, u.Retry.Refs)
	}
	d.Send(&network.Outgoing{Purpose: network.PurposeRetry, From: d.Number, To: ana.Customer(), Now: d.Now(), Fresh: true, Refs: u.Retry.Again})
	d.Await(ana, "the second text", 2, isText)
}

// Two sides that cannot read each other do not complain as fast as the line allows.
func TestComplaintsAboutComplaintsSlowDown(t *testing.T) {
	r := newRig(t)
	before := r.now() // the first request, however slow the machine is
	d, ana := outOfTouch(t, r)
	o := &network.Outgoing{Purpose: network.PurposeRetry, From: d.Number, To: ana.Customer(), Now: before, Fresh: true,
		Refs: []string{d.Heard(ana, isGarbled)[1].Ref}}
	s, err := d.Store.State(t.Context(), d.Net.Keys(o)...)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Net.Prepare(o, s); final(err) != "later" {
		t.Errorf("a second request at once: %s, %v", final(err), err)
	}
	o.Now = before.Add(time.Hour)
	if _, _, err := d.Net.Prepare(o, s); !errors.Is(err, network.ErrNeedsOpen) {
		t.Errorf("a session that has not been answered for an hour: %v", err)
	}
}

// A conflict while a session is begun costs no second bundle: the relay serves ten an hour.
func TestAConflictCostsNoSecondBundle(t *testing.T) {
	limits := relayserver.NoLimits()
	limits.BundlesHourly = 1
	r := newLimitedRig(t, limits)
	d, ana := r.desk(), r.handset()
	o := d.Text(ana, "hello")
	s, err := d.Store.State(t.Context(), d.Net.Keys(o)...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Net.Open(t.Context(), o, s); err != nil { // and what it returns is not committed
		t.Fatal(err)
	}
	d.Send(o)
	patience.Until(t, "it is shown", func() bool { return len(ana.Shown()) == 1 })
}

// Whatever the driver keeps under a customer's name is among what it says that it may keep: it goes when the customer is erased.
func TestEntriesAboutACustomer(t *testing.T) {
	r := newRig(t)
	d, ana := outOfTouch(t, r)
	named := d.Net.(network.Personal).Entries(ana.account)
	kinds := map[string]bool{}
	d.Store.Keys(func(key string) bool {
		if strings.Contains(key, ana.account) {
			kind, _, _ := strings.Cut(key, "/")
			if kinds[kind] = true; !slices.Contains(named, key) {
				t.Errorf("%s is kept, and not named", key)
			}
		}
		return false
	})
	if !kinds["peer"] || !kinds["asked"] || !kinds["garbled"] {
		t.Errorf("only %v were kept: the test misses its mark", kinds)
	}
}
