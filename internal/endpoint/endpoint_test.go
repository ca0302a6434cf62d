package endpoint_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/endpoint"
	"kabar/internal/signature"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// desk is endpoints over a store, and what they have told others.
type desk struct {
	*storetest.Env
	*endpoint.Endpoints
	t       *testing.T
	now     time.Time
	ticking bool     // each look at the clock is a moment later
	proofs  []string // URL and token
	noProof error
	woken   map[kabar.NumberID]int
	retried []kabar.EndpointID
}

func newDesk(t *testing.T, s *storetest.Env) *desk {
	d := &desk{Env: s, t: t, now: s.Now, woken: map[kabar.NumberID]int{}}
	d.Endpoints = endpoint.New(endpoint.Options{Store: s.DB, Now: d.tick,
		CheckURL: func(u string) error {
			if !strings.HasPrefix(u, "https://") {
				return errors.New("must begin with https://")
			}
			return nil
		},
		Prove: func(_ context.Context, u, tok string) error { d.proofs = append(d.proofs, u+" "+tok); return d.noProof },
		Customer: func(written string) (kabar.Customer, error) {
			if !strings.HasPrefix(written, "+34 ") && !strings.HasPrefix(written, "34") {
				return kabar.Customer{}, errors.New("nobody")
			}
			return kabar.Customer{WaID: strings.NewReplacer("+", "", " ", "").Replace(written)}, nil
		},
		Wake:  func(n kabar.NumberID) { d.woken[n]++ },
		Retry: func(_ kabar.NumberID, e kabar.EndpointID) { d.retried = append(d.retried, e) }})
	return d
}

// tick is what time it is; another each time for a desk that is ticking.
func (d *desk) tick() time.Time {
	if d.ticking {
		d.now = d.now.Add(time.Millisecond)
	}
	return d.now
}

func (d *desk) add(w endpoint.Wanted) endpoint.Group {
	d.t.Helper()
	if w.Account == 0 {
		w.Account = d.A.Account
	}
	if w.Dialect == "" {
		w.Dialect = kabar.Kabar
	}
	if w.URL == "" {
		w.URL = "https://app.example/hook"
	}
	g, err := d.Add(d.t.Context(), w)
	if err != nil {
		d.t.Fatal(err)
	}
	return g
}

// another adds a number to the first account.
func (d *desk) another(digits string) *kabar.Number {
	d.t.Helper()
	n := &kabar.Number{Account: d.A.Account, Digits: digits}
	d.Write(d.t, func(tx *store.Tx) error { return tx.AddNumber(n, d.Settings, d.Now) })
	return n
}

func (d *desk) event(n *kabar.Number, at time.Time) {
	d.t.Helper()
	d.Write(d.t, func(tx *store.Tx) error {
		return tx.AddEvent(&kabar.Event{Account: n.Account, Number: n.ID, Kind: kabar.EventLimits, At: at})
	})
}

func reasonOf(err error) kabar.Reason {
	if refused, ok := errors.AsType[*kabar.Error](err); ok {
		return refused.Reason
	}
	return ""
}

func TestANewEndpointHearsOfWhatHappensFromThenOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		d.event(s.A, s.Now)
		d.event(s.A, s.Now)
		g := d.add(endpoint.Wanted{Number: s.A.ID})
		e := g.First()
		if len(g) != 1 || e.Mark != 2 || e.Wide || e.Origin != kabar.FromAPI || len(e.Secrets) != 1 || signature.Check(e.Secrets[0].Value) != nil {
			t.Errorf("%+v, want one row with the mark at 2 and a secret", e)
		}
		if d.woken[s.A.ID] != 1 || len(d.proofs) != 0 {
			t.Errorf("woken %v, proofs %q; want the number woken and nothing proved", d.woken, d.proofs)
		}
	})
}

func TestAnEndpointOfTheCloudAPIProvesItself(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		g := d.add(endpoint.Wanted{Number: s.A.ID, Dialect: kabar.Cloud})
		if len(d.proofs) != 1 || g.First().Token == "" || d.proofs[0] != "https://app.example/hook "+g.First().Token {
			t.Errorf("proofs %q with the token %q", d.proofs, g.First().Token)
		}
		d.noProof = kabar.Refuse(kabar.ReasonInvalid, "url", "does not answer")
		if _, err := d.Change(t.Context(), g.First().ID, func(c *kabar.EndpointConfig) error { c.URL = "https://other.example/"; return nil }); reasonOf(err) != kabar.ReasonInvalid {
			t.Errorf("another URL without a proof: %v", err)
		}
		if _, err := d.Change(t.Context(), g.First().ID, func(c *kabar.EndpointConfig) error { c.Batch = 5; return nil }); err != nil {
			t.Errorf("the same URL had to prove itself again: %v", err)
		}
	})
}

func TestAWideEndpointReadsNumbersThatComeLater(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		second := d.another("4930222")
		g := d.add(endpoint.Wanted{})
		if !slices.Equal(g.Numbers(), []kabar.NumberID{s.A.ID, second.ID}) {
			t.Fatalf("it reads %v, want the two of the account", g.Numbers())
		}
		third := d.another("4930333")
		d.event(third, s.Now)
		for range 2 {
			if err := d.Spread(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		g, err := d.Change(t.Context(), g[1].ID, func(c *kabar.EndpointConfig) error { c.Batch = 7; return nil })
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(g.Numbers(), []kabar.NumberID{s.A.ID, second.ID, third.ID}) || g[2].Mark != 0 {
			t.Errorf("it reads %v, the third from %d on; want all three, the new one from its beginning", g.Numbers(), g[2].Mark)
		}
		for _, e := range g {
			if e.Batch != 7 || e.Secrets[0] != g.First().Secrets[0] {
				t.Errorf("row %d has batch %d", e.ID, e.Batch)
			}
		}
		if err := d.Remove(t.Context(), g[2].ID); err != nil {
			t.Fatal(err)
		}
		if all, err := d.List(t.Context(), s.A.Account); len(all) != 0 || err != nil {
			t.Errorf("%d endpoints are left (%v)", len(all), err)
		}
	})
}

func TestWhatIsManagedElsewhereKeepsItsURL(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		old := &kabar.Endpoint{Account: s.A.Account, Number: s.A.ID, Dialect: kabar.OnPrem, EndpointConfig: kabar.EndpointConfig{URL: "https://x.example/", Origin: kabar.FromSettings}}
		s.Write(t, func(tx *store.Tx) error { return tx.AddEndpoint(old, s.Now) })
		if err := d.Spread(t.Context()); err != nil {
			t.Fatal(err)
		}
		g, err := d.Get(t.Context(), old.ID)
		if err != nil || len(g.First().Secrets) != 1 {
			t.Errorf("one from before has %d secrets (%v), want 1", len(g.First().Secrets), err)
		}
		if _, err := d.Change(t.Context(), old.ID, func(c *kabar.EndpointConfig) error { c.URL = "https://y.example/"; return nil }); reasonOf(err) != kabar.ReasonEndpointState {
			t.Errorf("its URL was changed: %v", err)
		}
		if err := d.Remove(t.Context(), old.ID); reasonOf(err) != kabar.ReasonEndpointState {
			t.Errorf("it was removed: %v", err)
		}
		if _, err := d.Change(t.Context(), old.ID, func(c *kabar.EndpointConfig) error { c.Filter.Types = []string{"message.*"}; return nil }); err != nil {
			t.Errorf("its filter: %v", err)
		}
	})
}

func TestADisabledEndpointMissesWhatHappens(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		id := d.add(endpoint.Wanted{Number: s.A.ID}).First().ID
		become := func(to kabar.EndpointState) *kabar.Endpoint {
			g, err := d.Change(t.Context(), id, func(c *kabar.EndpointConfig) error { c.Become(to, "", d.now); return nil })
			if err != nil {
				t.Fatal(err)
			}
			return g.First()
		}
		become(kabar.EndpointPaused)
		d.event(s.A, s.Now)
		if e := become(kabar.EndpointActive); e.Mark != 0 {
			t.Errorf("after a pause the mark is %d, want 0: nothing is missed", e.Mark)
		}
		become(kabar.EndpointDisabled)
		d.event(s.A, s.Now)
		if e := become(kabar.EndpointActive); e.Mark != 5 { // its own three changes are events, too, and the last one comes behind
			t.Errorf("after it was disabled the mark is %d, want 5", e.Mark)
		}
	})
}

func TestAReplayOfATimeOrAnEvent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		for i := range 5 {
			d.event(s.A, s.Now.Add(time.Duration(i)*time.Hour))
		}
		id := d.add(endpoint.Wanted{Number: s.A.ID}).First().ID
		begin := func(r endpoint.Range) *store.Replay {
			t.Helper()
			all, _, err := d.Replay(t.Context(), id, r)
			if err != nil || len(all) > 1 {
				t.Fatalf("%d replays, %v", len(all), err)
			}
			if len(all) == 0 {
				return &store.Replay{}
			}
			return all[0]
		}
		since := begin(endpoint.Range{Since: s.Now.Add(time.Hour)})
		if since.Since != 1 || since.Until != 5 {
			t.Errorf("since an hour: events above %d up to %d, want 1 and 5", since.Since, since.Until)
		}
		if again := begin(endpoint.Range{Since: s.Now.Add(time.Hour)}); again.ID != since.ID {
			t.Error("the same was begun twice")
		}
		if r := begin(endpoint.Range{Since: s.Now.Add(time.Hour), Until: s.Now.Add(3 * time.Hour)}); r.ID != since.ID {
			t.Errorf("two hours of them: %+v", r)
		}
		if r := begin(endpoint.Range{Number: s.A.ID, Event: 4}); r.ID != since.ID {
			t.Errorf("one event of them: %+v", r)
		}
		if r := begin(endpoint.Range{Number: s.A.ID, Event: 1}); r.Since != 0 || r.Until != 1 {
			t.Errorf("one event before them: %+v", r)
		}
		if r := begin(endpoint.Range{Since: s.Now.Add(9 * time.Hour)}); r.ID != 0 {
			t.Errorf("nothing: %+v", r)
		}
		if _, err := d.ChangeReplay(t.Context(), since, store.ReplayCancelled); err != nil {
			t.Error(err)
		}
		if _, err := d.ChangeReplay(t.Context(), since, store.ReplayRunning); reasonOf(err) != kabar.ReasonEndpointState {
			t.Errorf("one that was cancelled goes on: %v", err)
		}
		if r := begin(endpoint.Range{Since: s.Now.Add(time.Hour)}); r.ID == since.ID || r.ID == 0 {
			t.Error("one that was cancelled keeps another from beginning")
		}
		g, err := d.Get(t.Context(), id)
		all, err2 := d.Replays(t.Context(), g)
		if errors.Join(err, err2) != nil || len(all) != 3 {
			t.Errorf("%d replays are listed (%v), want 3", len(all), errors.Join(err, err2))
		}
		if _, err := d.RetryFailed(t.Context(), id); err != nil || !slices.Equal(d.retried, []kabar.EndpointID{id}) {
			t.Errorf("retried %v, %v", d.retried, err)
		}
	})
}

func TestAnEndpointIsNotReachableByRulesThatHaveChanged(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		for url, want := range map[string]kabar.Reason{"https://a.example/": "", "http://a.example/": kabar.ReasonInvalid, "": kabar.ReasonEndpointState} {
			err := d.Reachable(&kabar.Endpoint{EndpointConfig: kabar.EndpointConfig{URL: url}})
			refused, _ := errors.AsType[*kabar.Error](err)
			if want == "" && err != nil || want != "" && (refused == nil || refused.Reason != want) {
				t.Errorf("%q: %v, want %q", url, err, want)
			}
		}
	})
}

func TestWhatCannotBeConfiguredIsRefused(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		for name, change := range map[string]func(*kabar.EndpointConfig){
			"url":          func(c *kabar.EndpointConfig) { c.URL = "http://10.0.0.1/" },
			"header twice": func(c *kabar.EndpointConfig) { c.Headers = map[string]string{"X-A": "1", "x-a": "2"} },
			"long url":     func(c *kabar.EndpointConfig) { c.URL = "https://" + strings.Repeat("x", 2048) },
			"notify":       func(c *kabar.EndpointConfig) { c.Notify = "ftp://x" },
			"filter":       func(c *kabar.EndpointConfig) { c.Filter.Types = []string{"messages.*"} },
			"timeout":      func(c *kabar.EndpointConfig) { c.Timeout = time.Minute },
			"concurrency":  func(c *kabar.EndpointConfig) { c.Concurrency = 65 },
			"batch":        func(c *kabar.EndpointConfig) { c.Batch = 1001 },
			"description":  func(c *kabar.EndpointConfig) { c.Description = strings.Repeat("é", 257) },
			"own header":   func(c *kabar.EndpointConfig) { c.Headers = map[string]string{"webhook-id": "1"} },
			"host":         func(c *kabar.EndpointConfig) { c.Headers = map[string]string{"HOST": "x"} },
			"bad name":     func(c *kabar.EndpointConfig) { c.Headers = map[string]string{"a b": "x"} },
			"bad value":    func(c *kabar.EndpointConfig) { c.Headers = map[string]string{"a": "x\r\nb: y"} },
			"certificate":  func(c *kabar.EndpointConfig) { c.Certificate, c.CertificateKey = "x", "y" },
			"no key":       func(c *kabar.EndpointConfig) { c.Certificate = "x" },
			"ca":           func(c *kabar.EndpointConfig) { c.CA = "x" },
			"secret":       func(c *kabar.EndpointConfig) { c.Secrets = []kabar.EndpointSecret{{Value: "whsec_"}} },
		} {
			w := endpoint.Wanted{Account: s.A.Account, Number: s.A.ID, Dialect: kabar.Kabar, EndpointConfig: kabar.EndpointConfig{URL: "https://x.example/"}}
			change(&w.EndpointConfig)
			if _, err := d.Add(t.Context(), w); reasonOf(err) != kabar.ReasonInvalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := d.Add(t.Context(), endpoint.Wanted{Account: s.A.Account, Number: s.A.ID, Dialect: kabar.Kabar}); reasonOf(err) != kabar.ReasonMissing {
			t.Errorf("no URL: %v", err)
		}
		if _, err := d.Add(t.Context(), endpoint.Wanted{Account: s.A.Account, Number: s.A.ID, Dialect: "soap", EndpointConfig: kabar.EndpointConfig{URL: "https://x.example/"}}); reasonOf(err) != kabar.ReasonInvalid {
			t.Errorf("an unknown dialect: %v", err)
		}
		if _, err := d.Get(t.Context(), 1<<40); reasonOf(err) != kabar.ReasonNotFound {
			t.Errorf("an endpoint that there is not: %v", err)
		}
	})
}
