package engine_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"kabar"
	"kabar/internal/network"
)

func TestARepeatedDeliveryIsTakenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		u := kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Ref: "abc", Message: &kabar.Incoming{Content: &kabar.Text{Body: "once"}}}
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { v.deliver(u) })
		}
		wg.Wait()
		v.restart()
		v.deliver(u)
		settle()
		v.wantTold("message once")
	})
}

func TestWhatCannotBeDecryptedIsSentAgainThreeTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		ref := v.text(ana, "secret")
		settle()
		for range 5 {
			v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Retry: &kabar.Retry{Refs: []string{wire(ref)}}})
			settle()
		}
		ms := v.net.Messages()
		if len(ms) != 4 {
			t.Fatalf("sent %d times, want 4", len(ms))
		}
		for i, m := range ms {
			if m.Ref != wire(ref) || m.Fresh != (i > 0) {
				t.Errorf("attempt %d: ref %s, fresh %v", i, m.Ref, m.Fresh)
			}
		}
		v.wantTold("message hi", "status sent", "status failed "+string(kabar.ReasonUndeliverable))
	})
}

func TestWhatWeCannotDecryptIsAskedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		u := kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Ref: "ee", Garbled: true}
		v.deliver(u)
		v.deliver(u)
		settle()
		var asked int
		for _, p := range v.net.Packets() {
			if p.Purpose == network.PurposeRetry && p.Fresh && fmt.Sprint(p.Refs) == "[ee]" {
				asked++
			}
		}
		if asked != 1 {
			t.Errorf("asked %d times, want once", asked)
		}
	})
}

func TestWhatWeCannotDecryptIsAskedForTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		settle()
		v.net.SetOffline(true)
		settle()
		before := len(v.net.Packets())
		const n = 130
		for i := range n {
			v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Ref: fmt.Sprintf("%032x", 0xee00+i), Garbled: true})
		}
		v.net.SetOffline(false)
		settle()
		var refs []string
		asked := v.net.Packets()[before:]
		for _, p := range asked {
			if p.Purpose != network.PurposeRetry || len(p.Refs) > 100 {
				t.Errorf("purpose %v with %d refs", p.Purpose, len(p.Refs))
			}
			refs = append(refs, p.Refs...)
		}
		if len(asked) != 2 || len(refs) != n || refs[0] != fmt.Sprintf("%032x", 0xee00) || refs[n-1] != fmt.Sprintf("%032x", 0xee00+n-1) {
			t.Errorf("%d requests for %d envelopes, want 2 for %d, in order", len(asked), len(refs), n)
		}
	})
}

func TestMarkReadTellsTheCustomerOfAllBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		for _, s := range []string{"one", "two", "three"} {
			v.hear(ana, s)
			v.text(ana, "re: "+s)
		}
		settle()
		evs, err := v.db.Events(t.Context(), v.id, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		var inbound []kabar.MessageID
		for _, e := range evs {
			if e.Kind == kabar.EventMessage {
				inbound = append(inbound, e.Message)
			}
		}
		before := len(v.net.Packets())
		for range 2 { // the second time there is nothing to tell
			if err := v.e.MarkRead(t.Context(), v.id, inbound[1]); err != nil {
				t.Fatal(err)
			}
			settle()
		}
		after := v.net.Packets()[before:]
		if len(after) != 1 || after[0].Receipt.Status != kabar.Read || len(after[0].Receipt.Refs) != 2 {
			t.Errorf("told %+v, want one receipt for two messages", after)
		}
		var refused *kabar.Error
		if err := v.e.MarkRead(t.Context(), v.id, inbound[2]+100_000); !errors.As(err, &refused) || refused.Reason != kabar.ReasonNotFound {
			t.Errorf("an unknown message: %v", err)
		}
	})
}

func TestReferencesAcrossDirections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		ref := v.text(ana, "question")
		settle()
		v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Ref: "r1",
			Message: &kabar.Incoming{Content: &kabar.Text{Body: "answer"}, ReplyTo: wire(ref)}})
		v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Ref: "r2",
			Message: &kabar.Incoming{Content: &kabar.Reaction{Emoji: "👍"}, Target: fmt.Sprintf("%032x", 1)}})
		v.deliver(kabar.Update{From: kabar.Customer{WaID: "34600999999"}, At: v.now(), Ref: "r3",
			Message: &kabar.Incoming{Content: &kabar.Text{Body: "not mine"}, ReplyTo: wire(ref)}})
		evs, err := v.db.Events(t.Context(), v.id, 2, 10)
		if err != nil {
			t.Fatal(err)
		}
		if e := evs[0]; e.ReplyRef != ref || !e.ReplyOut {
			t.Errorf("the answer quotes %d (ours %v), want %d", e.ReplyRef, e.ReplyOut, ref)
		}
		if e := evs[1]; e.TargetRef == 0 || e.TargetOut {
			t.Errorf("the reaction is about %d (ours %v), want the customer's own message", e.TargetRef, e.TargetOut)
		}
		if e := evs[2]; e.ReplyRef != 0 || e.Context.Unknown == "" {
			t.Errorf("another customer's quote resolved to %d", e.ReplyRef)
		}
	})
}

func TestANewIdentityIsAnEventAndGetsTheProfileAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		for i, hash := range []string{"a", "a", "b"} {
			v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Ref: fmt.Sprint("i", i), NewIdentity: hash,
				Message: &kabar.Incoming{Content: &kabar.Text{Body: hash}}})
			settle()
		}
		v.wantTold("message a", "message a", "identity", "message b")
		var profiles int
		for _, p := range v.net.Packets() {
			if p.Purpose == network.PurposeProfile {
				profiles++
			}
		}
		if profiles != 2 {
			t.Errorf("the profile went out %d times, want 2", profiles)
		}
	})
}
