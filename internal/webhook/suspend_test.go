package webhook_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/webhook"
)

// suspends has the dispatcher note suspensions as package endpoint does, and count them.
func (v *env) suspends(after time.Duration) *atomic.Int64 {
	n := new(atomic.Int64)
	v.options = func(o *webhook.Options) {
		o.Profile = map[kabar.Dialect]webhook.Profile{kabar.OnPrem: {First: time.Second, Most: 15 * time.Minute, Suspend: after}}
		o.Suspend = func(ctx context.Context, e *kabar.Endpoint, why kabar.Suspension) (*kabar.Event, error) {
			n.Add(1)
			told := e.Changed(v.DB.PublicEndpoint(e.Group), kabar.EndpointSuspended, why.Reason, kabar.ByServer, v.now())
			err := v.DB.Write(ctx, nil, func(tx *store.Tx) error {
				err := tx.ChangeEndpoint(e.Number, e.ID, func(c *kabar.EndpointConfig) error {
					c.Become(kabar.EndpointSuspended, why.Reason, v.now())
					return nil
				})
				return errors.Join(err, tx.AddEvent(told))
			})
			v.d.Wake(e.Number)
			if err != nil {
				return nil, err
			}
			return told, nil
		}
	}
	return n
}

func TestAnEndpointThatIsGoneIsSuspended(t *testing.T) {
	bubble(t, 3, func(v *env) {
		n := v.suspends(7 * 24 * time.Hour)
		v.sink.respond(always(410))
		v.tell(0, 1, 2)
		v.start()
		settle(time.Hour)
		if calls := len(v.sink.got()); calls > 3 || n.Load() != 1 {
			t.Errorf("%d requests and %d suspensions, want at most what was under way, and one", calls, n.Load())
		}
		v.sink.respond(always(200))
		v.tell(1)
		settle(time.Hour)
		if b := v.backlog(); b.Pending != 5 || b.LastStatus != 410 || b.LastError == "" {
			t.Errorf("while it is suspended: %+v, want its 4 events to wait, and that which tells of it, and the last answer to be remembered", b)
		}
		v.configure(func(c *kabar.EndpointConfig) { c.Become(kabar.EndpointActive, "", v.now()) })
		settle(time.Minute)
		v.wantDone(5)
	})
}

// TestNothingWaitsForADisabledEndpoint: what it is not told later does not wait for it, whatever has failed there before. What it has answered
// last is remembered, until it has another URL.
func TestNothingWaitsForADisabledEndpoint(t *testing.T) {
	bubble(t, 3, func(v *env) {
		v.sink.respond(always(500))
		v.tell(0, 1, 2)
		v.start()
		settle(time.Hour)
		for state, want := range map[kabar.EndpointState]int64{kabar.EndpointPaused: 3, kabar.EndpointDisabled: 0} {
			v.configure(func(c *kabar.EndpointConfig) { c.Become(state, "", v.now()) })
			settle(time.Second)
			if b := v.backlog(); b.Pending != want || want == 0 && (!b.Oldest.IsZero() || b.Parked != 0 || b.Failing) {
				t.Errorf("%s: %+v, want %d that wait", state, b, want)
			}
			if b := v.backlog(); b.LastStatus != 500 || b.LastError == "" {
				t.Errorf("%s: %+v, want the last answer", state, b)
			}
		}
		v.sink.respond(always(200))
		v.configure(func(c *kabar.EndpointConfig) { c.Become(kabar.EndpointActive, "", v.now()) })
		settle(time.Second)
		v.configure(func(c *kabar.EndpointConfig) { c.Description = "another" })
		settle(time.Second)
		if b := v.backlog(); b.LastStatus != 200 || b.Pending != 0 {
			t.Errorf("described otherwise, with nothing to send: %+v, want the last answer", b)
		}
		v.aim("https://other.example/hook")
		settle(time.Second)
		if b := v.backlog(); b.LastStatus != 0 || b.LastError != "" {
			t.Errorf("another URL: %+v, want no answer of the old one", b)
		}
	})
}

// TestAWeekWithoutASuccess goes through restarts, which must not begin the week anew, and through a success, which must.
func TestAWeekWithoutASuccess(t *testing.T) {
	bubble(t, 3, func(v *env) {
		n := v.suspends(7 * 24 * time.Hour)
		var up atomic.Bool
		v.sink.respond(by(func(*call) int {
			if up.Load() {
				return 200
			}
			return 503
		}))
		v.start()
		for range 3 {
			v.tell(0, 1, 2)
		}
		for range 5 {
			settle(24 * time.Hour)
			v.restart()
		}
		up.Store(true)
		settle(time.Hour)
		v.wantDone(9)
		up.Store(false)
		v.tell(0, 1, 2)
		settle(time.Hour) // until the failures are noted
		for range 6 {
			settle(24 * time.Hour)
			v.restart()
		}
		if n.Load() != 0 {
			t.Fatal("suspended before a week was over")
		}
		settle(24 * time.Hour)
		if n.Load() != 1 {
			t.Fatalf("%d suspensions after a week, want 1", n.Load())
		}
		v.restart()
		up.Store(true)
		settle(time.Hour)
		if b := v.backlog(); b.Pending != 4 || n.Load() != 1 {
			t.Errorf("suspended, %+v and %d suspensions; want 3 events that wait with that which tells of it, and 1", b, n.Load())
		}
		v.configure(func(c *kabar.EndpointConfig) { c.Become(kabar.EndpointActive, "", v.now()) })
		settle(time.Hour)
		v.wantDone(13)
	})
}

// TestWhoIsSparedIsToldOn: an endpoint of all numbers is not suspended while it takes events of another number.
func TestWhoIsSparedIsToldOn(t *testing.T) {
	bubble(t, 3, func(v *env) {
		v.suspends(7 * 24 * time.Hour)
		var asked atomic.Int64
		suspends := v.options
		v.options = func(o *webhook.Options) {
			suspends(o)
			o.Suspend = func(context.Context, *kabar.Endpoint, kabar.Suspension) (*kabar.Event, error) {
				asked.Add(1)
				return nil, nil
			}
		}
		v.sink.respond(always(500))
		v.tell(0, 1, 2)
		v.start()
		settle(8 * 24 * time.Hour)
		before := len(v.sink.got())
		settle(24 * time.Hour)
		if tried := len(v.sink.got()) - before; asked.Load() < 2 || tried < 2 {
			t.Errorf("asked %d times, and tried %d times in a day", asked.Load(), tried)
		}
		v.sink.respond(always(410))
		settle(24 * time.Hour)
		v.sink.respond(always(200))
		settle(24 * time.Hour)
		v.wantDone(3)
	})
}

// TestNobodyIsSuspendedForWhatIsLongPast: the server was stopped for longer than an endpoint may fail.
func TestNobodyIsSuspendedForWhatIsLongPast(t *testing.T) {
	bubble(t, 2, func(v *env) {
		n := v.suspends(7 * 24 * time.Hour)
		v.sink.respond(always(503))
		v.tell(0, 1)
		v.start()
		settle(time.Hour)
		v.stop()
		settle(8 * 24 * time.Hour)
		v.sink.respond(always(200))
		v.start()
		settle(time.Hour)
		v.wantDone(2)
		if n.Load() != 0 {
			t.Error("suspended without having been asked")
		}
	})
}

func TestAnEndpointOfOneCustomerIsSuspendedToo(t *testing.T) {
	bubble(t, 1, func(v *env) {
		n := v.suspends(7 * 24 * time.Hour)
		v.sink.respond(always(500))
		v.tell(0)
		v.start()
		settle(8 * 24 * time.Hour)
		if n.Load() != 1 {
			t.Errorf("%d suspensions, want 1", n.Load())
		}
	})
}
