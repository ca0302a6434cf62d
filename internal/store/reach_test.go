package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// reachNoun is whom an account has reached.
func reachNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) *noun {
	handle, want := "4917"+tag[:4], [2]any{1, true}
	since := s.Now.Add(-time.Millisecond)
	return &noun{name: "reach",
		add:    func(tx *store.Tx) error { return tx.AddReach(n, handle, s.Now) },
		change: func(tx *store.Tx) error { return tx.AddReach(n, handle, s.Now.Add(time.Hour)) },
		inside: func(tx *store.Tx) (any, error) {
			customers, counts, err := tx.Reach(n.Account, handle)
			return [2]any{customers, counts}, err
		},
		read: func() (any, error) {
			customers, err := s.DB.Reached(t.Context(), n.Account)
			some, failed := s.DB.ReachedSince(t.Context(), n.Account, since, 9)
			if err == nil {
				err = failed
			}
			return [2]any{customers, some == 1}, err
		},
		want: func() any { return want }}
}

// How many customers count is what a list of who was reached when says, whatever is written and forgotten in which order.
func TestReachIsCountedExactly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		begin := s.Now
		account := s.A.Account
		rapid.Check(t, func(rt *rapid.T) {
			begin = begin.Add(100 * 24 * time.Hour) // each history after the one before
			for more := true; more; {
				var err error
				if more, err = s.DB.Unreach(t.Context(), account, begin, begin); err != nil {
					rt.Fatal(err)
				}
			}
			now, reached := begin, map[string]time.Time{}
			for range rapid.IntRange(1, 25).Draw(rt, "steps") {
				now = now.Add(time.Duration(rapid.IntRange(0, 700).Draw(rt, "minutes")) * time.Minute)
				handle := fmt.Sprintf("49180%d", rapid.IntRange(0, 5).Draw(rt, "who"))
				switch rapid.IntRange(0, 2).Draw(rt, "what") {
				case 0, 1:
					s.Write(t, func(tx *store.Tx) error { return tx.AddReach(s.A, handle, now) })
					reached[handle] = now
				default:
					if _, err := s.DB.Unreach(t.Context(), account, now.Add(-kabar.TierSpan), now.Add(-kabar.TierMonth)); err != nil {
						rt.Fatal(err)
					}
					for _, span := range []time.Duration{kabar.TierSpan, kabar.TierWeek} {
						want := 0
						for _, at := range reached {
							if now.Sub(at) < span {
								want++
							}
						}
						got, err := s.DB.ReachedSince(t.Context(), account, now.Add(-span), 100)
						if span == kabar.TierSpan && err == nil {
							if count, failed := s.DB.Reached(t.Context(), account); count != got || failed != nil {
								rt.Fatalf("%d count, and %d were reached: %v", count, got, failed)
							}
						}
						if got != want || err != nil {
							rt.Fatalf("%d were reached in %s, not %d: %v", got, span, want, err)
						}
					}
				}
			}
		})
	})
}

// Many are forgotten a thousand at a time, and who was reached again meanwhile is not.
func TestReachIsForgottenInTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		const many = 1200
		s.Write(t, func(tx *store.Tx) error {
			for i := range many {
				if err := tx.AddReach(s.A, fmt.Sprint(4919, i), s.Now); err != nil {
					return err
				}
			}
			return tx.AddReach(s.B, "49190", s.Now)
		})
		s.Write(t, func(tx *store.Tx) error { return tx.AddReach(s.A, "49190", s.Now.Add(time.Minute)) })
		calls := 0
		for more := true; more; calls++ {
			var err error
			if more, err = s.DB.Unreach(t.Context(), s.A.Account, s.Now, s.Now.Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := s.DB.Reached(t.Context(), s.A.Account); n != 1 || err != nil || calls != 2 {
			t.Errorf("%d count after %d calls, %v", n, calls, err)
		}
		if n, err := s.DB.Reached(t.Context(), s.B.Account); n != 1 || err != nil {
			t.Errorf("of another account %d count, %v", n, err)
		}
		if n, err := s.DB.ReachedSince(t.Context(), s.A.Account, s.Now.Add(-time.Second), 1000); n != 1000 || err != nil {
			t.Errorf("%d are remembered, and 1000 were asked for: %v", n, err)
		}
		for more := true; more; {
			var err error
			if more, err = s.DB.Unreach(t.Context(), s.A.Account, s.Now, s.Now); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := s.DB.ReachedSince(t.Context(), s.A.Account, s.Now.Add(-time.Second), 1000); n != 1 || err != nil {
			t.Errorf("%d are left, %v", n, err)
		}
		all, err := s.DB.Reaching(t.Context())
		if err != nil || len(all) != 2 {
			t.Errorf("%v have reached somebody, %v", all, err)
		}
	})
}

// A delivery counts when its message can be the one that has reached the customer, and as long as it is recent.
func TestDeliveriesAreCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		account := s.A.Account
		want := func(since time.Time, n int) {
			t.Helper()
			if got, err := s.DB.DeliveredSince(t.Context(), account, since, 100); err != nil || got != n {
				t.Errorf("%d since %s, not %d: %v", got, since, n, err)
			}
		}
		deliver := func(handle string, accepted, now time.Time) {
			t.Helper()
			s.Write(t, func(tx *store.Tx) error { return tx.ReachDelivered(account, handle, accepted, now) })
		}
		begin := s.Now.Add(-time.Second)
		s.Write(t, func(tx *store.Tx) error {
			return errors.Join(tx.AddReach(s.A, "4918001", s.Now), tx.AddReach(s.A, "4918002", s.Now), tx.AddReach(s.B, "4918001", s.Now))
		})
		want(begin, 0)
		deliver("4918009", s.Now, s.Now) // whom nobody has reached
		deliver("4918002", s.Now.Add(time.Minute), s.Now.Add(time.Hour))
		want(begin, 0)
		deliver("4918001", s.Now, s.Now.Add(time.Hour))
		deliver("4918001", s.Now, s.Now.Add(time.Minute)) // what is said late takes nothing back
		want(begin, 1)
		want(s.Now.Add(30*time.Minute), 0) // it was reached before
		s.Write(t, func(tx *store.Tx) error { return tx.AddReach(s.A, "4918001", s.Now.Add(2*time.Hour)) })
		want(s.Now.Add(30*time.Minute), 1)
		want(s.Now.Add(90*time.Minute), 0) // it was delivered before
		if n, err := s.DB.DeliveredSince(t.Context(), s.B.Account, begin, 100); err != nil || n != 0 {
			t.Errorf("another account has %d, %v", n, err)
		}
	})
}
