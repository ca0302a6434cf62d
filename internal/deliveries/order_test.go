package deliveries_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/deliveries"
	"kabar/internal/store"
	"kabar/internal/storetest"
	"kabar/internal/trace"
)

// long is more events than are read at a time.
const long = 260

// longLog has two logs of many events in which chance decides how each stands with several endpoints; when odd says so, their times are
// not in order.
type longLog struct {
	*log
	rng     *rand.Rand
	odd     bool
	all     []*kabar.Endpoint
	message string
	about   []int64 // events of A that are about the message
}

func newLongLog(t *testing.T, s *storetest.Env, seed uint64, odd bool) *longLog {
	t.Helper()
	l := &longLog{log: &log{Env: s, t: t}, rng: rand.New(rand.NewPCG(seed, 1)), odd: odd}
	for _, n := range []*kabar.Number{s.A, s.B} {
		s.Write(t, func(tx *store.Tx) error { return l.write(tx, n) })
		gone := int64(20 + l.rng.IntN(20))
		if err := l.Exec(t, "DELETE FROM event WHERE number_id = $1 AND seq <= $2", int64(n.ID), gone); err != nil {
			t.Fatal(err)
		}
		s.Write(t, func(tx *store.Tx) (err error) {
			for seq := int64(1); seq <= gone; seq++ {
				err = errors.Join(err, tx.NoteExpired(n.ID, l.all[len(l.all)-1].ID, store.Expired{Seq: seq, Type: "message.received", At: l.at(seq), Gone: s.Now}))
			}
			return err
		})
	}
	l.d = deliveries.New(deliveries.Options{Store: s.DB, Log: slog.New(slog.DiscardHandler), Messages: trace.New(s.DB, trace.Names{
		Own: func(id string) string { return id },
		ID:  func(_ bool, _ *kabar.Number, _ kabar.Customer, ref uint64) string { return strconv.FormatUint(ref, 10) },
		Ref: func(id string) (uint64, bool) { ref, err := strconv.ParseUint(id, 10, 64); return ref, err == nil }})})
	return l
}

func (l *longLog) at(seq int64) time.Time {
	if l.odd && l.rng.IntN(8) == 0 {
		seq -= int64(l.rng.IntN(60))
	}
	return l.Now.Add(time.Duration(seq) * time.Minute)
}

// write adds a number's endpoints and events.
func (l *longLog) write(tx *store.Tx, n *kabar.Number) error {
	c, err := tx.CreateConversation(n, kabar.Customer{WaID: "34600111222"})
	if err != nil {
		return err
	}
	m := &kabar.Message{Direction: kabar.Inbound, Status: kabar.Received, Content: &kabar.Text{Body: "hi"}, At: l.Now}
	if err := tx.AppendMessage(c, m); err != nil {
		return err
	}
	var fresh []*kabar.Endpoint
	for _, types := range [][]string{{"message.deleted"}, nil, nil} {
		e := &kabar.Endpoint{Account: n.Account, Number: n.ID, Dialect: kabar.Kabar, EndpointConfig: kabar.EndpointConfig{URL: "https://x.example/", Filter: kabar.EventFilter{Types: types}}}
		if err := tx.AddEndpoint(e, l.Now); err != nil {
			return err
		}
		fresh = append(fresh, e)
	}
	for range long {
		ev := &kabar.Event{Account: n.Account, Number: n.ID, Conversation: c.ID, Customer: c.Customer, Kind: kabar.EventMessage}
		if l.rng.IntN(2) == 0 {
			ev.Kind = kabar.EventDeleted
		}
		head, err := tx.Head(n.ID)
		if err != nil {
			return err
		}
		if ev.At = l.at(head + 1); l.rng.IntN(20) == 0 {
			ev.Message = m.ID
		}
		if err := tx.AddEvent(ev); err != nil {
			return err
		}
		if ev.Message != 0 && n == l.A {
			l.message, l.about = strconv.FormatUint(m.Ref, 10), append(l.about, ev.Seq)
		}
		for _, e := range fresh {
			if err := l.stand(tx, e, c.ID, ev.Seq); err != nil {
				return err
			}
		}
	}
	l.all = append(l.all, fresh...)
	return nil
}

// stand has chance decide how an event stands with an endpoint.
func (l *longLog) stand(tx *store.Tx, e *kabar.Endpoint, c kabar.ConversationID, seq int64) error {
	row := func(s store.DeliveryState, attempts int) error {
		return tx.SaveDelivery(&store.Delivery{Endpoint: e.ID, Seq: seq, Account: e.Account, Number: e.Number, Conversation: c, State: s, Attempts: attempts, Due: l.Now})
	}
	switch chance := l.rng.IntN(10); {
	case seq <= long/3 && chance < 7:
		return errors.Join(tx.Advance(e.Number, e.ID, seq), tx.LogTaken(e.Account, e.Number, e.ID, []store.Taken{{Seq: seq, Status: 200}}))
	case seq <= long/3:
		return errors.Join(tx.Advance(e.Number, e.ID, seq), row(store.Parked, chance%2))
	case seq > long*3/4 || chance < 3:
		return nil
	case chance < 6:
		return row(store.Retrying, 1)
	}
	return errors.Join(row(store.Finished, 0), tx.LogTaken(e.Account, e.Number, e.ID, []store.Taken{{Seq: seq, Status: 204}}))
}

// TestAnEventThatGoesBetweenPages: of the next one all endpoints are listed, also when some of one that has gone since had been.
func TestAnEventThatGoesBetweenPages(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		for _, order := range []deliveries.Order{deliveries.Oldest, deliveries.Newest} {
			l := newLongLog(t, s, 1, false)
			q := deliveries.Query{Order: order, State: deliveries.Retrying}
			seqOf := func(one *deliveries.Delivery) int64 {
				_, seq, _ := l.DB.ParseDeliveryID(one.ID)
				return seq
			}
			all := l.read(q)
			i := 1 // of an event at two endpoints, the second; the next event is at two as well
			for seqOf(&all[i]) != seqOf(&all[i-1]) || seqOf(&all[i+1]) != seqOf(&all[i+2]) || seqOf(&all[i]) == seqOf(&all[i+1]) {
				i++
			}
			q.Limit = i
			page, err := l.d.List(t.Context(), q)
			if err != nil || len(page.Deliveries) != i {
				t.Fatal(page, err)
			}
			if err := s.Exec(t, "DELETE FROM delivery WHERE seq = $1", seqOf(&all[i])); err != nil {
				t.Fatal(err)
			}
			q.Limit, q.After = 0, page.Next
			if rest := l.read(q); rest[0].ID != all[i+1].ID || rest[1].ID != all[i+2].ID {
				t.Errorf("%s: %+v and %+v come next, want %+v and %+v", order, rest[0], rest[1], all[i+1], all[i+2])
			}
		}
	})
}

// read returns what is listed, a page after the other.
func (l *longLog) read(q deliveries.Query) (got []deliveries.Delivery) {
	l.t.Helper()
	for {
		page, err := l.d.List(l.t.Context(), q)
		if err != nil {
			l.t.Fatalf("%+v: %v", q, err)
		}
		if q.Limit > 0 && len(page.Deliveries) > q.Limit {
			l.t.Fatalf("%+v: a page of %d", q, len(page.Deliveries))
		}
		got = append(got, page.Deliveries...)
		if q.After = page.Next; q.After == "" {
			return got
		}
	}
}

// query is one by chance, and passes says which deliveries it is for.
func (l *longLog) query() (q deliveries.Query, passes func(*deliveries.Delivery) bool) {
	if i := l.rng.IntN(len(l.all) * 2); i < len(l.all) {
		q.Endpoint = l.all[i].Group
	}
	q.State = []deliveries.State{"", "", deliveries.Waiting, deliveries.Retrying, deliveries.Delivered, deliveries.Expired}[l.rng.IntN(6)]
	if l.rng.IntN(3) == 0 {
		q.Since = l.Now.Add(time.Duration(l.rng.IntN(long*60)) * time.Second)
	}
	if l.rng.IntN(3) == 0 {
		q.Until = l.Now.Add(time.Duration(l.rng.IntN(long*60)) * time.Second)
	}
	if l.rng.IntN(5) == 0 {
		q.Message = l.message
	}
	return q, func(d *deliveries.Delivery) bool {
		_, seq, _ := l.DB.ParseDeliveryID(d.ID)
		return (q.Endpoint == 0 || d.Endpoint == l.DB.PublicEndpoint(q.Endpoint)) && (q.State == "" || d.State == q.State) &&
			(q.Since.IsZero() || !d.At.Before(q.Since)) && (q.Until.IsZero() || d.At.Before(q.Until)) &&
			(q.Message == "" || d.Number == l.A.Digits && slices.Contains(l.about, seq))
	}
}

// shown writes deliveries as a text that can be compared.
func shown(all []deliveries.Delivery) string {
	lines := make([]string, len(all))
	for i, d := range all {
		lines[i] = fmt.Sprintf("%s %s %s %s %d", d.ID, d.Number, d.State, d.At, len(d.Attempts))
	}
	return strings.Join(lines, "\n")
}

// TestTheNewestFirstIsTheOldestFirstBackwards: whatever is asked for, in pages of any size, and both are what the filters leave of the whole.
func TestTheNewestFirstIsTheOldestFirstBackwards(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		l := newLongLog(t, s, 7, false)
		l.compare(15)
	})
}

// TestOrdersOfALogThatIsOutOfTime: customers' clocks may be behind.
func TestOrdersOfALogThatIsOutOfTime(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		l := newLongLog(t, s, 8, true)
		l.compare(25)
	})
}

// TestUntilFindsWhatAClockThatIsBehindHasWritten: it lies in the log behind what is from after the time.
func TestUntilFindsWhatAClockThatIsBehindHasWritten(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		l := newLog(t, s)
		s.Write(t, func(tx *store.Tx) error {
			late := &kabar.Event{Account: s.A.Account, Number: s.A.ID, Kind: kabar.EventSecurity, At: s.Now.Add(2 * time.Minute)}
			return errors.Join(tx.AddEvent(late), tx.AddEvent(&kabar.Event{Account: s.A.Account, Number: s.A.ID, Kind: kabar.EventSecurity, At: s.Now.Add(time.Hour)}))
		})
		q := deliveries.Query{Endpoint: l.first.ID, Until: s.Now.Add(4 * time.Minute)}
		want := []string{"1 expired", "2 delivered", "3 retrying", "4 waiting", "11 waiting"}
		for _, q.Order = range []deliveries.Order{deliveries.Oldest, deliveries.Newest} {
			if got := l.list(q); !slices.Equal(got, want) {
				t.Errorf("%s first: %q, want %q", q.Order, got, want)
			}
			slices.Reverse(want)
		}
	})
}

// compare asks for so many queries by chance.
func (l *longLog) compare(times int) {
	l.t.Helper()
	whole := l.read(deliveries.Query{Limit: deliveries.MaxList})
	for _, state := range []deliveries.State{deliveries.Waiting, deliveries.Retrying, deliveries.Delivered, deliveries.Expired} {
		if !slices.ContainsFunc(whole, func(d deliveries.Delivery) bool { return d.State == state }) {
			l.t.Errorf("none of %d is %s", len(whole), state)
		}
	}
	if testing.Short() {
		times /= 5
	}
	for range times {
		q, passes := l.query()
		q.Limit = []int{11, 64, 200}[l.rng.IntN(3)]
		oldest := l.read(q)
		q.Order, q.Limit = deliveries.Newest, []int{11, 64, 200}[l.rng.IntN(3)]
		newest := l.read(q)
		if slices.Reverse(newest); shown(newest) != shown(oldest) {
			l.t.Fatalf("%+v:\nbackwards\n%s\nthe oldest first\n%s", q, shown(newest), shown(oldest))
		}
		if l.odd {
			continue // since and until are of places in the log then
		}
		var want []deliveries.Delivery
		for i := range whole {
			if passes(&whole[i]) {
				want = append(want, whole[i])
			}
		}
		if shown(oldest) != shown(want) {
			l.t.Fatalf("%+v:\n%s\nwant\n%s", q, shown(oldest), shown(want))
		}
	}
}

// TestAPageIsOfOneOrder: what follows a page of one order is no place in the other.
func TestAPageIsOfOneOrder(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		l := newLog(t, s)
		for order, other := range map[deliveries.Order]deliveries.Order{deliveries.Oldest: deliveries.Newest, deliveries.Newest: deliveries.Oldest} {
			page, err := l.d.List(t.Context(), deliveries.Query{Order: order, Limit: 2})
			if err != nil || page.Next == "" {
				t.Fatalf("%+v, %v", page, err)
			}
			_, err = l.d.List(t.Context(), deliveries.Query{Order: other, After: page.Next})
			if refused, ok := errors.AsType[*kabar.Error](err); !ok || refused.Reason != kabar.ReasonInvalid || refused.Field != "after" {
				t.Errorf("a page of the order %s goes on in the order %s: %v", order, other, err)
			}
		}
		_, err := l.d.List(t.Context(), deliveries.Query{Order: "latest"})
		if err == nil || !strings.Contains(err.Error(), "oldest") || !strings.Contains(err.Error(), "newest") {
			t.Errorf("another order: %v", err)
		}
	})
}

// TestTheNewestFirstIsBounded: a page is given after so many events that are passed over, and those that lie beside what is asked for are not.
func TestTheNewestFirstIsBounded(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		l := newLog(t, s)
		s.Write(t, func(tx *store.Tx) error {
			for range 4500 {
				if err := tx.AddEvent(&kabar.Event{Account: s.A.Account, Number: s.A.ID, Kind: kabar.EventSecurity, At: s.Now.Add(time.Hour)}); err != nil {
					return err
				}
			}
			return nil
		})
		q := deliveries.Query{Endpoint: l.second.ID, Order: deliveries.Newest}
		page, err := l.d.List(t.Context(), q)
		if err != nil || len(page.Deliveries) != 0 || page.Next == "" {
			t.Errorf("the first page, of events that the endpoint does not want: %+v, %v", page, err)
		}
		if got, want := l.list(q), []string{"10 waiting", "8 waiting", "6 waiting", "4 delivered", "2 delivered"}; !slices.Equal(got, want) {
			t.Errorf("all pages: %q, want %q", got, want)
		}
		for name, q := range map[string]deliveries.Query{"taken": {State: deliveries.Delivered}, "failed": {State: deliveries.Retrying}, "expired": {State: deliveries.Expired},
			"before": {Until: s.Now.Add(time.Hour)}} {
			q.Order = deliveries.Newest
			if page, err := l.d.List(t.Context(), q); err != nil || len(page.Deliveries) == 0 || page.Next != "" {
				t.Errorf("%s: %+v, %v", name, page, err)
			}
		}
	})
}
