package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
	"kabar/internal/store"
)

func settle() { time.Sleep(10 * time.Second) }

func TestTextOutsideTheWindowIsAcceptedAndFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.text(ana, "hello?")
		settle()
		v.wantTold("status failed " + string(kabar.ReasonWindowClosed))
		if sent := v.net.Packets(); len(sent) != 0 {
			t.Errorf("%d packets left", len(sent))
		}
	})
}

func TestAConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		settle()
		ref := v.text(ana, "welcome")
		settle()
		v.receipt(ana, kabar.Delivered, ref)
		v.receipt(ana, kabar.Read, ref)
		v.receipt(ana, kabar.Delivered, ref) // late
		v.wantTold("message hi", "status sent", "status delivered", "status read")
		var purposes []network.Purpose
		for _, p := range v.net.Packets() {
			purposes = append(purposes, p.Purpose)
		}
		if fmt.Sprint(purposes) != "[receipt profile message]" {
			t.Errorf("packets %v", purposes)
		}
		if got := v.net.Packets()[2].Ref; got != wire(ref) {
			t.Errorf("the message travels as %s, want %s", got, wire(ref))
		}
	})
}

func TestTheWindowClosesAfter24HoursAndTemplatesGoOn(t *testing.T) {
	for name, pass := range map[string]func(v *env){
		"by time":  func(*env) { time.Sleep(24 * time.Hour) },
		"by shift": func(v *env) { v.skew.Store(int64(24 * time.Hour)); v.e.Shifted() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newEnv(t)
				v.hear(ana, "hi")
				pass(v)
				v.text(ana, "too late")
				if _, err := v.template(ana); err != nil {
					t.Fatal(err)
				}
				settle()
				v.wantTold("message hi", "status failed "+string(kabar.ReasonWindowClosed), "status sent")
			})
		})
	}
}

func TestTheWindowCountsFromTheCustomersOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now().Add(-30 * time.Hour), Ref: "a1",
			Message: &kabar.Incoming{Content: &kabar.Text{Body: "old"}}})
		v.deliver(kabar.Update{From: kabar.Customer{WaID: "34600111333"}, At: v.now().Add(48 * time.Hour), Ref: "a2",
			Message: &kabar.Incoming{Content: &kabar.Text{Body: "future"}}})
		v.text(ana, "x")
		time.Sleep(25 * time.Hour)
		v.text("34600111333", "x")
		settle()
		failed := "status failed " + string(kabar.ReasonWindowClosed)
		v.wantTold("message old", "message future", failed, failed)
	})
}

func TestWhatWaitsIsJudgedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		settle()
		v.net.SetOffline(true)
		v.text(ana, "waits too long")
		time.Sleep(25 * time.Hour)
		v.net.SetOffline(false)
		settle()
		v.wantTold("message hi", "status failed "+string(kabar.ReasonWindowClosed))
		if n := len(v.net.Messages()); n != 0 {
			t.Errorf("%d messages left after the window had closed", n)
		}
	})
}

func TestABlockStopsWhatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		settle()
		v.net.SetOffline(true)
		v.text(ana, "queued")
		yes := true
		v.deliver(kabar.Update{From: kabar.Customer{WaID: ana}, At: v.now(), Blocked: &yes})
		v.net.SetOffline(false)
		settle()
		v.text(ana, "after")
		settle()
		failed := "status failed " + string(kabar.ReasonUndeliverable)
		v.wantTold("message hi", failed, failed)
	})
}

func TestTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		settle()
		v.net.Refuse(func(networktest.Packet) error { return &network.Later{After: time.Minute, Why: "mailbox full"} })
		if _, _, err := v.send(engine.Request{To: ana, Content: &kabar.Text{Body: "short lived"}, TTL: time.Hour}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		v.wantTold("message hi", "status failed "+string(kabar.ReasonExpired))
	})
}

func TestARefusalOfTheNetworkIsFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.net.Refuse(func(p networktest.Packet) error { return &network.Refused{Reason: kabar.ReasonUnknownUser} })
		if _, err := v.template("34999999999"); err != nil {
			t.Fatal(err)
		}
		settle()
		v.wantTold("status failed " + string(kabar.ReasonUnknownUser))
	})
}

func TestIdempotencyKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		once := func(hash string) engine.Request {
			return engine.Request{To: ana, Content: &kabar.Text{Body: hash}, Once: &engine.Once{Path: "/v1/messages", Key: "k", Hash: hash}}
		}
		var wg sync.WaitGroup
		refs := make([]uint64, 20)
		for i := range refs {
			wg.Go(func() {
				var err error
				if refs[i], _, err = v.send(once("same")); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		settle()
		for _, r := range refs {
			if r != refs[0] {
				t.Fatalf("answers differ: %v", refs)
			}
		}
		if n := len(v.net.Messages()); n != 1 {
			t.Errorf("%d messages were sent, want 1", n)
		}
		_, _, err := v.send(once("other"))
		var refused *kabar.Error
		if !errors.As(err, &refused) || refused.Reason != kabar.ReasonKeyReused {
			t.Errorf("another body under the same key: %v", err)
		}
		v.restart()
		ref, s, err := v.send(once("same"))
		if err != nil || ref != refs[0] || !s.Replayed {
			t.Errorf("after a restart: %d replayed %v (%v), want %d", ref, s.Replayed, err, refs[0])
		}
		time.Sleep(25 * time.Hour)
		v.hear(ana, "again")
		if ref, _, err = v.send(once("other")); err != nil || ref == refs[0] {
			t.Errorf("after a day: %d (%v), want a new message", ref, err)
		}
	})
}

func TestARepeatedRequestIsAnsweredAlthoughItsMediumIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		var id kabar.MediaID
		_, err := v.e.PutMedia(t.Context(), v.id, engine.Upload{Body: strings.NewReader("plain words"), MIME: "text/plain"}, nil,
			func(m *store.Medium) (int, []byte, error) { id = m.ID; return 201, nil, nil })
		if err != nil {
			t.Fatal(err)
		}
		r := func() engine.Request {
			doc := kabar.NewMedia(kabar.KindDocument)
			doc.ID = id
			return engine.Request{To: ana, Content: doc, Once: &engine.Once{Path: "p", Key: "k", Hash: "h"}}
		}
		first, _, err := v.send(r())
		if err != nil {
			t.Fatal(err)
		}
		if err := v.e.RemoveMedium(t.Context(), v.id, id); err != nil {
			t.Fatal(err)
		}
		if again, s, err := v.send(r()); err != nil || again != first || !s.Replayed {
			t.Errorf("the second time: %d (%v), want %d", again, err, first)
		}
	})
}

func TestOrderUnderLoadAndRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		const customers, each = 8, 40
		who := func(c int) string { return fmt.Sprintf("3460011100%d", c) }
		for c := range customers {
			v.hear(who(c), "hi")
		}
		flaky := 0
		v.net.Refuse(func(networktest.Packet) error {
			if flaky++; flaky%7 == 0 {
				return errors.New("a passing fault")
			}
			return nil
		})
		for i := range each {
			var wg sync.WaitGroup
			for c := range customers {
				wg.Go(func() { v.text(who(c), fmt.Sprintf("%d", i)) })
			}
			wg.Wait()
			if i%10 == 5 {
				v.restart()
			}
		}
		time.Sleep(10 * time.Minute)
		next := map[string]int{}
		for _, p := range v.net.Messages() {
			var c kabar.Text
			if err := json.Unmarshal(p.Content, &c); err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprint(next[p.To]); c.Body != want {
				t.Fatalf("%s got %s where %s was due", p.To, c.Body, want)
			}
			next[p.To]++
		}
		for c := range customers {
			if next[who(c)] != each {
				t.Errorf("%s got %d of %d", who(c), next[who(c)], each)
			}
		}
		if twice := v.net.UsedTwice(); len(twice) > 0 {
			t.Errorf("counters used for two packets: %v", twice)
		}
	})
}

func TestRefusalsLeaveNoTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		v.hear(ana, "hi")
		for name, c := range map[string]struct {
			r    engine.Request
			want kabar.Reason
		}{
			"nobody":           {engine.Request{Content: &kabar.Text{Body: "x"}}, kabar.ReasonMissing},
			"not a number":     {engine.Request{To: "ana", Content: &kabar.Text{Body: "x"}}, kabar.ReasonInvalid},
			"oneself":          {engine.Request{To: "+62 811-1000-111", Content: &kabar.Text{Body: "x"}}, kabar.ReasonSelf},
			"no body":          {engine.Request{To: ana, Content: &kabar.Text{}}, kabar.ReasonMissing},
			"unknown template": {engine.Request{To: ana, Content: &kabar.Template{Name: "nope", Language: kabar.Language{Code: "en"}}}, kabar.ReasonTemplateMissing},
			"unknown medium":   {engine.Request{To: ana, Content: image(77)}, kabar.ReasonInvalid},
			"no envelope":      {engine.Request{To: ana, Content: &kabar.Location{Name: strings.Repeat("x", kabar.MaxContent)}}, kabar.ReasonInvalid},
			"unknown quote":    {engine.Request{To: ana, Content: &kabar.Text{Body: "x"}, ReplyTo: 1 << 40}, kabar.ReasonInvalid},
		} {
			_, _, err := v.send(c.r)
			var refused *kabar.Error
			if !errors.As(err, &refused) || refused.Reason != c.want {
				t.Errorf("%s: %v, want %q", name, err, c.want)
			}
		}
		settle()
		v.wantTold("message hi")
	})
}

func image(id kabar.MediaID) kabar.Content {
	m := kabar.NewMedia(kabar.KindImage)
	m.ID = id
	return m
}
