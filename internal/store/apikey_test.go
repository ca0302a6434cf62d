package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// TestAKeyLivesAndEnds adds a key again and again, revokes it and looks for it in the lists.
func TestAKeyLivesAndEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		later := s.Now.Add(time.Hour)
		of := func(n *kabar.Number, id string) *store.Key {
			return &store.Key{ID: id, Account: n.Account, Number: n.ID, Label: "till", Hint: "kbr_AB"}
		}
		s.Write(t, func(tx *store.Tx) error {
			return errors.Join(tx.AddKey(of(s.A, "one"), s.Now), tx.AddKey(of(s.B, "two"), s.Now), tx.AddKey(&store.Key{ID: "all"}, later))
		})
		s.Write(t, func(tx *store.Tx) error {
			return errors.Join(tx.TouchKey("one", later), tx.TouchKey("one", s.Now), tx.RevokeKey("one", later), tx.RevokeKey("one", s.Now))
		})
		again := of(s.A, "one")
		again.Label = "renamed"
		s.Write(t, func(tx *store.Tx) error { return tx.AddKey(again, later) })
		if !again.Created.Equal(s.Now) || !again.LastUsed.Equal(later) || !again.Revoked.Equal(later) {
			t.Errorf("the key added again is %+v, want what it was, revoked", again)
		}
		if k, err := s.DB.Key(t.Context(), "one"); !errors.As(err, new(*store.NotFoundError)) {
			t.Errorf("the revoked key is found: %+v, %v", k, err)
		}
		for name, want := range map[string]struct {
			account kabar.AccountID
			number  kabar.NumberID
			ids     []string
		}{
			"all":        {0, 0, []string{"one", "two", "all"}},
			"an account": {s.B.Account, 0, []string{"two"}},
			"a number":   {0, s.A.ID, []string{"one"}},
			"neither":    {s.A.Account, s.B.ID, nil},
		} {
			keys, err := s.DB.Keys(t.Context(), want.account, want.number)
			var ids []string
			for _, k := range keys {
				ids = append(ids, k.ID)
			}
			if err != nil || !slices.Equal(ids, want.ids) {
				t.Errorf("keys of %s: %v, %v; want %v", name, ids, err, want.ids)
			}
		}
		for what, do := range map[string]func(*store.Tx) error{
			"touch":  func(tx *store.Tx) error { return tx.TouchKey("none", s.Now) },
			"revoke": func(tx *store.Tx) error { return tx.RevokeKey("none", s.Now) },
			"invite": func(tx *store.Tx) error { return tx.SetInvite(999, "x") },
		} {
			if err := s.DB.Write(t.Context(), nil, do); !errors.As(err, new(*store.NotFoundError)) {
				t.Errorf("%s what is not there: %v", what, err)
			}
		}
	})
}

func TestUsersAndInvitesAreListed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Write(t, func(tx *store.Tx) error {
			return errors.Join(tx.AddUser(&store.User{Number: s.B.ID, Name: "b"}, s.Now), tx.AddUser(&store.User{Number: s.A.ID, Name: "z"}, s.Now),
				tx.AddUser(&store.User{Number: s.A.ID, Name: "a"}, s.Now))
		})
		users, err := s.DB.Users(t.Context())
		if err != nil || len(users) != 3 || users[0].Name != "a" || users[1].Name != "z" || users[2].Number != s.B.ID {
			t.Errorf("Users = %+v, %v", users, err)
		}
		if invite, err := s.DB.Invite(t.Context(), s.A.ID); invite != "" || err != nil {
			t.Errorf("the invite of a number without one is %q, %v", invite, err)
		}
		s.Write(t, func(tx *store.Tx) error { return tx.SetInvite(s.A.ID, "kabar-invite-1") })
		s.Reopen(t)
		if invite, err := s.DB.Invite(t.Context(), s.A.ID); invite != "kabar-invite-1" || err != nil {
			t.Errorf("the invite is %q, %v", invite, err)
		}
		s.Write(t, func(tx *store.Tx) error { return tx.SetInvite(s.A.ID, "") })
		if invite, err := s.DB.Invite(t.Context(), s.A.ID); invite != "" || err != nil {
			t.Errorf("the removed invite is %q, %v", invite, err)
		}
	})
}
