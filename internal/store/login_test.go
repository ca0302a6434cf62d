package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"kabar/internal/store"
	"kabar/internal/storetest"
)

// TestAllSessionsOfAUserEnd has more sessions than one operation ends, one that the same operation has begun, and those of
// others.
func TestAllSessionsOfAUserEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		login := func(id string, user int64) *store.Login {
			return &store.Login{ID: id, Account: s.A.Account, Number: s.A.ID, User: user, Expires: s.Now.Add(time.Hour)}
		}
		s.Write(t, func(tx *store.Tx) error {
			for i := range 1005 {
				if err := tx.AddLogin(login(fmt.Sprint(i), 7)); err != nil {
					return err
				}
			}
			return tx.AddLogin(login("other", 8))
		})
		remove := func(also ...*store.Login) (n int) {
			s.Write(t, func(tx *store.Tx) (err error) {
				for _, l := range also {
					if err := tx.AddLogin(l); err != nil {
						return err
					}
				}
				n, err = tx.RemoveLogins(s.A.ID, 7)
				return err
			})
			return n
		}
		for i, want := range []int{1001, 5, 0} {
			var also []*store.Login
			if i == 0 {
				also = append(also, login("new", 7))
			}
			if n := remove(also...); n != want {
				t.Errorf("the removal %d has found %d sessions, want %d", i, n, want)
			}
		}
		if rows := s.Query(t, "SELECT id FROM login"); fmt.Sprint(rows) != "[[other]]" {
			t.Errorf("left are the sessions %v, want the other user's", rows)
		}
		s.Write(t, func(tx *store.Tx) error {
			if n, err := tx.RemoveLogins(s.B.ID, 8); n != 0 || err != nil {
				t.Errorf("under another number: %d sessions, %v; want none", n, err)
			}
			return nil
		})
	})
}

func TestASessionIDIsUsedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		add := func(user int64) error {
			return s.DB.Write(t.Context(), nil, func(tx *store.Tx) error {
				return tx.AddLogin(&store.Login{ID: "same", Account: s.A.Account, Number: s.A.ID, User: user, Expires: s.Now})
			})
		}
		if err := add(7); err != nil {
			t.Fatal(err)
		}
		if err := add(8); !errors.As(err, new(*store.StatementError)) {
			t.Errorf("a second session under the same ID: %v, want a StatementError", err)
		}
		if l, err := s.DB.Login(t.Context(), "same"); err != nil || l.User != 7 {
			t.Errorf("Login = %+v, %v; want the first user's", l, err)
		}
	})
}
