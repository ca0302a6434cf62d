package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/webhook"
)

// refuse answers 500 to some customers and 200 to the others, a little later.
func (v *env) refuse(customers ...int) answer {
	var bad []kabar.ConversationID
	for _, c := range customers {
		bad = append(bad, v.customers[c])
	}
	return func(_ context.Context, c *call) (*http.Response, error) {
		time.Sleep(10 * time.Millisecond)
		if slices.Contains(bad, c.Conversation) {
			return response(500, ""), nil
		}
		return response(200, ""), nil
	}
}

// every has customer c write once a second for d.
func (v *env) every(d time.Duration, c int) {
	for range d / time.Second {
		v.tell(c)
		time.Sleep(time.Second)
	}
}

// seconds are the offsets of calls, rounded down.
func seconds(calls []*call) (all []int) {
	for _, d := range offsets(calls) {
		all = append(all, int(d/time.Second))
	}
	return all
}

func states(rows []*store.Delivery) (all []string) {
	for _, d := range rows {
		all = append(all, fmt.Sprint(d.Seq, d.State, d.Attempts))
	}
	return all
}

func TestParking(t *testing.T) {
	bubble(t, 2, func(v *env) {
		v.sink.respond(v.refuse(0))
		v.tell(0, 0) // events 1 and 2
		v.start()
		v.every(9*time.Second, 1) // 3 to 11
		if b := v.backlog(); b.Parked != 0 || b.Pending != 2 {
			t.Errorf("before the third failure: %+v", b)
		}
		settle(100 * time.Millisecond)
		if b := v.backlog(); b.Parked != 1 || b.Pending != 2 || b.Failing {
			t.Errorf("after the third failure: %+v", b)
		}
		mark, rows := v.disk()
		if want := []string{"1 3 3", "2 3 0"}; mark != 11 || !slices.Equal(states(rows), want) {
			t.Errorf("mark %d, rows %q, want 11, %q", mark, states(rows), want)
		}
		v.tell(0, 1, 0) // 12 to 14
		v.every(10*time.Second, 1)
		if mark, rows := v.disk(); mark != 24 || len(rows) != 4 {
			t.Errorf("mark %d, rows %q, want 24 and four", mark, states(rows))
		}
		v.sink.respond(v.refuse())
		settle(20 * time.Second) // the fourth failure was after 18 s, the next attempt is after 30
		if got, want := seconds(v.sink.of(1)), []int{0, 3, 9, 18, 30}; !slices.Equal(got, want) {
			t.Errorf("attempts after %v s, want %v", got, want)
		}
		var order []int64
		for _, c := range v.sink.got() {
			if c.Conversation == v.customers[0] && c.status == 200 {
				order = append(order, c.Seq)
			}
		}
		if want := []int64{1, 2, 12, 14}; !slices.Equal(order, want) {
			t.Errorf("drained %v, want %v", order, want)
		}
		v.wantDone(24)
		v.tell(0)
		settle(time.Second)
		if got := v.sink.of(25); len(got) != 1 {
			t.Errorf("%d requests for an event after the parking", len(got))
		}
		v.wantDone(25)
	})
}

// TestParkedAcrossRestart has the same bytes, ids and times before and after.
func TestParkedAcrossRestart(t *testing.T) {
	bubble(t, 2, func(v *env) {
		var rendered atomic.Int64
		v.render = func(ev *kabar.Event, _ *kabar.Number, _ kabar.Settings) ([]byte, bool, error) {
			n := rendered.Add(1) // no two renderings are alike
			return fmt.Appendf(nil, `{"seq":%d,"conversation":%d,"rendered":%d}`, ev.Seq, ev.Conversation, n), true, nil
		}
		v.sink.respond(v.refuse(0))
		v.tell(0, 0)
		v.start()
		v.every(10*time.Second, 1)
		v.restart()
		v.every(10*time.Second, 1) // the fourth failure
		v.tell(0)
		settle(0)
		v.restart()
		settle(0)
		if b := v.backlog(); b.Parked != 1 || b.Pending != 3 {
			t.Errorf("after the restart: %+v", b)
		}
		v.sink.respond(v.refuse())
		settle(time.Minute)
		if got, want := seconds(v.sink.of(1)), []int{0, 3, 9, 18, 30}; !slices.Equal(got, want) {
			t.Errorf("attempts after %v s, want %v", got, want)
		}
		sameBytes(t, v.sink.of(1))
		v.wantDone(23)
	})
}

func TestRetriesAcrossRestart(t *testing.T) {
	bubble(t, 3, func(v *env) {
		var rendered atomic.Int64
		v.render = func(ev *kabar.Event, _ *kabar.Number, _ kabar.Settings) ([]byte, bool, error) {
			n := rendered.Add(1)
			return fmt.Appendf(nil, `{"seq":%d,"conversation":%d,"rendered":%d}`, ev.Seq, ev.Conversation, n), true, nil
		}
		v.sink.respond(v.refuse(0, 1))
		v.tell(0, 1, 2, 0)
		v.start()
		settle(4 * time.Second)
		v.restart()
		settle(4 * time.Second)
		v.crash()
		settle(7 * time.Second)
		v.sink.respond(v.refuse())
		v.restart()
		settle(time.Minute)
		for seq := int64(1); seq <= 2; seq++ {
			calls := v.sink.of(seq)
			if got, want := seconds(calls), []int{0, 3, 9, 18}; !slices.Equal(got, want) {
				t.Errorf("attempts of %d after %v s, want %v", seq, got, want)
			}
			sameBytes(t, calls)
		}
		if n := len(v.sink.of(3)); n != 1 {
			t.Errorf("%d requests for a finished event", n)
		}
		v.wantDone(4)
	})
}

// sameBytes checks that there were retries, with the id and the bytes of the first attempt.
func sameBytes(t *testing.T, calls []*call) {
	t.Helper()
	if len(calls) < 2 {
		t.Fatalf("%d attempts", len(calls))
	}
	for _, c := range calls {
		if c.body != calls[0].body || c.id != calls[0].id {
			t.Errorf("a retry sends %s %s, the first attempt %s %s", c.id, c.body, calls[0].id, calls[0].body)
		}
	}
}

// longestGap is the longest time without a request.
func longestGap(calls []*call) (gap time.Duration) {
	for i := 1; i < len(calls); i++ {
		gap = max(gap, calls[i].at.Sub(calls[i-1].at))
	}
	return gap
}

// TestNobodyWaitsForWhoFails has a backlog much larger than the window, with a customer in it who fails.
func TestNobodyWaitsForWhoFails(t *testing.T) {
	const events = 4500
	bubble(t, 50, func(v *env) {
		var rendered atomic.Int64
		v.render = func(ev *kabar.Event, _ *kabar.Number, _ kabar.Settings) ([]byte, bool, error) {
			return fmt.Appendf(nil, `{"seq":%d,"conversation":%d,"rendered":%d}`, ev.Seq, ev.Conversation, rendered.Add(1)), true, nil
		}
		v.sink.respond(v.refuse(0))
		v.fillLog(events)
		v.start()
		settle(15 * time.Second)
		var others []*call
		for _, c := range v.sink.got() {
			if c.Conversation != v.customers[0] {
				others = append(others, c)
			}
		}
		if gap := longestGap(others); len(others) != events-events/50 || gap > 100*time.Millisecond {
			t.Errorf("%d requests for the others with a gap of %v", len(others), gap)
		}
		if b := v.backlog(); b.Parked != 1 || b.Pending != events/50 {
			t.Errorf("backlog %+v", b)
		}
		v.sink.respond(v.refuse())
		settle(time.Minute)
		sameBytes(t, v.sink.of(1))
		v.wantDone(events)
	})
}

// TestHangingCustomers has more hanging customers than there are requests at a time.
func TestHangingCustomers(t *testing.T) {
	bubble(t, 40, func(v *env) {
		hangs := map[kabar.ConversationID]bool{}
		for _, c := range v.customers[:20] {
			hangs[c] = true
		}
		v.sink.respond(func(ctx context.Context, c *call) (*http.Response, error) {
			if hangs[c.Conversation] {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return response(200, ""), nil
		})
		for c := range 20 {
			v.tell(c)
		}
		v.start()
		for range 300 {
			v.tell(30)
			time.Sleep(time.Second)
		}
		if b := v.backlog(); b.Parked != 20 {
			t.Fatalf("backlog %+v", b)
		}
		v.sink.reset()
		for c := range 200 { // now that the hanging ones are parked
			v.tell(20 + c%20)
			time.Sleep(time.Second)
			if n := len(v.sink.of(int64(321 + c))); n != 1 {
				t.Fatalf("event %d was not delivered within a second", 321+c)
			}
		}
		v.sink.respond(always(200))
		settle(time.Hour)
		v.wantDone(520)
	})
}

// TestParkingUnderLoad has customers parked and released all the time while new events of theirs arrive, in real time.
func TestParkingUnderLoad(t *testing.T) {
	const customers = 20
	events := volume(600)
	v := newEnv(t, customers)
	v.settings.BackoffStep = 10 * time.Millisecond
	v.settings.Concurrency = 24
	v.sink.respond(by(func(c *call) int {
		if c.n <= 3 && (c.Conversation-v.customers[0])%10 != 0 && c.Seq%5 == 0 {
			return 500
		}
		return 200
	}))
	v.start()
	for i := range events {
		v.tell(i*7%customers, i*3%customers)
		time.Sleep(time.Duration(i%3) * 500 * time.Microsecond)
	}
	v.eventually(func(b webhook.Backlog) bool { return b.Pending == 0 })
	v.inOrder(2 * events)
}

// inOrder checks that every event has been accepted once, in the order of its customer.
func (v *env) inOrder(events int) {
	v.t.Helper()
	v.stop()
	last, n := map[kabar.ConversationID]int64{}, 0
	for _, c := range v.sink.got() {
		if c.status != 200 {
			continue
		}
		if n++; c.Seq <= last[c.Conversation] {
			v.t.Fatalf("event %d after %d", c.Seq, last[c.Conversation])
		}
		last[c.Conversation] = c.Seq
	}
	if mark, rows := v.disk(); n != events || mark != int64(events) || len(rows) != 0 {
		v.t.Errorf("%d events accepted, mark %d, rows %q, want %d and none", n, mark, states(rows), events)
	}
}

// An endpoint that takes one request at a time gives every other turn to customers who are not parked.
func TestParkedCustomersTakeTurnsWithTheOthers(t *testing.T) {
	bubble(t, 6, func(v *env) {
		v.settings.Concurrency, v.settings.BackoffCap = 1, 5*time.Second
		var well atomic.Bool
		v.sink.respond(func(_ context.Context, c *call) (*http.Response, error) {
			time.Sleep(time.Second)
			if !well.Load() && c.Conversation != v.customers[5] {
				return response(500, ""), nil
			}
			return response(200, ""), nil
		})
		v.start()
		for range 200 {
			v.tell(0, 1, 2, 3, 4, 5)
			settle(30 * time.Second)
			if v.backlog().Parked == 5 {
				break
			}
		}
		v.tell(slices.Repeat([]int{0, 1, 2, 3, 4}, 20)...)
		settle(time.Minute)
		well.Store(true)
		settle(20 * time.Second)
		before := len(v.order(5))
		v.tell(5, 5, 5)
		settle(7 * time.Second)
		if n := len(v.order(5)) - before; n != 3 {
			t.Errorf("%d of 3 events of a customer who is not parked have been told, with %d parked", n, v.backlog().Parked)
		}
	})
}
