package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// TestKeysGrowAndAreNeverHandedOutTwice notes every key that any operation was given, also those of operations that failed
// and of transactions that were rolled back.
func TestKeysGrowAndAreNeverHandedOutTwice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Write(t, func(tx *store.Tx) error { return tx.AddUser(&store.User{Name: "taken"}, s.Now) })
		var last int64 // written on the writer's goroutine, read between writes
		take := func(tx *store.Tx, n int) error {
			for range n {
				k, err := tx.NewKey()
				if err != nil {
					return err
				}
				if k <= last {
					t.Errorf("key %d after %d", k, last)
				}
				last = k
			}
			return nil
		}
		op := func(n int, then error) storetest.Op {
			return storetest.Op{Do: func(tx *store.Tx) error { return errors.Join(take(tx, n), then) }}
		}
		rolledBack := func(n int) storetest.Op {
			return storetest.Op{Do: func(tx *store.Tx) error {
				return errors.Join(take(tx, n), tx.AddUser(&store.User{Name: "taken"}, s.Now))
			}}
		}
		for round, ops := range [][]storetest.Op{
			{op(store.KeyBlock, errRefused), op(5, nil)}, // the refused operation reserves a block that others use
			{op(2*store.KeyBlock+1, nil), op(7, nil)},    // several blocks in one operation
			{rolledBack(2)},                                          // within a block
			{rolledBack(store.KeyBlock), op(2, nil)},                 // with the reservation
			{op(1, nil), rolledBack(3 * store.KeyBlock), op(1, nil)}, // a batch that is run again, one by one
			{rolledBack(store.KeyBlock + 1)},
			{op(1, nil)},
			{op(3, nil), op(3, errRefused), op(3, nil)},
		} {
			for i, err := range s.Batch(t, ops...) {
				var broken *store.StatementError
				if err != nil && !errors.Is(err, errRefused) && !errors.As(err, &broken) {
					t.Fatalf("round %d, operation %d: %v", round, i, err)
				}
			}
			s.Write(t, func(tx *store.Tx) error { return take(tx, 2) })
			if round%2 == 0 {
				s.Reopen(t)
			}
		}
		if last > 40*store.KeyBlock {
			t.Errorf("the last key is %d: keys are wasted", last)
		}
	})
}

// TestSeqsHaveNoGapsAndAreInCommitOrder has writers on two numbers, some of whom fail, and a reader that looks meanwhile.
func TestSeqsHaveNoGapsAndAreInCommitOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		const writers, each = 12, 15
		talks := map[kabar.NumberID]*kabar.Conversation{}
		s.Write(t, func(tx *store.Tx) (err error) {
			for _, n := range []*kabar.Number{s.A, s.B} {
				if talks[n.ID], err = tx.CreateConversation(n, kabar.Customer{WaID: "491"}); err != nil {
					return err
				}
			}
			return nil
		})
		stop, looked := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(looked)
			for looking := true; looking; {
				select {
				case <-stop:
					looking = false
				default:
				}
				checkLog(t, s, s.A.ID)
			}
		}()
		var wg sync.WaitGroup
		for w := range writers {
			n := []*kabar.Number{s.A, s.B}[w%2]
			wg.Go(func() {
				var before int64
				for i := range each {
					e := &kabar.Event{Account: n.Account, Number: n.ID, Conversation: talks[n.ID].ID, Kind: kabar.EventStatus, At: s.Now}
					err := s.DB.Write(t.Context(), func(tx *store.Tx) { tx.WantSeq(n.ID) }, func(tx *store.Tx) error {
						if err := tx.AddEvent(e); err != nil || i%3 != 2 {
							return err
						}
						return errRefused
					})
					switch {
					case err == nil && e.Seq <= before:
						t.Errorf("seq %d after %d was committed", e.Seq, before)
					case err == nil:
						before = e.Seq
					case !errors.Is(err, errRefused):
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		close(stop)
		<-looked
		for _, n := range []*kabar.Number{s.A, s.B} {
			if count, want := checkLog(t, s, n.ID), writers/2*each*2/3; count != want {
				t.Errorf("number %d has %d events, want %d", n.ID, count, want)
			}
		}
	})
}

// checkLog wants the seqs from 1 without a gap, and the counter not behind them.
func checkLog(t *testing.T, s *storetest.Env, n kabar.NumberID) int {
	t.Helper()
	all, err := s.DB.Events(t.Context(), n, 0, 10_000)
	if err != nil {
		t.Error(err)
	}
	for i, e := range all {
		if e.Seq != int64(i+1) {
			t.Errorf("event %d of number %d has seq %d", i+1, n, e.Seq)
			break
		}
	}
	if last, err := s.DB.LastSeq(t.Context(), n); err != nil || last < int64(len(all)) {
		t.Errorf("LastSeq = %d, %v, but there are %d events", last, err, len(all))
	}
	return len(all)
}

func TestTheSameRequestIsAnsweredOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		save := func(key, body string, ask bool) error {
			return s.DB.Write(t.Context(), func(tx *store.Tx) { tx.WantAnswer(s.A.ID, "/v1/messages", key) }, func(tx *store.Tx) error {
				if old, err := tx.Answer(s.A.ID, "/v1/messages", key, s.Now); ask && (old != nil || err != nil) {
					return errors.Join(errRefused, err)
				}
				return tx.SaveAnswer(s.A, "/v1/messages", key, &store.Answer{Status: 201, Body: []byte(body), At: s.Now})
			})
		}
		var wg sync.WaitGroup
		won := make(chan string, 30)
		for i := range cap(won) {
			wg.Go(func() {
				body := fmt.Sprint(i)
				err := save("same", body, true)
				if err == nil {
					won <- body
				} else if !errors.Is(err, errRefused) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Fatalf("%d requests with one key were carried out", len(won))
		}
		var broken *store.StatementError
		if err := save("same", "again", false); !errors.As(err, &broken) {
			t.Errorf("a second answer = %v, want a StatementError", err)
		}
		body := <-won
		s.Write(t, func(tx *store.Tx) error {
			if a, err := tx.Answer(s.A.ID, "/v1/messages", "same", s.Now); err != nil || a == nil || string(a.Body) != body {
				t.Errorf("Answer = %+v, %v; want %q", a, err, body)
			}
			if err := tx.SaveAnswer(s.B, "/v1/messages", "same", &store.Answer{Status: 201, At: s.Now}); err != nil {
				t.Errorf("the same key of another number: %v", err)
			}
			return tx.SaveAnswer(s.A, "/v1/contacts", "same", &store.Answer{Status: 200, At: s.Now})
		})
		s.Now = s.Now.Add(store.AnswerLife)
		if err := save("same", "new", true); err != nil {
			t.Errorf("the key after the life of its answer: %v", err)
		}
		s.Now = s.Now.Add(-store.AnswerLife)
	})
}

func TestANetworkIDIsSeenOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		add := func(tx *store.Tx) error { return tx.AddRef(s.A, "wamid.1", 7, s.Now) }
		errs := s.Batch(t, storetest.Op{Do: add}, storetest.Op{Do: add},
			storetest.Op{Do: func(tx *store.Tx) error { return tx.AddRef(s.B, "wamid.1", 8, s.Now) }})
		var broken *store.StatementError
		if errs[0] != nil || !errors.As(errs[1], &broken) || errs[2] != nil {
			t.Errorf("the same id twice, and for another number: %v; want a StatementError in the middle", errs)
		}
		if err := s.DB.Write(t.Context(), nil, add); !errors.As(err, &broken) {
			t.Errorf("once more: %v, want a StatementError", err)
		}
	})
}
