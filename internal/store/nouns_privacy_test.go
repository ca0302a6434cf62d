package store_test

import (
	"testing"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// privacyNouns are an erasing that is under way, and for how long an account keeps things.
func privacyNouns(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) []*noun {
	person := &store.Person{Account: n.Account, Handles: []string{"handle of " + tag}}
	var erasing *store.Erasure
	begin := func(tx *store.Tx) (err error) {
		erasing, err = tx.BeginErasure(person, erasing, []*kabar.Number{n}, func(string) []string { return nil }, s.Now)
		return err
	}
	days := func(n int) *int { return &n }
	kept := kabar.Retention{Messages: days(30), Media: days(0)}
	return []*noun{
		{name: "erasing", add: begin, change: begin,
			read: func() (any, error) {
				return s.DB.Erasure(t.Context(), n.Account, s.DB.Pseudonym(n.Account, person.Handles[0]))
			},
			want: func() any { return erasing }},
		{name: "retention",
			add: func(tx *store.Tx) error { return tx.SaveRetention(n.Account, kept) },
			change: func(tx *store.Tx) error {
				kept.Media, kept.Answers, kept.Broadcasts = nil, days(2), days(90)
				return tx.SaveRetention(n.Account, kept)
			},
			inside: func(tx *store.Tx) (any, error) { return tx.Retention(n.Account) },
			read:   func() (any, error) { return s.DB.Retention(t.Context(), n.Account) },
			want:   func() any { return kept }},
	}
}
