package engine_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
)

// keyed is a network whose customers have keys of their own.
type keyed struct {
	*networktest.Fake
	keys atomic.Value // of everybody
}

func (k *keyed) Identity(kabar.Customer, network.State) string {
	hash, _ := k.keys.Load().(string)
	return hash
}

// careful has the number want identity changes acknowledged.
func (v *env) careful() {
	v.t.Helper()
	err := v.e.ChangeSettings(v.t.Context(), v.id, func(s *kabar.Settings, _ *string) error { s.ShowSecurity = true; return nil })
	if err != nil {
		v.t.Fatal(err)
	}
}

// say has Ana write with the keys that she has.
func (v *env) say(body, hash string) {
	v.t.Helper()
	v.refs++
	v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Ref: fmt.Sprintf("%032x", v.refs), NewIdentity: hash,
		Message: &kabar.Incoming{Content: &kabar.Text{Body: body}}})
}

// again has Ana's app ask for messages that it could not read.
func (v *env) again(hash string, refs ...uint64) {
	v.t.Helper()
	r := &kabar.Retry{}
	for _, ref := range refs {
		r.Refs = append(r.Refs, wire(ref))
	}
	v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), NewIdentity: hash, Retry: r})
	settle()
}

// fresh are the messages that were encrypted anew, by ref.
func (v *env) fresh() (refs []string) {
	for _, p := range v.net.Messages() {
		if p.Fresh {
			refs = append(refs, p.Ref)
		}
	}
	return refs
}

func (v *env) wantReason(err error, want kabar.Reason) {
	v.t.Helper()
	var got kabar.Reason
	if refused, ok := errors.AsType[*kabar.Error](err); ok {
		got = refused.Reason
	}
	if got != want || err != nil && got == "" {
		v.t.Errorf("refused with %q (%v), want %q", got, err, want)
	}
}

// A customer with another identity gets nothing until it is acknowledged; then what was sent and not delivered goes out again,
// in order, and what was delivered does not.
func TestANewIdentityWaitsToBeAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.careful()
		v.say("hi", "a")
		delivered, one, two := v.text(ana, "delivered"), v.text(ana, "one"), v.text(ana, "two")
		settle()
		v.receipt(ana, kabar.Delivered, delivered)
		v.again("b", two, one)
		if got := v.fresh(); len(got) > 0 {
			t.Fatalf("sent to the new identity: %v", got)
		}
		_, _, err := v.send(engine.Request{To: ana, Content: &kabar.Text{Body: "three"}})
		v.wantReason(err, kabar.ReasonIdentity)
		_, err = v.template(ana)
		v.wantReason(err, kabar.ReasonIdentity)
		id, err := v.e.Identity(t.Context(), v.id, ana)
		if err != nil || id.Hash != "b" || id.Acknowledged || id.Since.IsZero() || id.Since.After(v.now()) {
			t.Errorf("identity %+v, %v", id, err)
		}

		v.wantReason(v.e.Acknowledge(t.Context(), v.id, ana, "a"), kabar.ReasonInvalid)
		v.wantReason(v.e.Acknowledge(t.Context(), v.id, "628000", "b"), kabar.ReasonNotFound)
		settle()
		if got := v.fresh(); len(got) > 0 {
			t.Fatalf("sent to the new identity: %v", got)
		}
		for range 2 { // the second changes nothing
			if err := v.e.Acknowledge(t.Context(), v.id, ana, "b"); err != nil {
				t.Fatal(err)
			}
			settle()
		}
		if got, want := fmt.Sprint(v.fresh()), fmt.Sprint([]string{wire(one), wire(two)}); got != want {
			t.Errorf("sent again: %s, want %s", got, want)
		}
		if _, _, err := v.send(engine.Request{To: ana, Content: &kabar.Text{Body: "three"}}); err != nil {
			t.Error(err)
		}
		if id, err = v.e.Identity(t.Context(), v.id, ana); err != nil || !id.Acknowledged {
			t.Errorf("identity %+v, %v", id, err)
		}
	})
}

// Where nobody wants to be asked, a new identity counts as known, also when the setting is switched on later.
func TestANewIdentityNeedsNoAcknowledgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.say("hi", "a")
		one := v.text(ana, "one")
		settle()
		v.again("b", one)
		if got := v.fresh(); len(got) != 1 {
			t.Errorf("sent again: %v", got)
		}
		v.careful()
		v.text(ana, "two")
		id, err := v.e.Identity(t.Context(), v.id, ana)
		if err != nil || id.Hash != "b" || !id.Acknowledged {
			t.Errorf("identity %+v, %v", id, err)
		}
		_, err = v.e.Identity(t.Context(), v.id, "628000")
		v.wantReason(err, kabar.ReasonNotFound)
	})
}

// What was accepted before the change and has not left fails with it.
func TestAnIdentityChangesBehindAnAcceptedMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.careful()
		v.say("hi", "a")
		settle()
		v.net.SetOffline(true)
		v.text(ana, "waits")
		settle()
		v.say("new phone", "b")
		v.net.SetOffline(false)
		settle()
		v.wantTold("message hi", "identity", "message new phone", "status failed "+string(kabar.ReasonIdentity))
		if got := v.net.Messages(); len(got) != 0 {
			t.Errorf("sent: %v", got)
		}
	})
}

// The driver meets the new keys itself: the message does not go out, and a customer who was never met has none to change.
func TestOpeningASessionMeetsANewIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &keyed{Fake: networktest.NewFake()}
		v := newEnvWith(t, net.Fake, net)
		v.careful()
		net.keys.Store("a")
		if _, err := v.template("628999000111"); err != nil {
			t.Fatal(err)
		}
		settle()
		if id, err := v.e.Identity(t.Context(), v.id, "628999000111"); err != nil || id.Hash != "a" || !id.Acknowledged {
			t.Errorf("the first identity is %+v, %v", id, err)
		}
		v.net.SetOffline(true) // or the receipt could open the session before the text is accepted
		v.say("hi", "a-before")
		net.keys.Store("b")
		v.text(ana, "to the old keys") // Ana has been met, and the driver has no session: it opens one, and meets b
		v.net.SetOffline(false)
		settle()
		v.wantTold("status sent", "message hi", "identity", "status failed "+string(kabar.ReasonIdentity))
	})
}
