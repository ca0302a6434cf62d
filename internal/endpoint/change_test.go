package endpoint_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/endpoint"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// told are the changes of state that the events of a number's log tell of: state, who, why.
func (d *desk) told(n *kabar.Number) string {
	d.t.Helper()
	events, err := d.DB.Events(d.t.Context(), n.ID, 0, 100)
	if err != nil {
		d.t.Fatal(err)
	}
	var all []string
	for _, ev := range events {
		if c := ev.Endpoint; c != nil {
			all = append(all, strings.TrimSpace(string(c.State)+" by "+c.By+" "+c.Reason))
		}
	}
	return strings.Join(all, "|")
}

// TestEveryChangeOfStateIsTold: once, in the log of the endpoint's first number, with who has caused it; what changes no state is not told.
func TestEveryChangeOfStateIsTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		other := d.another("4930222")
		e := d.add(endpoint.Wanted{}).First()
		as := func(who string) context.Context {
			return store.WithRecord(t.Context(), store.NewRecord(store.Audit{At: s.Now, Actor: who, Action: "endpoint.change"}, false))
		}
		become := func(who string, to kabar.EndpointState) {
			t.Helper()
			if _, err := d.Change(as(who), e.ID, func(c *kabar.EndpointConfig) error { c.Become(to, "", d.now); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		become("key 1", kabar.EndpointPaused)
		become("key 1", kabar.EndpointPaused)
		if _, err := d.Change(as("key 1"), e.ID, func(c *kabar.EndpointConfig) error { c.Batch = 5; return nil }); err != nil {
			t.Fatal(err)
		}
		become("session marketer", kabar.EndpointActive)
		become("key 2", kabar.EndpointDisabled)
		become("key 2", kabar.EndpointActive)
		g, err := d.Get(t.Context(), e.ID)
		if err != nil {
			t.Fatal(err)
		}
		if told, err := d.Suspend(t.Context(), g.First(), kabar.Suspension{Reason: "it is gone"}); told == nil || err != nil {
			t.Fatal(told, err)
		}
		if err := d.Remove(as("operator"), e.ID); err != nil {
			t.Fatal(err)
		}
		want := "paused by key 1|active by session marketer|disabled by key 2|active by key 2|suspended by server it is gone|removed by operator"
		if got := d.told(s.A); got != want {
			t.Errorf("told %s\nwant %s", got, want)
		}
		if got := d.told(other); got != "" {
			t.Errorf("told in another log, too: %s", got)
		}
	})
}

// TestTheCustomersOfAFilterAreCustomers: they are kept as events name them, and what is none is refused; a filter from before there was this
// rule is in nobody's way.
func TestTheCustomersOfAFilterAreCustomers(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		filter := func(all ...string) kabar.EventFilter { return kabar.EventFilter{Customers: all} }
		e := d.add(endpoint.Wanted{EndpointConfig: kabar.EndpointConfig{Filter: filter("+34 600 111 222", "34600111222", "34600333444")}}).First()
		if got := strings.Join(e.Filter.Customers, " "); got != "34600111222 34600333444" {
			t.Errorf("a new endpoint is about %s", got)
		}
		if _, err := d.Add(t.Context(), endpoint.Wanted{Account: s.A.Account, Dialect: kabar.Kabar, EndpointConfig: kabar.EndpointConfig{URL: "https://app.example/",
			Filter: filter("Ana")}}); reasonOf(err) != kabar.ReasonInvalid || !strings.Contains(err.Error(), `"Ana"`) {
			t.Errorf("a new endpoint of nobody: %v", err)
		}
		change := func(do func(c *kabar.EndpointConfig)) (string, error) {
			g, err := d.Change(t.Context(), e.ID, func(c *kabar.EndpointConfig) error { do(c); return nil })
			if err != nil {
				return "", err
			}
			return strings.Join(g.First().Filter.Customers, " "), nil
		}
		if _, err := change(func(c *kabar.EndpointConfig) { c.Filter = filter("34600111222", "Ana") }); reasonOf(err) != kabar.ReasonInvalid {
			t.Errorf("a change to nobody: %v", err)
		}
		if got, err := change(func(c *kabar.EndpointConfig) { c.Filter = filter("+34 600 555 666") }); err != nil || got != "34600555666" {
			t.Errorf("a change: %s, %v", got, err)
		}
		s.Write(t, func(tx *store.Tx) error {
			return tx.ChangeEndpoint(e.Number, e.ID, func(c *kabar.EndpointConfig) error { c.Filter = filter("Ana"); return nil })
		})
		if got, err := change(func(c *kabar.EndpointConfig) { c.Batch = 3 }); err != nil || got != "Ana" {
			t.Errorf("a change of something else: %s, %v", got, err)
		}
		if got, err := change(func(c *kabar.EndpointConfig) { c.Filter = filter() }); err != nil || got != "" {
			t.Errorf("no filter any more: %s, %v", got, err)
		}
	})
}

// TestTheSameReplayIsAskedForAgain by somebody who has seen no answer, when it is through already.
func TestTheSameReplayIsAskedForAgain(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		for range 3 {
			d.event(s.A, s.Now)
		}
		id := d.add(endpoint.Wanted{Number: s.A.ID}).First().ID
		all := endpoint.Range{Since: s.Now.Add(-time.Hour)}
		first, _, err := d.Replay(t.Context(), id, all)
		if err != nil || len(first) != 1 {
			t.Fatal(first, err)
		}
		s.Write(t, func(tx *store.Tx) error {
			return tx.ChangeReplay(s.A.ID, first[0].ID, func(r *store.Replay) { r.Mark, r.State, r.Ended = r.Until, store.ReplayDone, d.now })
		})
		for _, step := range []struct {
			later  time.Duration
			events int
			want   string // since and until of what begins; none: the first stands for it
		}{{9 * time.Second, 0, ""}, {0, 1, "3 4"}, {time.Second, 0, "0 4"}} {
			d.now = d.now.Add(step.later)
			for range step.events {
				d.event(s.A, d.now)
			}
			again, fresh, err := d.Replay(t.Context(), id, all)
			if err != nil || len(again) != 1 || fresh != (step.want != "") || !fresh && again[0].ID != first[0].ID ||
				fresh && fmt.Sprint(again[0].Since, " ", again[0].Until) != step.want {
				t.Fatalf("%v later: %+v, %v, %v; want %q", step.later, again, fresh, err, step.want)
			}
			if fresh {
				if _, err := d.ChangeReplay(t.Context(), again[0], store.ReplayCancelled); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// TestAReplayOfAnotherKindIsAsked: what has ended stands neither for one event that it has told, nor for what is told to an endpoint that was
// changed since, nor when the clock was set back.
func TestAReplayOfAnotherKindIsAsked(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		for name, change := range map[string]func(*desk, kabar.EndpointID, *endpoint.Range) error{
			"one event of it": func(_ *desk, _ kabar.EndpointID, r *endpoint.Range) error {
				*r = endpoint.Range{Number: s.A.ID, Event: 1}
				return nil
			},
			"a changed endpoint": func(d *desk, id kabar.EndpointID, _ *endpoint.Range) error {
				_, err := d.Change(t.Context(), id, func(c *kabar.EndpointConfig) error { c.Batch = 3; return nil })
				return err
			},
			"the clock": func(d *desk, _ kabar.EndpointID, _ *endpoint.Range) error { d.now = d.now.Add(-time.Hour); return nil },
		} {
			d := newDesk(t, s)
			for range 3 {
				d.event(s.A, s.Now)
			}
			id := d.add(endpoint.Wanted{Number: s.A.ID}).First().ID
			r := endpoint.Range{Since: s.Now.Add(-24 * time.Hour)}
			first, _, err := d.Replay(t.Context(), id, r)
			if err != nil || len(first) != 1 {
				t.Fatal(first, err)
			}
			s.Write(t, func(tx *store.Tx) error {
				return tx.ChangeReplay(s.A.ID, first[0].ID, func(r *store.Replay) { r.Mark, r.State, r.Ended = r.Until, store.ReplayDone, d.now })
			})
			if err := change(d, id, &r); err != nil {
				t.Fatal(err)
			}
			if again, fresh, err := d.Replay(t.Context(), id, r); err != nil || !fresh || len(again) != 1 || again[0].ID == first[0].ID {
				t.Errorf("%s: %+v, %v, %v", name, again, fresh, err)
			}
		}
	})
}

// TestNothingIsToldByTwoReplays: what one under way will tell is not begun again; what overlaps otherwise is refused, and names it.
func TestNothingIsToldByTwoReplays(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		for i := range 10 {
			d.event(s.A, s.Now.Add(time.Duration(i)*time.Hour))
		}
		id := d.add(endpoint.Wanted{Number: s.A.ID}).First().ID
		hours := func(from, to int) endpoint.Range {
			return endpoint.Range{Since: s.Now.Add(time.Duration(from) * time.Hour), Until: s.Now.Add(time.Duration(to) * time.Hour)}
		}
		first, fresh, err := d.Replay(t.Context(), id, hours(2, 8)) // the events 3 to 8
		if err != nil || !fresh || len(first) != 1 {
			t.Fatal(first, fresh, err)
		}
		s.Write(t, func(tx *store.Tx) error { return tx.Advance(s.A.ID, first[0].ID, 5) }) // of which three have been told
		for name, c := range map[string]struct {
			r    endpoint.Range
			want string // since and until of what tells it; the replay under way; or refused
		}{
			"the same":                        {hours(2, 8), "under way"},
			"what it will tell":               {hours(6, 8), "under way"},
			"what it has told, and more":      {hours(4, 8), "refused"},
			"what goes beyond it":             {hours(6, 10), "refused"},
			"what begins before it":           {hours(0, 7), "refused"},
			"what lies before what it tells":  {hours(0, 4), "0 4"},
			"one that it has told":            {endpoint.Range{Number: s.A.ID, Event: 5}, "4 5"},
			"one that it will tell":           {endpoint.Range{Number: s.A.ID, Event: 6}, "under way"},
			"what lies behind it":             {hours(8, 10), "8 10"},
			"the same, and what is behind it": {hours(2, 9), "8 9"},
		} {
			all, fresh, err := d.Replay(t.Context(), id, c.r)
			got := ""
			switch {
			case reasonOf(err) == kabar.ReasonEndpointState && strings.Contains(err.Error(), s.DB.PublicReplay(int64(first[0].ID))):
				got = "refused"
			case err != nil || len(all) != 1:
				t.Errorf("%s: %v, %v", name, all, err)
				continue
			case all[0].ID == first[0].ID && !fresh:
				got = "under way"
			default:
				got = fmt.Sprint(all[0].Since, " ", all[0].Until)
				if _, err := d.ChangeReplay(t.Context(), all[0], store.ReplayCancelled); err != nil {
					t.Fatal(err)
				}
			}
			if got != c.want {
				t.Errorf("%s: %s, want %s", name, got, c.want)
			}
		}
	})
}
