package store_test

import (
	"errors"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

func TestOperatorsLists(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		before, err := s.DB.Accounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		first, second := &store.User{Account: s.A.Account, Number: s.A.ID, Name: "list-one", Role: "r", Hash: "h"},
			&store.User{Account: s.B.Account, Number: s.B.ID, Name: "list-two", Role: "r", Hash: "h"}
		toko := &kabar.Account{Name: "Toko"}
		s.Write(t, func(tx *store.Tx) error {
			if err := errors.Join(tx.AddAccount(toko, s.Now), tx.AddUser(first, s.Now), tx.AddUser(second, s.Now)); err != nil {
				return err
			}
			return errors.Join(
				tx.AddLogin(&store.Login{ID: "l1", Account: s.A.Account, Number: s.A.ID, User: first.ID, Expires: s.Now.Add(2 * time.Hour)}),
				tx.AddLogin(&store.Login{ID: "l2", Account: s.A.Account, Number: s.A.ID, User: first.ID, Expires: s.Now.Add(time.Hour)}))
		})
		after, err := s.DB.Accounts(t.Context())
		if err != nil || len(after) != len(before)+1 || *after[len(after)-1] != *toko {
			t.Errorf("accounts %v, %v", after, err)
		}
		ends, err := s.DB.LastEnds(t.Context())
		if _, has := ends[second.ID]; err != nil || has || !ends[first.ID].Equal(s.Now.Add(2*time.Hour)) {
			t.Errorf("ends %v, %v", ends, err)
		}
	})
}

func TestRemoveUser(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		u := &store.User{Account: s.A.Account, Number: s.A.ID, Name: "leaves", Role: "r", Hash: "h"}
		s.Write(t, func(tx *store.Tx) error { return tx.AddUser(u, s.Now) })
		var missing *store.NotFoundError
		err := s.DB.Write(t.Context(), nil, func(tx *store.Tx) error { return tx.RemoveUser(s.B.ID, u.ID) })
		if !errors.As(err, &missing) {
			t.Errorf("another number's user was removed: %v", err)
		}
		s.Write(t, func(tx *store.Tx) error { return tx.RemoveUser(s.A.ID, u.ID) })
		if _, err := s.DB.User(t.Context(), u.Name); !errors.As(err, &missing) {
			t.Errorf("after its removal: %v", err)
		}
		err = s.DB.Write(t.Context(), nil, func(tx *store.Tx) error { return tx.RemoveUser(s.A.ID, u.ID) })
		if !errors.As(err, &missing) {
			t.Errorf("removed twice: %v", err)
		}
		again := &store.User{Account: s.A.Account, Number: s.A.ID, Name: "leaves", Role: "r", Hash: "h"} // the name is free again
		s.Write(t, func(tx *store.Tx) error { return tx.AddUser(again, s.Now) })
	})
}
