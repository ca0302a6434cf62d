package webhook_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
)

// TestOutage has an endpoint that answers nobody for ten minutes.
func TestOutage(t *testing.T) {
	bubble(t, 20, func(v *env) {
		var up atomic.Bool
		v.sink.respond(func(context.Context, *call) (*http.Response, error) {
			time.Sleep(100 * time.Millisecond)
			if up.Load() {
				return response(200, ""), nil
			}
			return response(503, ""), nil
		})
		up.Store(true)
		v.start()
		for c := range 20 {
			v.tell(c)
		}
		settle(time.Second)
		up.Store(false)
		for range 3 {
			for c := range 20 {
				v.tell(c)
			}
		}
		settle(29 * time.Second)
		if b := v.backlog(); b.Failing || b.Pending != 60 {
			t.Errorf("after 29 s: %+v", b)
		}
		settle(2 * time.Second)
		v.sink.reset()
		before := time.Now()
		for range 570 {
			settle(time.Second)
			if b := v.backlog(); b.Parked != 0 || !b.Failing || b.LastStatus != 503 {
				t.Fatalf("during the outage: %+v", b)
			}
		}
		calls := v.sink.got()
		if v.sink.most > 1 || len(calls) < 18 || len(calls) > 30 || calls[0].at.Sub(before) > 30*time.Second {
			t.Errorf("%d probes, %d at a time", len(calls), v.sink.most)
		}
		customers := map[int64]bool{}
		for _, c := range calls {
			customers[int64(c.Conversation)] = true
		}
		if len(customers) < 15 {
			t.Errorf("probes of %d customers only", len(customers))
		}
		v.sink.reset()
		up.Store(true)
		settle(35 * time.Second)
		if v.sink.most != 6 {
			t.Errorf("%d requests at a time after the outage, want 6", v.sink.most)
		}
		v.wantDone(80)
	})
}

// TestOneFailingCustomerIsNoOutage has nobody else to tell for an hour; then there is somebody.
func TestOneFailingCustomerIsNoOutage(t *testing.T) {
	bubble(t, 2, func(v *env) {
		v.sink.respond(v.refuse(0))
		v.tell(0)
		v.start()
		settle(3528500 * time.Millisecond) // the 49th attempt has just failed
		if b := v.backlog(); !b.Failing || b.Parked != 0 || len(v.sink.got()) != 49 {
			t.Errorf("after an hour: %+v, %d requests", b, len(v.sink.got()))
		}
		v.tell(1)
		settle(100 * time.Millisecond)
		if n := len(v.sink.of(2)); n != 1 {
			t.Errorf("%d requests for another customer", n)
		}
		settle(15 * time.Minute)
		if b := v.backlog(); b.Failing || b.Parked != 1 || b.Pending != 1 {
			t.Errorf("after the next failure: %+v", b)
		}
	})
}

// TestTwoFailingCustomers hold up a third one for one probe at most.
func TestTwoFailingCustomers(t *testing.T) {
	bubble(t, 3, func(v *env) {
		v.sink.respond(v.refuse(0, 1))
		v.tell(0, 1)
		v.start()
		settle(time.Hour)
		v.tell(2)
		settle(31 * time.Second)
		if n := len(v.sink.of(3)); n != 1 {
			t.Errorf("%d requests for the third customer", n)
		}
	})
}

func TestClockShift(t *testing.T) {
	bubble(t, 2, func(v *env) {
		v.sink.respond(always(500))
		v.tell(0)
		v.start()
		settle(time.Hour)
		n := len(v.sink.got())
		v.sink.respond(always(200))
		v.skew.Store(int64(24 * time.Hour))
		v.d.Shifted()
		synctest.Wait()
		if got := len(v.sink.got()); got != n+1 {
			t.Errorf("%d requests after the clock was shifted, want one more than %d", got, n)
		}
		v.wantDone(1)
	})
}

func TestConcurrency(t *testing.T) {
	bubble(t, 60, func(v *env) {
		v.sink.respond(func(context.Context, *call) (*http.Response, error) {
			time.Sleep(time.Second)
			return response(200, ""), nil
		})
		v.start()
		for _, width := range []int{6, 12, 18, 24, 6} {
			v.set(func(s *kabar.Settings) { s.Concurrency = width })
			v.sink.reset()
			for c := range 60 {
				v.tell(c)
			}
			settle(11 * time.Second)
			if v.sink.most != width || v.sink.overlap {
				t.Errorf("%d requests at a time, want %d; two of a customer at once: %v", v.sink.most, width, v.sink.overlap)
			}
		}
		v.wantDone(300)
	})
}
