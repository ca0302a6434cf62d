package store_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

var errRefused = errors.New("refused")

// busy is an operation that touches many tables.
func busy(s *storetest.Env, n *kabar.Number, tag string) func(tx *store.Tx) error {
	return func(tx *store.Tx) error {
		c, err := tx.CreateConversation(n, kabar.Customer{WaID: tag, Name: tag})
		if err != nil {
			return err
		}
		m := &kabar.Message{Direction: kabar.Inbound, Status: kabar.Delivered, Content: &kabar.Text{Body: tag}, At: s.Now}
		content, err := kabar.Snapshot(m.Content)
		if err != nil {
			return err
		}
		e := &kabar.Event{Account: n.Account, Number: n.ID, Conversation: c.ID, Kind: kabar.EventMessage, At: s.Now, Content: content}
		return errors.Join(tx.AppendMessage(c, m), tx.AddEvent(e), tx.AddRef(n, tag, m.ID, s.Now),
			tx.AddJob(&store.Job{Account: n.Account, Number: n.ID, Conversation: c.ID, Kind: "send", Message: m.ID, Body: []byte(tag)}),
			tx.SetState(n, tag, 0, []byte(tag)),
			tx.SaveAnswer(n, "/v1/messages", tag, &store.Answer{Status: 201, Body: []byte(tag), At: s.Now}))
	}
}

// tables counts the rows of every table.
func tables(t *testing.T, s *storetest.Env) map[string]string {
	t.Helper()
	counts := map[string]string{}
	for _, c := range s.Columns(t) {
		if counts[c.Table] == "" {
			counts[c.Table] = s.Query(t, "SELECT count(*) FROM "+c.Table)[0][0]
		}
	}
	return counts
}

// TestAFailingOperationLeavesNoTrace has many writers, of whom every second one fails after all its work.
func TestAFailingOperationLeavesNoTrace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		const writers = 120
		var after []string // appended to on the writer's goroutine only
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				tag := fmt.Sprintf("49%04d", i)
				err := s.DB.Write(t.Context(), nil, func(tx *store.Tx) error {
					tx.After(func() { after = append(after, tag) })
					if err := busy(s, s.A, tag)(tx); err != nil || i%2 == 0 {
						return err
					}
					return errRefused
				})
				if failed := errors.Is(err, errRefused); failed != (i%2 == 1) || (err != nil && !failed) {
					t.Errorf("operation %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		for table, n := range tables(t, s) {
			switch table {
			case "conversation", "message", "event", "inbound_ref", "job", "driver_state", "idempotency", "handle":
				if n != fmt.Sprint(writers/2) {
					t.Errorf("%s has %s rows, want those of the %d that succeeded", table, n, writers/2)
				}
			}
		}
		slices.Sort(after)
		if len(slices.Compact(after)) != writers/2 {
			t.Errorf("After was called for %d operations, want %d", len(after), writers/2)
		}
		events, err := s.DB.Events(t.Context(), s.A.ID, 0, writers)
		if err != nil || len(events) != writers/2 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		for i, e := range events {
			if e.Seq != int64(i+1) {
				t.Fatalf("event %d has seq %d: a refused operation has left a gap", i+1, e.Seq)
			}
		}
		if n, err := s.DB.LastSeq(t.Context(), s.A.ID); err != nil || n != writers/2 {
			t.Errorf("LastSeq = %d, %v", n, err)
		}
	})
}

// TestWhatFailedIsAsIfItHadNeverBeen puts failing operations between others that see the same rows.
func TestWhatFailedIsAsIfItHadNeverBeen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Write(t, func(tx *store.Tx) error { return tx.SetState(s.A, "x", 0, []byte("one")) })
		var seqs []int64
		event := func(tx *store.Tx) error {
			c, err := tx.FindConversation(s.A.ID, "491")
			if err != nil {
				return err
			}
			e := &kabar.Event{Account: s.A.Account, Number: s.A.ID, Conversation: c.ID, Kind: kabar.EventStatus, At: s.Now}
			err = tx.AddEvent(e)
			seqs = append(seqs, e.Seq)
			return err
		}
		do := func(steps ...func(tx *store.Tx) error) storetest.Op {
			return storetest.Op{Do: func(tx *store.Tx) error {
				for _, step := range steps {
					if err := step(tx); err != nil {
						return err
					}
				}
				return nil
			}}
		}
		fail := func(*store.Tx) error { return errRefused }
		set := func(version int64, v []byte) func(tx *store.Tx) error {
			return func(tx *store.Tx) error { return tx.SetState(s.A, "x", version, v) }
		}
		create := func(tx *store.Tx) error {
			_, err := tx.CreateConversation(s.A, kabar.Customer{WaID: "491"})
			return err
		}
		gone := func(tx *store.Tx) error {
			if c, err := tx.FindConversation(s.A.ID, "491"); c != nil || err != nil {
				t.Errorf("a refused operation's conversation is there: %+v, %v", c, err)
			}
			return nil
		}
		got := s.Batch(t,
			do(create, event, set(1, []byte("lost")), fail),
			do(gone, set(1, []byte("two"))),
			do(set(2, nil), set(0, []byte("lost too")), fail),
			do(create, event),
			do(set(2, []byte("three"))),
			do(set(2, []byte("stale"))),
			do(event, fail),
			do(event))
		want := []error{errRefused, nil, errRefused, nil, nil, store.ErrStale, errRefused, nil}
		for i := range want {
			if !errors.Is(got[i], want[i]) {
				t.Errorf("operation %d: %v, want %v", i, got[i], want[i])
			}
		}
		if !slices.Equal(seqs, []int64{1, 1, 2, 2}) {
			t.Errorf("seqs handed out: %v, want 1, 1, 2, 2", seqs)
		}
		if v, version, err := s.DB.State(t.Context(), s.A.ID, "x"); string(v) != "three" || version != 3 || err != nil {
			t.Errorf("State = %q, %d, %v", v, version, err)
		}
	})
}

// TestAStatementRefusesOnlyTheGuilty has operations that the database refuses when the batch is written.
func TestAStatementRefusesOnlyTheGuilty(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Write(t, func(tx *store.Tx) error { return tx.AddUser(&store.User{Name: "taken"}, s.Now) })
		user := func(name, tag string) storetest.Op {
			return storetest.Op{Do: func(tx *store.Tx) error {
				return errors.Join(busy(s, s.A, tag)(tx), tx.AddUser(&store.User{Name: name}, s.Now))
			}}
		}
		refuse := storetest.Op{Do: func(tx *store.Tx) error { return errors.Join(busy(s, s.A, "496")(tx), errRefused) }}
		got := s.Batch(t, user("anna", "491"), user("taken", "492"), user("berta", "493"), refuse, user("berta", "494"), user("carla", "495"))
		for i, ok := range []bool{true, false, true, false, false, true} {
			var broken *store.StatementError
			if ok != (got[i] == nil) || (!ok && i != 3 && !errors.As(got[i], &broken)) {
				t.Errorf("operation %d: %v, want success %v or a StatementError", i, got[i], ok)
			}
		}
		if !errors.Is(got[3], errRefused) {
			t.Errorf("the operation that refused itself: %v", got[3])
		}
		for i, ok := range []bool{true, false, true, false, true, false} {
			_, err := s.DB.FindConversation(t.Context(), s.A.ID, []string{"491", "492", "493", "494", "495", "496"}[i])
			if (err == nil) != ok {
				t.Errorf("conversation %d: %v, want there %v", i, err, ok)
			}
		}
		if n := s.Query(t, "SELECT count(*) FROM event")[0][0]; n != "3" {
			t.Errorf("%s events, want 3", n)
		}
		if n, err := s.DB.LastSeq(t.Context(), s.A.ID); n != 3 || err != nil {
			t.Errorf("LastSeq = %d, %v; want 3", n, err)
		}
	})
}

// TestATransactionKnowsNothingOfTheLast changes rows behind the store's back: what an operation is told of them is what the database
// holds, and what it does not touch is not written again.
func TestATransactionKnowsNothingOfTheLast(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		keys := make([]store.RawKey, 100)
		for i := range keys {
			keys[i].Key = fmt.Sprintf("raw %d", i)
		}
		for _, rows := range []int{len(keys), 3, 2} { // more than a map holds that is used again, and a few
			s.Write(t, func(tx *store.Tx) error {
				var err error
				for _, k := range keys[:rows] {
					err = errors.Join(err, tx.RawPut(k, []byte("written")))
				}
				return err
			})
			if err := s.DB.WriterExec(t.Context(), "DELETE FROM meta WHERE name LIKE 'raw %'"); err != nil {
				t.Fatal(err)
			}
			s.Write(t, func(tx *store.Tx) error {
				if v, err := tx.RawGet(keys[0]); err != nil || v != nil {
					t.Errorf("after %d rows: %q, %v", rows, v, err)
				}
				return nil
			})
			if left := s.Query(t, "SELECT count(*) FROM meta WHERE name LIKE 'raw %'")[0][0]; left != "0" {
				t.Errorf("after %d rows: %s of them are written again", rows, left)
			}
		}
	})
}

// TestHintsChangeNothing runs the same batches with and without hints on two equal databases and compares all rows.
func TestHintsChangeNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		var rows [2]string
		for i, hinted := range []bool{false, true} {
			e := s
			if i > 0 {
				e = storetest.Open(t, s.Database)
			}
			for round := range 3 {
				var ops []storetest.Op
				for k := range 8 {
					tag := fmt.Sprintf("49%d%d", round, k)
					op := storetest.Op{Do: busy(e, e.A, tag)}
					if hinted {
						op.Hint = func(tx *store.Tx) {
							tx.WantConversation(1)
							tx.WantMessage(1)
							tx.WantJob(1)
							tx.WantHandle(e.A.ID, tag)
							tx.WantState(e.A.ID, tag)
							tx.WantRef(e.A.ID, tag)
							tx.WantSeq(e.A.ID)
							tx.WantAnswer(e.A.ID, "/v1/messages", tag)
						}
					}
					ops = append(ops, op, storetest.Op{Hint: op.Hint, Do: func(tx *store.Tx) error {
						c, err := tx.FindConversation(e.A.ID, tag)
						if err != nil || c == nil || k%3 == 0 {
							return errors.Join(err, errRefused)
						}
						return tx.AppendMessage(c, &kabar.Message{Direction: kabar.Outbound, Content: &kabar.Text{Body: tag}, At: e.Now})
					}})
				}
				for k, err := range e.Batch(t, ops...) {
					if err != nil && !errors.Is(err, errRefused) {
						t.Fatalf("operation %d: %v", k, err)
					}
				}
			}
			rows[i] = dump(t, e)
		}
		if rows[0] != rows[1] || len(rows[0]) < 1000 {
			t.Errorf("without hints:\n%s\nwith hints:\n%s", rows[0], rows[1])
		}
	})
}

// dump returns all that is not sealed.
func dump(t *testing.T, s *storetest.Env) string {
	t.Helper()
	open := map[string][]string{}
	for _, c := range s.Columns(t) {
		if c.Type != "BYTEA" {
			open[c.Table] = append(open[c.Table], c.Name)
		}
	}
	var b strings.Builder
	for _, table := range slices.Sorted(maps.Keys(open)) {
		cols := strings.Join(open[table], ", ")
		fmt.Fprintln(&b, table, s.Query(t, fmt.Sprintf("SELECT %s FROM %s ORDER BY %s", cols, table, cols)))
	}
	return b.String()
}
