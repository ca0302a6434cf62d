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
	"kabar/internal/storetest"
	"kabar/internal/webhook"
)

// batches is bubble with an application that wants up to ten events a request, and with no two renderings alike.
func batches(t *testing.T, customers int, f func(v *env)) {
	t.Helper()
	bubble(t, customers, func(v *env) {
		var rendered atomic.Int64
		v.settings.Batch = 10
		v.render = func(ev *kabar.Event, _ *kabar.Number, _ kabar.Settings) ([]byte, bool, error) {
			return fmt.Appendf(nil, `{"seq":%d,"conversation":%d,"kind":%q,"rendered":%d}`, ev.Seq, ev.Conversation, ev.Kind, rendered.Add(1)), true, nil
		}
		f(v)
	})
}

// everyone returns the first n customers.
func everyone(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// seqs are the events of a request.
func (c *call) seqs() (all []int64) {
	for _, e := range c.Batch {
		all = append(all, e.Seq)
	}
	return all
}

func TestBatchesAreWhatIsReady(t *testing.T) {
	batches(t, 30, func(v *env) {
		v.tell(everyone(25)...)
		v.start()
		settle(0)
		v.tell(3)
		settle(0)
		v.tellKind(kabar.EventStatus, 1, 2, 1)
		v.tellKind(kabar.EventMessage, 1, 4)
		settle(0)
		var got []string
		for _, c := range v.sink.got() {
			got = append(got, fmt.Sprint(c.seqs()))
		}
		slices.Sort(got[:3]) // they were under way at the same time
		want := []string{"[1 2 3 4 5 6 7 8 9 10]", "[11 12 13 14 15 16 17 18 19 20]", "[21 22 23 24 25]", "[26]"}
		if len(got) < 4 || !slices.Equal(got[:4], want) {
			t.Errorf("requests of %v, want them to begin with %v", got, want)
		}
		v.wantDone(31)
		one := v.sink.of(26)[0]
		v.stop()
		if len(one.Batch) != 1 || one.body[:10] != `{"seq":26,` {
			t.Errorf("a single event is told as %s", one.body)
		}
	})
}

// TestBatchAgain has the same bytes, id and times, whatever comes in between.
func TestBatchAgain(t *testing.T) {
	batches(t, 12, func(v *env) {
		v.sink.respond(always(500))
		v.tell(slices.Concat(everyone(12), []int{0, 0, 1})...)
		v.start()
		settle(time.Second)
		v.restart()
		settle(3 * time.Second) // the second failure, after 3 s
		v.set(func(s *kabar.Settings) { s.Batch = 2 })
		v.tell(0, 5)
		settle(time.Second)
		v.crash()
		v.sink.respond(always(200))
		settle(10 * time.Second)
		calls := v.sink.of(1)
		if got, want := seconds(calls), []int{0, 3, 9}; !slices.Equal(got, want) {
			t.Errorf("attempts after %v s, want %v", got, want)
		}
		sameBytes(t, calls)
		if got := len(calls[0].Batch); got != 10 {
			t.Errorf("a batch of %d, want 10", got)
		}
		v.wantDone(17)
	})
}

// TestBatchTakenApart has one customer in it whom the application refuses, and nobody else to tell of.
func TestBatchTakenApart(t *testing.T) {
	batches(t, 12, func(v *env) {
		v.sink.respond(func(_ context.Context, c *call) (*http.Response, error) {
			if slices.ContainsFunc(c.Batch, func(e told) bool { return e.Conversation == v.customers[4] }) {
				return response(500, ""), nil
			}
			return response(200, ""), nil
		})
		v.tell(everyone(10)...)
		v.start()
		settle(8 * time.Second)
		if b := v.backlog(); b.Pending != 10 || len(v.sink.got()) != 2 {
			t.Errorf("before the third failure: %+v, %d requests", b, len(v.sink.got()))
		}
		settle(2 * time.Second)
		if b := v.backlog(); b.Pending != 1 || len(v.sink.got()) != 13 {
			t.Errorf("after the third failure: %+v, %d requests", b, len(v.sink.got()))
		}
		for _, c := range v.sink.got()[3:] {
			if len(c.Batch) != 1 {
				t.Errorf("a request of %v", c.seqs())
			}
		}
		v.tell(4, 11)
		settle(15 * time.Second)
		if b := v.backlog(); b.Pending != 2 || b.Parked != 1 {
			t.Errorf("after another failure: %+v", b)
		}
		v.sink.respond(always(200))
		settle(time.Minute)
		v.wantDone(12)
	})
}

// TestRetriesAreAlone: what has failed does not get company, although it waits beside others.
func TestRetriesAreAlone(t *testing.T) {
	batches(t, 5, func(v *env) {
		v.settings.Concurrency = 1
		v.sink.respond(func(_ context.Context, c *call) (*http.Response, error) {
			if c.Seq == 1 && c.n == 1 {
				return response(500, ""), nil
			}
			time.Sleep(2 * time.Second)
			return response(200, ""), nil
		})
		v.start()
		v.tell(0)
		settle(2500 * time.Millisecond)
		v.tell(1) // under way until 4.5 s
		settle(300 * time.Millisecond)
		v.tell(2) // waits for that, and so does the first one, which is due at 3 s
		settle(time.Minute)
		calls := v.sink.of(1)
		sameBytes(t, calls)
		if at := seconds(calls); len(at) != 2 || at[1] < 6 {
			t.Errorf("attempts after %v s, want the second one behind the others", at)
		}
		v.wantDone(3)
	})
}

// TestBatchesRefused is an application that takes no batches, whatever its settings say.
func TestBatchesRefused(t *testing.T) {
	batches(t, 50, func(v *env) {
		v.sink.respond(by(func(c *call) int {
			if len(c.Batch) > 1 {
				return 413
			}
			return 200
		}))
		v.tell(everyone(50)...)
		v.tell(everyone(50)...)
		v.start()
		settle(time.Minute)
		v.wantDone(100)
	})
}

// TestBatchOfOnesWhoAreGone has a person erased while a batch waits to be tried again.
func TestBatchOfOnesWhoAreGone(t *testing.T) {
	batches(t, 5, func(v *env) {
		v.sink.respond(always(500))
		v.tell(everyone(5)...)
		v.start()
		settle(time.Second)
		v.stop()
		v.exec("DELETE FROM conversation WHERE id = $1", int64(v.customers[0]))
		v.Reopen(v.t)
		v.sink.reset()
		v.sink.respond(always(200))
		v.start()
		settle(4 * time.Second)
		var got []int64
		for _, c := range v.sink.got() {
			got = append(got, c.seqs()...)
		}
		slices.Sort(got)
		if want := []int64{2, 3, 4, 5}; !slices.Equal(got, want) {
			t.Errorf("told of %v, want %v", got, want)
		}
		v.wantDone(5)
	})
}

// TestProbesAreAlone: it may be batches that an endpoint does not take.
func TestProbesAreAlone(t *testing.T) {
	batches(t, 300, func(v *env) {
		v.sink.respond(always(500))
		v.tell(everyone(100)...)
		v.start()
		settle(time.Minute)
		before := len(v.sink.got())
		v.tell(everyone(300)[100:]...) // has not failed yet, so it is tried first
		settle(10 * time.Minute)
		probes := v.sink.got()[before:]
		if len(probes) < 15 || len(probes) > 100 {
			t.Errorf("%d probes in ten minutes", len(probes))
		}
		for _, c := range probes {
			if len(c.Batch) != 1 {
				t.Errorf("a probe of %d events", len(c.Batch))
			}
		}
		v.tell(everyone(300)...)
		v.sink.reset()
		v.sink.respond(always(200))
		settle(time.Hour)
		v.wantDone(600)
		if n := len(v.sink.got()); n > 400 {
			t.Errorf("%d requests for 600 events, half of which have not failed", n)
		}
	})
}

// TestBatchedRendererError: what cannot be told holds up its own customer only.
func TestBatchedRendererError(t *testing.T) {
	batches(t, 3, func(v *env) {
		good := v.render
		v.render = func(ev *kabar.Event, n *kabar.Number, s kabar.Settings) ([]byte, bool, error) {
			switch ev.Seq {
			case 2, 5:
				return nil, false, fmt.Errorf("cannot be told")
			case 3:
				return nil, false, nil
			}
			return good(ev, n, s)
		}
		v.tell(0, 1, 2, 2, 0, 0, 1)
		v.start()
		settle(time.Second)
		if b := v.backlog(); b.Pending != 4 || b.Failing {
			t.Errorf("backlog %+v, want what cannot be told, and what waits behind it", b)
		}
		v.mu.Lock()
		v.render = good
		v.mu.Unlock()
		settle(time.Minute)
		v.wantDone(7)
		v.stop()
		v.inOrderAtAll(6)
	})
}

// inOrderAtAll checks that so many events have been accepted, each once and in the order of its customer.
func (v *env) inOrderAtAll(events int) {
	v.t.Helper()
	last, n := map[kabar.ConversationID]int64{}, 0
	for _, c := range v.sink.got() {
		if c.status != 200 {
			continue
		}
		for _, e := range c.Batch {
			if n++; e.Seq <= last[e.Conversation] {
				v.t.Errorf("event %d after %d", e.Seq, last[e.Conversation])
			}
			last[e.Conversation] = e.Seq
		}
	}
	if n != events {
		v.t.Errorf("%d events accepted, want %d", n, events)
	}
}

// TestBatchesOnBothDatabases has them fail, be tried again by another process and be taken apart, in real time.
func TestBatchesOnBothDatabases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		v := newEnvOn(t, s, 20)
		v.settings.BackoffStep, v.settings.Batch = 20*time.Millisecond, 10
		v.sink.respond(func(_ context.Context, c *call) (*http.Response, error) {
			if slices.ContainsFunc(c.Batch, func(e told) bool { return e.Conversation == v.customers[0] }) {
				return response(500, ""), nil
			}
			return response(200, ""), nil
		})
		v.start()
		for range 20 {
			v.tell(everyone(20)...)
		}
		v.restart()
		// The customer is parked while others get through. When all of theirs were told before the restart, it is the endpoint that fails.
		v.eventually(func(b webhook.Backlog) bool { return b.Pending == 20 && (b.Parked == 1 || b.Failing) })
		v.sink.respond(always(200))
		v.eventually(func(b webhook.Backlog) bool { return b.Pending == 0 && b.Parked == 0 })
		v.stop()
		v.inOrderAtAll(400)
	})
}
