package feed_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/feed"
	"kabar/internal/store"
	"kabar/internal/storetest"
	"kabar/internal/trace"
)

// broken has four events in A's log: the second cannot be put into words, the third cannot be read from the store, until the test is over
// (storetest reads the log then).
func broken(t *testing.T, s *storetest.Env) (f *feed.Feed, end func()) {
	t.Helper()
	happen(t, s, 0, "A")
	s.Write(t, func(tx *store.Tx) error {
		return errors.Join(
			tx.AddEvent(&kabar.Event{Account: s.A.Account, Number: s.A.ID, Kind: kabar.EventCredit, At: start.Add(time.Minute)}),
			tx.AddEvent(&kabar.Event{Account: s.A.Account, Number: s.A.ID, Kind: kabar.EventStatus, Status: kabar.Read, At: start.Add(2 * time.Minute)}))
	})
	happen(t, s, 3, "A")
	if err := s.Exec(t, "UPDATE event SET body = $1 WHERE number_id = $2 AND seq = 3", []byte("no event"), int64(s.A.ID)); err != nil {
		t.Fatal(err)
	}
	return open(s), func() {
		if err := s.Exec(t, "DELETE FROM event WHERE number_id = $1 AND seq = 3", int64(s.A.ID)); err != nil {
			t.Error(err)
		}
	}
}

// faults are the places in A's log of those entries that say that they are broken, and have no body.
func faults(s *storetest.Env, all []*feed.Entry) string {
	var those []*feed.Entry
	for _, e := range all {
		if e.Error != "" && e.Body == nil && e.Headers == nil {
			those = append(those, e)
		}
	}
	return told(s, those)
}

// TestBrokenEventIsPassed: what cannot be told says so, and what comes behind it is told.
func TestBrokenEventIsPassed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		f, end := broken(t, s)
		defer end()
		of := trace.Of{Account: s.A.Account}
		for limit := 1; limit < 5; limit++ {
			var all []*feed.Entry
			for after := ""; ; {
				p, err := f.List(t.Context(), of, feed.Query{Dialect: kabar.Kabar, After: after, Limit: limit})
				if err != nil {
					t.Fatal(err)
				}
				all, after = append(all, p.Data...), p.Next
				if !p.More {
					break
				}
			}
			if told(s, all) != "A1 A2 A3 A4" || faults(s, all) != "A2 A3" {
				t.Errorf("pages of %d: %s, broken %s", limit, told(s, all), faults(s, all))
			}
		}
		for types, want := range map[string]string{"number.pin_changed": "A1 A4", "message.read": "A3", "message.received": "", "account.*": "A2"} {
			p, err := f.List(t.Context(), of, feed.Query{Dialect: kabar.Kabar, Filter: kabar.EventFilter{Types: []string{types}}})
			if err != nil || told(s, p.Data) != want {
				t.Errorf("of the type %s: %s, %v; want %s", types, told(s, p.Data), err, want)
			}
		}
		w, err := f.Follow(t.Context(), of, feed.Query{Dialect: kabar.Kabar, Since: start})
		if err != nil {
			t.Fatal(err)
		}
		var seen []*feed.Entry
		err = w.Read(t.Context(), 10, func(_ string, e *feed.Entry) error { seen = append(seen, e); return nil })
		if err != nil || told(s, seen) != "A1 A2 A3 A4" || faults(s, seen) != "A2 A3" {
			t.Errorf("followed: %s, broken %s, %v", told(s, seen), faults(s, seen), err)
		}
	})
}

// TestOneBrokenEvent: it is there, and says what is wrong instead of a body.
func TestOneBrokenEvent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		f, end := broken(t, s)
		defer end()
		of := trace.Of{Account: s.A.Account}
		for seq, want := range map[int64]string{2: `"type":"account.credit_low"`, 3: `"type":"message.status"`} {
			e, err := f.One(t.Context(), of, s.DB.EventID(s.A.ID, seq, start.Add(time.Duration(seq-1)*time.Minute)), kabar.Kabar)
			if err != nil || e.Error == "" {
				t.Fatalf("event %d: %+v, %v", seq, e, err)
			}
			b, err := e.JSON()
			if err != nil || !strings.Contains(string(b), want) || !strings.Contains(string(b), `"error":"`) || strings.Contains(string(b), `"body"`) {
				t.Errorf("event %d: %s, %v", seq, b, err)
			}
		}
		p, err := f.List(t.Context(), of, feed.Query{Dialect: kabar.Kabar, Message: "m"}) // the events 2 and 4
		if err != nil || told(s, p.Data) != "A2 A4" || faults(s, p.Data) != "A2" {
			t.Errorf("of a message: %s, %v", told(s, p.Data), err)
		}
	})
}

// away is a store that cannot read events.
type away struct {
	*store.DB
	err error
}

func (a away) ReadEvents(context.Context, kabar.NumberID, store.Span, int) ([]store.EventRead, error) {
	return nil, a.err
}

// TestOutageIsNoBrokenEvent: a store that does not answer, and a caller who has gone, end the reading, so that nothing is passed.
func TestOutageIsNoBrokenEvent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		happen(t, s, 0, "AA")
		for _, fault := range []error{&store.UnavailableError{Err: errors.New("down")}, &store.StatementError{Err: errors.New("no such column")}, context.Canceled} {
			p, err := openWith(s, away{s.DB, fault}).List(t.Context(), trace.Of{}, feed.Query{Dialect: kabar.Kabar})
			if err == nil {
				t.Errorf("%v: %s", fault, told(s, p.Data))
			}
		}
	})
}
