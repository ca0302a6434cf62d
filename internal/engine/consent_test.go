package engine_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/store"
)

const budi = "6281234567890"

// offers adds a template of marketing and sets the number's policy.
func (v *env) offers(p kabar.ConsentPolicy) {
	v.t.Helper()
	offer := hello()
	offer.Name, offer.Category = "offer", kabar.CategoryMarketing
	n, err := v.e.Number(v.id)
	if err != nil {
		v.t.Fatal(err)
	}
	offer.Account = n.Account
	if err := v.db.Write(v.t.Context(), nil, func(tx *store.Tx) error { return tx.SaveTemplate(offer) }); err != nil {
		v.t.Fatal(err)
	}
	v.consents(p)
}

func (v *env) consents(p kabar.ConsentPolicy) {
	v.t.Helper()
	if err := v.e.ChangeSettings(v.t.Context(), v.id, func(s *kabar.Settings, _ *string) error { s.Consent = p; return nil }); err != nil {
		v.t.Fatal(err)
	}
}

// propose sends a template and returns why it was refused at once; empty when it was accepted.
func (v *env) propose(to, name string) kabar.Reason {
	v.t.Helper()
	_, _, err := v.send(engine.Request{To: to, Content: greeting(name)})
	refused, ok := errors.AsType[*kabar.Error](err)
	if err != nil && !ok {
		v.t.Fatal(err)
	}
	if ok {
		return refused.Reason
	}
	return ""
}

func (v *env) record(e engine.CustomerConsent) error {
	n, err := v.e.Number(v.id)
	if err != nil {
		v.t.Fatal(err)
	}
	_, err = v.e.Consents().Record(v.t.Context(), n.Account, []engine.CustomerConsent{e})
	return err
}

// A STOP is the customer's own, also of whom the business has opted out before.
func TestAStopBehindAnOptOutOfTheBusiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		record := func(s kabar.ConsentState) error {
			time.Sleep(time.Second)
			_, err := v.e.Consents().Record(t.Context(), v.account(), []engine.CustomerConsent{{Customer: ana,
				ConsentEntry: kabar.ConsentEntry{State: s, How: "phone call", By: kabar.ByOperator}}})
			return err
		}
		if err := record(kabar.ConsentOut); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		v.hear(ana, "STOP")
		v.hear(ana, "stop")
		v.wantTold("message STOP", "consent", "message stop")
		if err := record(kabar.ConsentOut); err != nil {
			t.Fatal(err)
		}
		v.wantReason(record(kabar.ConsentIn), kabar.ReasonMissing)
		c, history, err := v.e.Consents().Get(t.Context(), v.account(), ana)
		if err != nil || c.State != kabar.ConsentOut || len(history) != 3 {
			t.Errorf("%+v, %d entries, %v", c, len(history), err)
		}
	})
}

// A STOP is obeyed at once, also by what waits, told once, and does not touch what is no marketing.
func TestAnOptOutIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.offers(kabar.ConsentPolicy{})
		v.hear(ana, "hi")
		v.net.SetOffline(true)
		v.propose(ana, "offer")
		v.propose(ana, "hello")
		settle()
		v.hear(ana, "Stop!")
		v.hear(ana, "STOP")
		v.restart()
		v.net.SetOffline(false)
		settle()
		v.propose(ana, "offer")
		settle()
		v.hear(ana, "start")
		v.propose(ana, "offer")
		settle()
		failed := "status failed " + string(kabar.ReasonOptedOut)
		v.wantTold("message hi", "message Stop!", "consent", "message STOP", failed, "status sent", failed, "message start", "consent", "status sent")
		n, _ := v.e.Number(v.id)
		c, history, err := v.e.Consents().Get(t.Context(), n.Account, "+"+ana)
		if err != nil || c.State != kabar.ConsentIn || len(history) != 2 || history[0].How != "word stop" || history[0].By != kabar.ByCustomer ||
			history[0].Proof == "" || history[1].State != kabar.ConsentIn {
			t.Errorf("%+v, %+v, %v", c, history, err)
		}
	})
}

func TestWhereOptInIsRequired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.offers(kabar.ConsentPolicy{Required: true})
		if why := v.propose(ana, "hello"); why != kabar.ReasonNoConsent {
			t.Errorf("a template to a stranger: %q", why)
		}
		if err := v.record(engine.CustomerConsent{Customer: "+" + ana, ConsentEntry: kabar.ConsentEntry{State: kabar.ConsentIn, By: kabar.ByOperator}}); err != nil {
			t.Fatal(err)
		}
		if why := v.propose(ana, "hello"); why != "" {
			t.Errorf("a template to who has opted in: %q", why)
		}
		settle()
		v.net.SetOffline(true)
		v.propose(ana, "hello")
		time.Sleep(time.Second)
		if err := v.record(engine.CustomerConsent{Customer: ana, ConsentEntry: kabar.ConsentEntry{State: kabar.ConsentOut, By: kabar.ByOperator}}); err != nil {
			t.Fatal(err)
		}
		v.net.SetOffline(false)
		settle()
		v.wantTold("status sent", "status failed "+string(kabar.ReasonOptedOut))
	})
}

// What is over the cap fails, until 24 hours after the first; an answer within the window and what is no marketing do not count.
func TestTheCapOfMarketing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.offers(kabar.ConsentPolicy{Cap: 2})
		sent, failed := "status sent", "status failed "+string(kabar.ReasonCapped)
		for _, name := range []string{"offer", "hello", "offer", "offer", "hello"} {
			v.propose(budi, name)
			settle()
		}
		v.restart()
		v.hear(budi, "hi")
		v.propose(budi, "offer")
		settle()
		time.Sleep(24 * time.Hour)
		v.net.SetOffline(true)
		for range 3 { // all are accepted: none has gone out yet
			v.propose(budi, "offer")
		}
		v.net.SetOffline(false)
		settle()
		for range 3 { // of a country where nobody is capped
			v.propose(ana, "offer")
		}
		settle()
		v.wantTold(sent, sent, sent, failed, sent, "message hi", sent, sent, sent, failed, sent, sent, sent)
	})
}

// An opt-out from a clock that is slow is obeyed, though an opt-in was recorded after that time.
func TestAnOptOutFromASlowClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.offers(kabar.ConsentPolicy{})
		if err := v.record(engine.CustomerConsent{Customer: ana, ConsentEntry: kabar.ConsentEntry{State: kabar.ConsentIn, By: kabar.ByOperator}}); err != nil {
			t.Fatal(err)
		}
		v.refs++
		v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now().Add(-time.Hour), Ref: fmt.Sprintf("%032x", v.refs),
			Message: &kabar.Incoming{Content: &kabar.Text{Body: "stop"}}})
		v.propose(ana, "offer")
		settle()
		v.wantTold("message stop", "consent", "status failed "+string(kabar.ReasonOptedOut))
	})
}

// What a customer has agreed to follows to another number, and holds for all handles.
func TestConsentFollowsTheCustomer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.offers(kabar.ConsentPolicy{})
		hear := func(u kabar.Update, text string) {
			v.refs++
			u.At, u.Ref, u.NewIdentity = v.now(), fmt.Sprintf("%032x", v.refs), "hash"
			u.Message = &kabar.Incoming{Content: &kabar.Text{Body: text}}
			v.deliver(u)
		}
		hear(kabar.Update{From: kabar.Customer{BSUID: "ES.abc"}}, "stop")
		hear(kabar.Update{From: kabar.Customer{WaID: ana, BSUID: "ES.abc"}, Was: "ES.abc"}, "it is me")
		v.propose(ana, "offer")
		settle()
		hear(kabar.Update{From: kabar.Customer{WaID: budi}, Was: ana}, "with a new number")
		v.propose(budi, "offer")
		settle()
		count := 0
		for _, told := range v.told() {
			if told == "status failed "+string(kabar.ReasonOptedOut) {
				count++
			}
		}
		if count != 2 {
			t.Errorf("%q", v.told())
		}
	})
}
