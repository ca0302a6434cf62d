package store_test

import (
	"testing"

	"kabar/internal/store"
	"kabar/internal/storetest"
)

// TestEveryNounSurvives stores, changes and removes one of everything for both accounts. Each step is read in the same
// operation, in the next one, from the pool, and after a restart.
func TestEveryNounSurvives(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		all := append(nouns(t, s, s.A, "aaaa-secret"), nouns(t, s, s.B, "bbbb-secret")...)
		everywhere := func(when string, step func(*noun) func(*store.Tx) error) {
			for _, n := range all {
				do := step(n)
				if do == nil {
					continue
				}
				s.Write(t, func(tx *store.Tx) error {
					if err := do(tx); err != nil {
						t.Errorf("%s %s: %v", n.name, when, err)
						return err
					}
					n.checkInside(t, tx, when+", in the same operation")
					return nil
				})
			}
			checkAll(t, s, all, when)
			s.Reopen(t)
			checkAll(t, s, all, when+" and a restart")
		}
		everywhere("after it was added", func(n *noun) func(*store.Tx) error { return n.add })
		everywhere("after its change", func(n *noun) func(*store.Tx) error { return n.change })
		checkFilled(t, s)
		s.Across(t)
		everywhere("after its removal", func(n *noun) func(*store.Tx) error { return n.remove })
	})
}

// checkFilled makes sure that the nouns reach every table: one that is added to the schema needs a noun.
func checkFilled(t *testing.T, s *storetest.Env) {
	t.Helper()
	for _, c := range s.Columns(t) {
		if rows := s.Query(t, "SELECT count(*) FROM "+c.Table); rows[0][0] == "0" {
			t.Errorf("no noun reaches the table %s", c.Table)
		}
	}
}
