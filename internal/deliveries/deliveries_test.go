package deliveries_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"kabar"
	"kabar/internal/deliveries"
	"kabar/internal/store"
	"kabar/internal/storetest"
	"kabar/internal/trace"
)

// log is a number with two endpoints and ten events, one a minute, which stand with them in every way there is.
type log struct {
	*storetest.Env
	t             *testing.T
	d             *deliveries.Deliveries
	first, second *kabar.Endpoint
	unspeakable   int64 // an event that cannot be put into words; 0: none
}

func newLog(t *testing.T, s *storetest.Env) *log {
	t.Helper()
	l := &log{Env: s, t: t}
	ep := func(types ...string) *kabar.Endpoint {
		return &kabar.Endpoint{Account: s.A.Account, Number: s.A.ID, Dialect: kabar.Kabar,
			EndpointConfig: kabar.EndpointConfig{URL: "https://x.example/", Filter: kabar.EventFilter{Types: types}}}
	}
	l.first, l.second = ep(), ep("message.deleted")
	s.Write(t, func(tx *store.Tx) error {
		c, err := tx.CreateConversation(s.A, kabar.Customer{WaID: "34600111222"})
		if err != nil {
			return err
		}
		if err := errors.Join(tx.AddEndpoint(l.first, s.Now), tx.AddEndpoint(l.second, s.Now)); err != nil {
			return err
		}
		for i := range 10 {
			kind := kabar.EventMessage
			if i%2 == 1 {
				kind = kabar.EventDeleted
			}
			ev := &kabar.Event{Account: s.A.Account, Number: s.A.ID, Conversation: c.ID, Customer: c.Customer, Kind: kind, At: s.Now.Add(time.Duration(i) * time.Minute)}
			if err := tx.AddEvent(ev); err != nil {
				return err
			}
		}
		row := func(seq int64, state store.DeliveryState, attempts int) *store.Delivery {
			return &store.Delivery{Endpoint: l.first.ID, Seq: seq, Account: s.A.Account, Number: s.A.ID, Conversation: c.ID, State: state, Attempts: attempts, Due: s.Now}
		}
		failed := &store.Attempt{N: 1, At: s.Now, Took: time.Second, Status: 500, AttemptAnswer: store.AttemptAnswer{Error: "HTTP 500", Body: []byte("no\xff")}}
		return errors.Join(
			// Of the first endpoint: 1 was missed, 2 taken after a failure, 3 is parked and was tried, 4 is parked behind it, 5 and 7 were taken,
			// 6 is tried again; the rest waits. The mark stands at 5.
			tx.NoteExpired(s.A.ID, l.first.ID, store.Expired{Seq: 1, Type: "message.received", At: s.Now, Gone: s.Now}),
			tx.LogAttempt(row(2, store.Finished, 1), failed), tx.SaveDelivery(row(3, store.Parked, 1)), tx.LogAttempt(row(3, store.Parked, 1), failed),
			tx.SaveDelivery(row(4, store.Parked, 0)), tx.SaveDelivery(row(6, store.Retrying, 1)), tx.LogAttempt(row(6, store.Retrying, 1), failed),
			tx.SaveDelivery(row(7, store.Finished, 0)), tx.Advance(s.A.ID, l.first.ID, 5),
			tx.LogTaken(s.A.Account, s.A.ID, l.first.ID, []store.Taken{{Seq: 2, Status: 200, Failed: 1, At: s.Now}, {Seq: 5, Status: 200}, {Seq: 7, Status: 204}}),
			// The second one wants deleted messages only, and has had 2 and 4.
			tx.Advance(s.A.ID, l.second.ID, 5), tx.LogTaken(s.A.Account, s.A.ID, l.second.ID, []store.Taken{{Seq: 2}, {Seq: 4}}))
	})
	l.d = deliveries.New(deliveries.Options{Store: s.DB, Messages: trace.New(s.DB, trace.Names{Own: func(id string) string { return id },
		Ref: func(string) (uint64, bool) { return 0, false }}),
		Log: slog.New(slog.DiscardHandler),
		Render: map[kabar.Dialect]deliveries.Renderer{kabar.Kabar: func(ev *kabar.Event, _ *kabar.Number, _ kabar.Settings) ([]byte, bool, error) {
			if ev.Seq == l.unspeakable {
				return nil, false, errors.New("it does not say what has happened")
			}
			return fmt.Appendf(nil, "event %d", ev.Seq), true, nil
		}},
		Settings: func(kabar.NumberID) (kabar.Settings, error) { return kabar.Settings{}, nil }})
	return l
}

// list returns what is listed, as seq and state, a page after the other.
func (l *log) list(q deliveries.Query) (got []string) {
	l.t.Helper()
	for {
		page, err := l.d.List(l.t.Context(), q)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, one := range page.Deliveries {
			if slices.ContainsFunc(one.Attempts, func(a deliveries.Attempt) bool { return a.Answer != nil }) {
				l.t.Errorf("a list has answers: %+v", one)
			}
			_, seq, _ := l.DB.ParseDeliveryID(one.ID)
			got = append(got, fmt.Sprint(seq, " ", one.State))
		}
		if page.Next == "" {
			return got
		}
		q.After = page.Next
	}
}

func TestListTellsHowEachEventStands(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		l := newLog(t, s)
		all := []string{"1 expired", "2 delivered", "3 retrying", "4 waiting", "5 delivered", "6 retrying", "7 delivered", "8 waiting", "9 waiting", "10 waiting"}
		for _, c := range []struct {
			name string
			q    deliveries.Query
			want []string
		}{
			{"the first endpoint", deliveries.Query{Endpoint: l.first.ID}, all},
			{"in small pages", deliveries.Query{Endpoint: l.first.ID, Limit: 1}, all},
			{"the second endpoint", deliveries.Query{Endpoint: l.second.ID}, []string{"2 delivered", "4 delivered", "6 waiting", "8 waiting", "10 waiting"}},
			{"waiting", deliveries.Query{Endpoint: l.first.ID, State: deliveries.Waiting}, []string{"4 waiting", "8 waiting", "9 waiting", "10 waiting"}},
			{"retrying", deliveries.Query{State: deliveries.Retrying, Limit: 1}, []string{"3 retrying", "6 retrying"}},
			{"expired", deliveries.Query{State: deliveries.Expired}, []string{"1 expired"}},
			{"delivered", deliveries.Query{Endpoint: l.first.ID, State: deliveries.Delivered}, []string{"2 delivered", "5 delivered", "7 delivered"}},
			{"in a time", deliveries.Query{Endpoint: l.first.ID, Since: s.Now.Add(2 * time.Minute), Until: s.Now.Add(5 * time.Minute)},
				[]string{"3 retrying", "4 waiting", "5 delivered"}},
			{"before there was anything", deliveries.Query{Until: s.Now.Add(-time.Hour)}, nil},
			{"after all", deliveries.Query{Since: s.Now.Add(time.Hour)}, nil},
			{"of another account", deliveries.Query{Of: trace.Of{Account: s.B.Account}}, nil},
			{"of another number", deliveries.Query{Of: trace.Of{Account: s.A.Account, Number: s.B.ID}}, nil},
		} {
			if got := l.list(c.q); !slices.Equal(got, c.want) {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
	})
}

// TestNothingWaitsForADisabledEndpoint: what was taken and missed is told, and the rest is none any more.
func TestNothingWaitsForADisabledEndpoint(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		l := newLog(t, s)
		s.Write(t, func(tx *store.Tx) error {
			return tx.ChangeEndpoint(s.A.ID, l.first.ID, func(c *kabar.EndpointConfig) error { c.Become(kabar.EndpointDisabled, "", s.Now); return nil })
		})
		want := []string{"1 expired", "2 delivered", "5 delivered", "7 delivered"}
		if got := l.list(deliveries.Query{Endpoint: l.first.ID}); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestADeliveryShowsWhatWasSentAndAnswered(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		l := newLog(t, s)
		one, err := l.d.Get(t.Context(), trace.Of{}, s.DB.DeliveryID(l.first.ID, 2))
		if err != nil {
			t.Fatal(err)
		}
		if one.State != deliveries.Delivered || one.Request != "event 2" || one.Customer != "34600111222" || len(one.Attempts) != 2 {
			t.Fatalf("%+v", one)
		}
		bad, good := one.Attempts[0], one.Attempts[1]
		if bad.Status != 500 || bad.Answer == nil || bad.Answer.Body != "no\uFFFD" || bad.TookMS != 1000 || good.N != 2 || good.Status != 200 || good.Error != "" {
			t.Errorf("attempts %+v and %+v", bad, good)
		}
		if gone, err := l.d.Get(t.Context(), trace.Of{}, s.DB.DeliveryID(l.first.ID, 1)); err != nil || gone.State != deliveries.Expired {
			t.Errorf("what has expired: %+v, %v", gone, err)
		}
		for name, id := range map[string]string{"an event not wanted": s.DB.DeliveryID(l.second.ID, 1), "no event": s.DB.DeliveryID(l.first.ID, 77),
			"no endpoint": s.DB.DeliveryID(1<<40, 1), "no id": "dlv_x"} {
			if got, err := l.d.Get(t.Context(), trace.Of{}, id); err == nil {
				t.Errorf("%s: %+v", name, got)
			}
		}
		if _, err := l.d.Get(t.Context(), trace.Of{Account: s.B.Account}, s.DB.DeliveryID(l.first.ID, 2)); err == nil {
			t.Error("another account sees it")
		}
	})
}

func TestWhatCannotBeListedIsRefused(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		l := newLog(t, s)
		for name, q := range map[string]deliveries.Query{"state": {State: "late"}, "limit": {Limit: 201}, "after": {After: "MS4x"}, "order": {Order: "latest"}, "message": {Message: "x"}} {
			if _, err := l.d.List(t.Context(), q); err == nil {
				t.Errorf("%s: accepted", name)
			}
		}
	})
}
