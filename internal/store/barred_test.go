package store_test

import (
	"fmt"
	"slices"
	"testing"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// TestWhoIsBlockedIsListedByTheNumber pages through a block list in both directions; another number has another one.
func TestWhoIsBlockedIsListedByTheNumber(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		var all []*kabar.Conversation
		s.Write(t, func(tx *store.Tx) error {
			for i := range 7 {
				for _, n := range []*kabar.Number{s.A, s.B} {
					c, err := tx.CreateConversation(n, kabar.Customer{WaID: fmt.Sprint(34600000000 + i)})
					if err != nil {
						return err
					}
					if n == s.B || i == 3 { // the others are blocked
						continue
					}
					c.Barred = s.Now
					all = append(all, c)
					if err := tx.SaveConversation(c); err != nil {
						return err
					}
				}
			}
			return nil
		})
		page := func(n kabar.NumberID, after, before kabar.ConversationID) (got []kabar.ConversationID, more bool) {
			found, more, err := s.DB.Barred(t.Context(), n, after, before, 4)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range found {
				got = append(got, c.ID)
			}
			return got, more
		}
		var want []kabar.ConversationID
		for _, c := range all {
			want = append(want, c.ID)
		}
		first, more := page(s.A.ID, 0, 0)
		rest, less := page(s.A.ID, first[len(first)-1], 0)
		if !slices.Equal(append(slices.Clone(first), rest...), want) || !more || less {
			t.Errorf("forward %v, %v and %v, %v, want %v", first, more, rest, less, want)
		}
		if back, more := page(s.A.ID, 0, rest[1]); !slices.Equal(back, want[1:5]) || !more {
			t.Errorf("backward %v, %v, want %v", back, more, want[1:5])
		}
		if other, _ := page(s.B.ID, 0, 0); len(other) > 0 {
			t.Errorf("B has %v", other)
		}
		if n, err := s.DB.CountBarred(t.Context(), s.A.ID); n != len(want) || err != nil {
			t.Errorf("%d are blocked, %v, want %d", n, err, len(want))
		}
	})
}
