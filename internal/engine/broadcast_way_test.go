package engine_test

import (
	"context"
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
	"kabar/internal/patience"
	"kabar/internal/store"
)

// stuck is a network that takes nothing but what goes to Ana, until it is open.
type stuck struct {
	*networktest.Fake
	open chan struct{}
	left func(networktest.Packet)
}

func (s *stuck) Transmit(ctx context.Context, b network.Packet) error {
	var p networktest.Packet
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	if p.To != ana {
		select {
		case <-s.open:
		case <-ctx.Done():
			return ctx.Err()
		}
		s.left(p)
	}
	return s.Fake.Transmit(ctx, b)
}

// Messages of broadcasts on their way are few, counted at every packet, and while none of them gets on, a chat does.
func TestChatsGoFirst(t *testing.T) {
	var mu sync.Mutex
	accepted, left, most := 0, map[string]bool{}, 0
	locked := func(do func()) { mu.Lock(); defer mu.Unlock(); do() }
	net := &stuck{Fake: networktest.NewFake(), open: make(chan struct{}), left: func(p networktest.Packet) {
		if p.Purpose == network.PurposeMessage {
			locked(func() { left[p.Ref] = true })
		}
	}}
	v := newEnvWith(t, net.Fake, net)
	v.stop()
	v.counts = func(kind kabar.Kind, s kabar.Status, _ kabar.Reason) {
		if kind == kabar.KindTemplate && s == kabar.Accepted {
			locked(func() { accepted++; most = max(most, accepted-len(left)) })
		}
	}
	v.start()
	v.limit(v.id, kabar.Limits{Throughput: fast})
	v.hear(ana, "hi")
	b := v.cast(v.wanted(300))
	patience.Until(t, "the broadcast has filled its places", func() (full bool) { locked(func() { full = accepted >= 32 }); return full })
	for i := range 20 {
		v.text(ana, fmt.Sprint("chat ", i))
	}
	chats := func() (all []string) {
		for _, p := range v.net.Messages() {
			if p.To == ana {
				all = append(all, string(p.Content))
			}
		}
		return all
	}
	patience.Until(t, "every text of the chat has passed the broadcast", func() bool { return len(chats()) == 20 })
	for i, c := range chats() {
		if !strings.Contains(c, fmt.Sprintf("chat %d\"", i)) {
			t.Errorf("text %d is %s", i, c)
		}
	}
	if n := len(v.net.Messages()); n != 20 {
		t.Errorf("%d messages have left, want those of the chat", n)
	}
	close(net.open)
	patience.Until(t, "the broadcast is done", func() bool { now, p := v.is(b); return now.State == kabar.BroadcastDone && p.Sent == 300 })
	wantOnce(t, v.net, 300)
	if most > 32 {
		t.Errorf("%d messages of the broadcast were on their way at once, want at most 32", most)
	}
}

// Everything that is wrong with a list is named at once, and nothing is stored of it.
func TestListsAreRefusedWhole(t *testing.T) {
	v := newEnv(t)
	in := v.wanted(0)
	for table, want := range map[string][]string{
		"to\n34600111222\n": {`line 1: the column "first_name" is missing`},
		"to,First_Name,city\n+34 600-111-222,Ana,Bilbao\n34600111222,Ana,X\n": {"line 3: to: line 2 has it already: each recipient gets one message"},
		"to,first_name\nnobody,Ana\n,Budi\n34600111222,\n" + number + ",Me\n34600111333,\"a\nb\"\n": {
			"line 2: to: is neither a phone number with its country code nor a BSUID", "line 3: to: say whom to send to",
			"line 4: first_name: is empty, and the template takes it for body.1", "line 5: to: is the number itself",
			"line 6: template.components[0].parameters[0].text: has the character U+000A"},
		"to,first_name\n" + strings.Repeat("x,y\n", 70): {"and 20 more"},
	} {
		in.Table = table
		_, err := v.e.Broadcasts().Create(t.Context(), in)
		faults, ok := errors.AsType[*engine.ListFaults](err)
		if !ok {
			t.Errorf("%q: %v", table, err)
			continue
		}
		for i, w := range want {
			if i = len(faults.Faults) - len(want) + i; i < 0 || !strings.HasPrefix(faults.Faults[i], w) {
				t.Errorf("%.60q:\n%s\nwant %q", table, err, w)
			}
		}
	}
	in.Table, in.List = "", []map[string]string{{"to": ana, "First_Name ": "Ana"}, {"to": "+34 600 111 222", "first_name": "x"}}
	if _, err := v.e.Broadcasts().Create(t.Context(), in); err == nil || err.Error() != "recipients[1]: to: recipients[0] has it already: each recipient gets one message" {
		t.Errorf("a list: %v", err)
	}
	for what, change := range map[string]func(*engine.NewBroadcast){
		"template.name: there is no template":      func(n *engine.NewBroadcast) { n.Template = "nope" },
		"template.language.code":                   func(n *engine.NewBroadcast) { n.Language = "id" },
		"map: names \"body.2\"":                    func(n *engine.NewBroadcast) { n.Map = map[string]string{"body.2": "x"} },
		"per_second: is 1001":                      func(n *engine.NewBroadcast) { n.PerSecond = 1001 },
		"per_second: is -1":                        func(n *engine.NewBroadcast) { n.PerSecond = -1 },
		"start_at: is more than a year":            func(n *engine.NewBroadcast) { n.StartAt = time.Now().Add(367 * 24 * time.Hour) },
		"recipients: give a list":                  func(n *engine.NewBroadcast) { n.List = nil },
		"recipients: give a list of":               func(n *engine.NewBroadcast) { n.Table = "to\n" },
		"the number is not attached":               func(n *engine.NewBroadcast) { n.Number++ },
		"template: name the template and its lang": func(n *engine.NewBroadcast) { n.Language = "" },
	} {
		in := v.wanted(1)
		change(&in)
		_, err := v.e.Broadcasts().Create(t.Context(), in)
		if refused, ok := errors.AsType[*kabar.Error](err); !ok || !strings.HasPrefix(refused.Explanation(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if all, err := v.e.Broadcasts().List(t.Context(), v.account(), 0, 0, 9); err != nil || len(all) != 0 {
		t.Errorf("stored %+v, %v", all, err)
	}
}

// A list of which the process died while it was stored is removed by the next one, and nobody gets anything.
func TestAListThatWasNotStoredWholeIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		b := &kabar.Broadcast{Account: v.account(), Number: v.id, State: kabar.BroadcastLoading, Template: "hello", Language: "en", Recipients: 2, Created: v.now(), StartAt: v.now()}
		err := v.db.Write(t.Context(), nil, func(tx *store.Tx) error {
			if err := tx.AddBroadcast(b); err != nil {
				return err
			}
			return tx.AddRecipient(b, &kabar.BroadcastRecipient{Row: 1, Handle: ana, Values: map[string]string{"body.1": "Ana"}})
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.e.Broadcasts().Get(t.Context(), b.Account, b.ID); !refusedWith(err, kabar.ReasonNotFound) {
			t.Errorf("it is seen: %v", err)
		}
		v.restart()
		time.Sleep(time.Hour)
		if _, err := v.db.Broadcast(t.Context(), b.Account, b.ID); !store.IsNotFound(err) || len(v.net.Packets()) != 0 {
			t.Errorf("after the restart: %v, %d packets", err, len(v.net.Packets()))
		}
	})
}

// The estimate is that of the account's prices, without those who are held back.
func TestABroadcastIsEstimated(t *testing.T) {
	v := priced(t, 100_000)
	in := v.wanted(3)
	in.List = append(in.List, map[string]string{"to": "+4930123456", "first_name": "D"}, map[string]string{"to": "ID.abc", "first_name": "E"})
	in.PerSecond = 2
	est, err := v.e.Broadcasts().Estimate(t.Context(), in)
	if err != nil || est.Total != 3*30_000+2*10_000 || est.Markets["ES"] != 90_000 || est.Markets["DE"] != 10_000 || est.Covered || est.Currency != "USD" ||
		est.Category != kabar.CategoryUtility || est.Seconds != 3 {
		t.Errorf("estimate %+v, %v", est, err)
	}
	if all, err := v.e.Broadcasts().List(t.Context(), v.account(), 0, 0, 9); err != nil || len(all) != 0 {
		t.Errorf("stored %+v, %v", all, err)
	}
}

// While the first messages of a template are looked at, the rest of the broadcast waits as rows, and goes on when it is known that
// customers like it, or pauses when they do not.
func TestABroadcastWaitsForTheLookAtItsTemplate(t *testing.T) {
	for name, bad := range map[string]bool{"good": false, "bad": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newEnvPaced(t, fast)
				v.policy(kabar.TemplatePolicy{Review: kabar.ReviewAuto, Pace: 20})
				d := hello()
				d.Account, d.Name, d.Category, d.Life.Pace = v.account(), "party", kabar.CategoryMarketing, &kabar.TemplatePace{}
				if err := v.db.Write(t.Context(), nil, func(tx *store.Tx) error { return tx.SaveTemplate(d) }); err != nil {
					t.Fatal(err)
				}
				in := v.wanted(200)
				in.Template = "party"
				b := v.cast(in)
				for range 3 {
					time.Sleep(time.Minute)
					v.restart()
				}
				time.Sleep(time.Minute)
				if now, p := v.is(b); now.State != kabar.BroadcastRunning || p.Sent != 20 || p.Pending != 180 {
					t.Errorf("while it is looked at: %s, %+v", now.State, p)
				}
				if block := true; bad {
					v.deliver(kabar.Update{From: kabar.Customer{WaID: "34600000000"}, At: v.now(), Blocked: &block})
				}
				if held, err := v.db.TemplatesHolding(t.Context()); err != nil || len(held) != 0 {
					t.Errorf("messages are held: %v, %v", held, err)
				}
				time.Sleep(kabar.PaceFor)
				synctest.Wait()
				if !bad {
					v.wantState(b, kabar.BroadcastDone, 0, 200, 0)
					wantOnce(t, v.net, 200)
				} else if now, p := v.is(b); now.State != kabar.BroadcastPaused || p.Sent != 20 || p.Pending != 180 {
					t.Errorf("customers do not like it: %s (%s), %+v", now.State, now.Why, p)
				}
			})
		})
	}
}

// A row that was read before it changed is not taken again.
func TestARowIsTakenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		in := v.wanted(60)
		in.PerSecond = 10
		b := v.cast(in)
		time.Sleep(time.Second)
		if err := v.e.Broadcasts().TakeTwice(t.Context(), b, 59); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		v.wantState(b, kabar.BroadcastDone, 0, 60, 0)
		wantOnce(t, v.net, 60)
	})
}
