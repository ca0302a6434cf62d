package store_test

import (
	"fmt"
	"testing"
	"time"

	"kabar/internal/store"
	"kabar/internal/storetest"
)

// Failures are kept until they end or are forgiven, the latest count of each.
func TestThrottles(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		set := func(name string, n int, ends time.Duration) func(*store.Tx) error {
			return func(tx *store.Tx) error {
				tx.SetThrottle(store.Throttle{Name: name, Failures: n, Last: s.Now, Ends: s.Now.Add(ends)})
				return nil
			}
		}
		for _, do := range []func(*store.Tx) error{set("a", 1, time.Minute), set("a", 2, time.Hour), set("b", 3, 2*time.Hour), set("c", 4, time.Second),
			set("d", 5, time.Hour), func(tx *store.Tx) error { tx.RemoveThrottle("d"); tx.RemoveThrottle("nobody"); return nil }} {
			s.Write(t, do)
		}
		list := func(now time.Time) (all string) {
			rows, err := s.DB.Throttles(t.Context(), now, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rows {
				all += fmt.Sprintf("%s%d ", r.Name, r.Failures)
			}
			return all
		}
		if got := list(s.Now); got != "b3 a2 c4 " {
			t.Errorf("%q", got)
		}
		if n, err := s.DB.SweepThrottles(t.Context(), s.Now.Add(time.Minute)); n != 1 || err != nil {
			t.Errorf("swept %d, %v", n, err)
		}
		if got := list(time.Time{}); got != "b3 a2 " {
			t.Errorf("%q", got)
		}
	})
}
