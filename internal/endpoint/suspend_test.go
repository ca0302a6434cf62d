package endpoint_test

import (
	"testing"
	"time"

	"kabar"
	"kabar/internal/endpoint"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

func TestASuspensionIsToldOnceAndEndsByActivating(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		d.another("4930222")
		e := d.add(endpoint.Wanted{}).First()
		var first *kabar.Event
		for _, want := range []bool{true, false} {
			told, err := d.Suspend(t.Context(), e, kabar.Suspension{Reason: "it has taken nothing", Since: s.Now})
			if (told != nil) != want || err != nil {
				t.Fatalf("told by %+v (%v), want an event: %v", told, err, want)
			}
			if want {
				first = told
			}
		}
		events, err := s.DB.Events(t.Context(), s.A.ID, 0, 10)
		if err != nil || len(events) != 1 || events[0].Seq != first.Seq || !events[0].At.Equal(first.At) || events[0].Endpoint == nil || events[0].Endpoint.ID != s.DB.PublicEndpoint(e.Group) || events[0].Endpoint.State != kabar.EndpointSuspended {
			t.Errorf("events %+v (%v), want one that tells of it", events, err)
		}
		if _, _, err := d.Replay(t.Context(), e.ID, endpoint.Range{}); reasonOf(err) != kabar.ReasonEndpointState {
			t.Errorf("a suspended endpoint is told once more: %v", err)
		}
		if _, err := d.RetryFailed(t.Context(), e.ID); reasonOf(err) != kabar.ReasonEndpointState {
			t.Errorf("a suspended endpoint is retried: %v", err)
		}
		s.Write(t, func(tx *store.Tx) error { return tx.SetFailing(e.Number, e.ID, s.Now) })
		g, err := d.Change(t.Context(), e.ID, func(c *kabar.EndpointConfig) error { c.Become(kabar.EndpointActive, "", d.now); return nil })
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range g {
			if !row.Active() || !row.Failing.IsZero() {
				t.Errorf("row %d is %s and fails since %v, want it active as new", row.ID, row.State, row.Failing)
			}
		}
	})
}

// TestAnyNumberOfAnEndpointSuspendsIt: each of its rows has a time of its own since when it is as it is.
func TestAnyNumberOfAnEndpointSuspendsIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		d.another("4930222")
		d.ticking = true
		g := d.add(endpoint.Wanted{})
		for _, state := range []kabar.EndpointState{kabar.EndpointPaused, kabar.EndpointActive} {
			var err error
			if g, err = d.Change(t.Context(), g[0].ID, func(c *kabar.EndpointConfig) error { c.Become(state, "", d.tick()); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if told, err := d.Suspend(t.Context(), g[1], kabar.Suspension{Reason: "it is gone"}); told == nil || err != nil {
			t.Fatalf("asked by the second number: told by %+v (%v)", told, err)
		}
		if g, err := d.Get(t.Context(), g[0].ID); err != nil || g[0].State != kabar.EndpointSuspended || g[1].State != kabar.EndpointSuspended {
			t.Errorf("%+v (%v), want both suspended", g, err)
		}
	})
}

func TestAnEndpointThatWorksOrHasChangedIsNotSuspended(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		second := d.another("4930222")
		g := d.add(endpoint.Wanted{})
		week := kabar.Suspension{Reason: "it has taken nothing", Since: s.Now}
		s.Write(t, func(tx *store.Tx) error {
			return tx.LogTaken(s.A.Account, second.ID, g[1].ID, []store.Taken{{Seq: 1, At: s.Now.Add(time.Hour), Status: 200}})
		})
		if told, err := d.Suspend(t.Context(), g[0], week); told != nil || err != nil {
			t.Errorf("one that takes another number's events: told by %+v (%v)", told, err)
		}
		old := *g[0]
		if _, err := d.Change(t.Context(), g[0].ID, func(c *kabar.EndpointConfig) error { c.URL = "https://other.example/"; return nil }); err != nil {
			t.Fatal(err)
		}
		if told, err := d.Suspend(t.Context(), &old, kabar.Suspension{Reason: "it is gone"}); told != nil || err != nil {
			t.Errorf("for what its old URL has answered: told by %+v (%v)", told, err)
		}
	})
}
