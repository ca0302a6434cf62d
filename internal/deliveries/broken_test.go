package deliveries_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"kabar"
	"kabar/internal/deliveries"
	"kabar/internal/store"
	"kabar/internal/storetest"
	"kabar/internal/trace"
)

// spoil makes events of A's log unreadable, and what failed attempts at them were answered, until the test is over (storetest reads the log
// then).
func (l *log) spoil(seqs ...int64) (end func()) {
	l.t.Helper()
	for _, seq := range seqs {
		if err := errors.Join(l.Exec(l.t, "UPDATE event SET body = $1 WHERE number_id = $2 AND seq = $3", []byte("no event"), int64(l.A.ID), seq),
			l.Exec(l.t, "UPDATE delivery SET body = $1 WHERE endpoint_id = $2 AND seq = $3", []byte("no body"), int64(l.first.ID), seq),
			l.Exec(l.t, "UPDATE attempt SET body = $1 WHERE endpoint_id = $2 AND seq = $3", []byte("no answer"), int64(l.first.ID), seq)); err != nil {
			l.t.Fatal(err)
		}
	}
	return func() {
		for _, table := range []string{"event", "attempt"} {
			for _, seq := range seqs {
				if err := l.Exec(l.t, "DELETE FROM "+table+" WHERE seq = $1", seq); err != nil {
					l.t.Error(err)
				}
			}
		}
	}
}

// TestABrokenEventIsListed: what is known without its body is told, and what comes behind it, too.
func TestABrokenEventIsListed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		l := newLog(t, s)
		defer l.spoil(2, 6, 7, 9)()
		for _, c := range []struct {
			name string
			q    deliveries.Query
			want []string
		}{
			{"all", deliveries.Query{Endpoint: l.first.ID, Limit: 3}, []string{"1 expired", "2 delivered", "3 retrying", "4 waiting", "5 delivered", "6 retrying",
				"7 delivered", "8 waiting", "9 waiting", "10 waiting"}},
			{"what is tried again", deliveries.Query{State: deliveries.Retrying}, []string{"3 retrying", "6 retrying"}},
			{"what waits for an endpoint that wants other types", deliveries.Query{Endpoint: l.second.ID, State: deliveries.Waiting}, []string{"6 waiting", "8 waiting", "10 waiting"}},
		} {
			if got := l.list(c.q); !slices.Equal(got, c.want) {
				t.Errorf("%s: %q, want %q", c.name, got, c.want)
			}
		}
		page, err := l.d.List(t.Context(), deliveries.Query{Endpoint: l.first.ID})
		if err != nil {
			t.Fatal(err)
		}
		for i, one := range page.Deliveries {
			seq := int64(i + 1)
			if broken := slices.Contains([]int64{2, 6, 7, 9}, seq); broken != (one.Error != "") || broken != (one.Customer == "") && seq != 1 {
				t.Errorf("event %d: %+v", seq, one)
			}
			if at := s.Now.Add(time.Duration(i) * time.Minute); seq != 1 && (one.EventID != s.DB.EventID(s.A.ID, seq, at) || !one.At.Equal(at) || one.Number != s.A.Digits) {
				t.Errorf("event %d: %+v", seq, one)
			}
		}
		if again := page.Deliveries[5]; again.Type != "message.deleted" || len(again.Attempts) != 1 || again.Attempts[0].Status != 500 || again.Attempts[0].Error == "" {
			t.Errorf("what is tried again: %+v", again)
		}
	})
}

// TestOneBrokenEvent: it is shown without the body that is sent. So is one that cannot be put into words.
func TestOneBrokenEvent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		l := newLog(t, s)
		end := l.spoil(6)
		l.unspeakable = 7
		for _, seq := range []int64{6, 7} {
			one, err := l.d.Get(t.Context(), trace.Of{}, s.DB.DeliveryID(l.first.ID, seq))
			if err != nil || one.Error == "" || one.Request != "" || len(one.Attempts) != 1 {
				t.Errorf("event %d: %+v, %v", seq, one, err)
			}
		}
		end()
	})
}

// TestAnErasedCustomersEventIsPassed: the key goes first, the events last.
func TestAnErasedCustomersEventIsPassed(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		l := newLog(t, s)
		s.Write(t, func(tx *store.Tx) error {
			return tx.AddEvent(&kabar.Event{Account: s.A.Account, Number: s.A.ID, Kind: kabar.EventMessage, At: s.Now.Add(time.Hour)})
		})
		if err := l.Exec(t, "UPDATE event SET conversation_id = 1 WHERE number_id = $1 AND seq > 7 AND seq < 11", int64(s.A.ID)); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Exec(t, "DELETE FROM event") }()
		if got, want := l.list(deliveries.Query{State: deliveries.Waiting, Endpoint: l.first.ID}), []string{"4 waiting", "11 waiting"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}
