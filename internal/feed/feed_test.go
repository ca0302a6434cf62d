package feed_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/feed"
	"kabar/internal/store"
	"kabar/internal/storetest"
	"kabar/internal/trace"
)

var start = time.Date(2031, 5, 2, 10, 0, 0, 0, time.UTC)

// render has words for all but collections, and fails with credit.
func render(ev *kabar.Event, n *kabar.Number, _ kabar.Settings) ([]byte, bool, error) {
	if ev.Kind == kabar.EventCredit {
		return nil, false, errors.New("it does not say what has happened")
	}
	return fmt.Appendf(nil, `{"said": "%s %d\u00e9"}`, n.Digits, ev.Seq), ev.Kind != kabar.EventCollected, nil
}

// open returns a feed over a store. The message "m" is told by the events 2 and 4 of A's log.
func open(s *storetest.Env) *feed.Feed { return openWith(s, s.DB) }

func openWith(s *storetest.Env, db feed.Store) *feed.Feed {
	return feed.New(feed.Options{Store: db, Log: slog.New(slog.DiscardHandler), Render: map[kabar.Dialect]feed.Renderer{kabar.Kabar: render, kabar.Cloud: render},
		Sign:     map[kabar.Dialect]func([]byte) http.Header{kabar.Cloud: func(b []byte) http.Header { return http.Header{"X-Length": {fmt.Sprint(len(b))}} }},
		Settings: func(kabar.NumberID) (kabar.Settings, error) { return s.Settings, nil },
		Message: func(_ context.Context, of trace.Of, id string) (kabar.NumberID, []int64, error) {
			if id != "m" || !of.Has(s.A) {
				return 0, nil, kabar.Refuse(kabar.ReasonNotFound, "", "no such message")
			}
			return s.A.ID, []int64{2, 4, 999}, nil
		}})
}

// happen adds events to logs, a minute apart: A for one of A's, b for a collection of B's…
func happen(t *testing.T, s *storetest.Env, minute int, what string) {
	t.Helper()
	s.Write(t, func(tx *store.Tx) error {
		for i, letter := range what {
			n := s.A
			if strings.ContainsRune("bB", letter) {
				n = s.B
			}
			ev := &kabar.Event{Account: n.Account, Number: n.ID, Kind: kabar.EventSecurity, At: start.Add(time.Duration(minute+i) * time.Minute)}
			if letter >= 'a' {
				ev.Kind, ev.Collected = kabar.EventCollected, &kabar.Collected{What: kabar.CollectMedia}
			}
			if err := tx.AddEvent(ev); err != nil {
				return err
			}
		}
		return nil
	})
}

// told writes entries as the log they are of and their place in it: A1 B1 A2.
func told(s *storetest.Env, all []*feed.Entry) string {
	var words []string
	for _, e := range all {
		_, seq, _ := s.DB.ParseEventID(e.ID)
		words = append(words, map[string]string{s.A.Digits: "A", s.B.Digits: "B"}[e.Number]+fmt.Sprint(seq))
	}
	return strings.Join(words, " ")
}

// TestList: whose the log is reads it, oldest first, as far as the filter lets it.
func TestList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		happen(t, s, 0, "ABABaAbB")
		f, all, ofA, ofB := open(s), trace.Of{}, trace.Of{Account: s.A.Account}, trace.Of{Number: s.B.ID}
		for _, c := range []struct {
			name  string
			of    trace.Of
			query feed.Query
			want  string
			more  bool
		}{
			{"everything by the operator", all, feed.Query{}, "A1 B1 A2 B2 A4 B4", false},
			{"an account", ofA, feed.Query{}, "A1 A2 A4", false},
			{"a number", ofB, feed.Query{}, "B1 B2 B4", false},
			{"a number of them", all, feed.Query{Number: s.B.Digits}, "B1 B2 B4", false},
			{"a page", all, feed.Query{Limit: 2}, "A1 B1", true},
			{"a page that is just full", ofA, feed.Query{Limit: 3}, "A1 A2 A4", true},
			{"no type", all, feed.Query{Filter: kabar.EventFilter{Types: []string{"message.*"}}}, "", false},
			{"types", ofA, feed.Query{Filter: kabar.EventFilter{Types: []string{"message.*", "number.pin_changed"}}}, "A1 A2 A4", false},
			{"since the third minute", all, feed.Query{Since: start.Add(3 * time.Minute)}, "B2 A4 B4", false},
			{"since a moment between", all, feed.Query{Since: start.Add(150 * time.Second)}, "B2 A4 B4", false},
			{"since before everything", all, feed.Query{Since: start.Add(-time.Hour)}, "A1 B1 A2 B2 A4 B4", false},
			{"since after everything", all, feed.Query{Since: start.Add(time.Hour)}, "", false},
			{"of a message", ofA, feed.Query{Message: "m"}, "A2 A4", false},
			{"of a message of another number", all, feed.Query{Message: "m", Number: s.B.Digits}, "", false},
		} {
			c.query.Dialect = kabar.Kabar
			p, err := f.List(t.Context(), c.of, c.query)
			if err != nil || told(s, p.Data) != c.want || p.More != c.more {
				t.Errorf("%s: %q, more %v, %v; want %q, %v", c.name, told(s, p.Data), p.More, err, c.want, c.more)
			}
		}
	})
}

// TestPagesAreWhole: pages of any size have every event once, also of what is added between them.
func TestPagesAreWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		happen(t, s, 0, strings.Repeat("ABBaAB", 20))
		f := open(s)
		for limit := 1; limit < 12; limit += 5 {
			var all []*feed.Entry
			after := ""
			for {
				p, err := f.List(t.Context(), trace.Of{}, feed.Query{Dialect: kabar.Kabar, After: after, Limit: limit})
				if err != nil {
					t.Fatal(err)
				}
				all, after = append(all, p.Data...), p.Next
				if !p.More {
					break
				}
			}
			whole, err := f.List(t.Context(), trace.Of{}, feed.Query{Dialect: kabar.Kabar, Limit: feed.MaxPage})
			if err != nil || told(s, all) != told(s, whole.Data) || len(all) != 100 {
				t.Errorf("pages of %d: %s\nwant %s, %v", limit, told(s, all), told(s, whole.Data), err)
			}
			p, err := f.List(t.Context(), trace.Of{}, feed.Query{Dialect: kabar.Kabar, After: after})
			if err != nil || len(p.Data) != 0 {
				t.Errorf("behind the last: %s, %v", told(s, p.Data), err)
			}
		}
	})
}

func TestRefusals(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		happen(t, s, 0, "AB")
		f := open(s)
		behind := feed.Cursor{s.A.Digits: 1 << 40}.String() // of a store that has come back from an older backup
		p, err := f.List(t.Context(), trace.Of{}, feed.Query{Dialect: kabar.Kabar, After: behind})
		if err != nil || told(s, p.Data) != "B1" {
			t.Errorf("a cursor from the future: %s, %v", told(s, p.Data), err)
		}
		for name, c := range map[string]struct {
			of     trace.Of
			query  feed.Query
			reason kabar.Reason
			field  string
		}{
			"a number of another account": {trace.Of{Account: s.A.Account}, feed.Query{Number: s.B.Digits}, kabar.ReasonNotFound, "number"},
			"an unknown dialect":          {trace.Of{}, feed.Query{Dialect: "morse"}, kabar.ReasonInvalid, "dialect"},
			"a type that there is not":    {trace.Of{}, feed.Query{Filter: kabar.EventFilter{Types: []string{"message.recieved"}}}, kabar.ReasonInvalid, "type"},
			"no cursor":                   {trace.Of{}, feed.Query{After: "5"}, kabar.ReasonInvalid, "after"},
			"too many":                    {trace.Of{}, feed.Query{Limit: 101}, kabar.ReasonInvalid, "limit"},
			"a message of another":        {trace.Of{Number: s.B.ID}, feed.Query{Message: "m"}, kabar.ReasonNotFound, ""},
			"a message and a cursor":      {trace.Of{}, feed.Query{Message: "m", After: behind}, kabar.ReasonNotRequired, "after"},
		} {
			if c.query.Dialect == "" {
				c.query.Dialect = kabar.Kabar
			}
			_, err := f.List(t.Context(), c.of, c.query)
			if refused, ok := errors.AsType[*kabar.Error](err); !ok || refused.Reason != c.reason || refused.Field != c.field {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestOne: an event is found by its id, by whom it concerns only; its body comes byte for byte, with what proves it.
func TestOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		happen(t, s, 0, "ABa")
		f := open(s)
		id := s.DB.EventID(s.A.ID, 1, start)
		e, err := f.One(t.Context(), trace.Of{Account: s.A.Account}, id, kabar.Cloud)
		if err != nil {
			t.Fatal(err)
		}
		b, err := e.JSON()
		want := `{"id":"` + id + `","type":"number.pin_changed","time":"2031-05-02T10:00:00.000Z","number":"` + s.A.Digits + `","headers":{"X-Length":["` +
			fmt.Sprint(len(e.Body)) + `"]},"body":{"said": "` + s.A.Digits + ` 1\u00e9"}}`
		if err != nil || string(b) != want {
			t.Errorf("%s, %v\nwant %s", b, err, want)
		}
		for name, c := range map[string]struct {
			of trace.Of
			id string
		}{
			"another account":               {trace.Of{Account: s.B.Account}, id},
			"no id":                         {trace.Of{}, "evt_1"},
			"an event that is not there":    {trace.Of{}, s.DB.EventID(s.A.ID, 77, start)},
			"one from before a restoration": {trace.Of{}, s.DB.EventID(s.A.ID, 1, start.Add(time.Second))},
			"one without words":             {trace.Of{}, s.DB.EventID(s.A.ID, 2, start.Add(2*time.Minute))},
		} {
			_, err := f.One(t.Context(), c.of, c.id, kabar.Kabar)
			if refused, ok := errors.AsType[*kabar.Error](err); !ok || refused.Reason != kabar.ReasonNotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
