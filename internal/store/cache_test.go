package store_test

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// TestKeptRowsAreTheRows changes entries in batches, some of which fail, with fewer rows kept than there are, and compares
// each read with the database's own rows.
func TestKeptRowsAreTheRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Options.Keep = 4
		s.Reopen(t)
		run := 0
		rapid.Check(t, func(r *rapid.T) {
			run++
			versions := map[string]int64{}
			for range rapid.IntRange(1, 6).Draw(r, "batches") {
				var ops []storetest.Op
				for range rapid.IntRange(1, 4).Draw(r, "operations") {
					name := fmt.Sprint(run, "/", rapid.IntRange(0, 9).Draw(r, "name"))
					var value []byte
					if rapid.IntRange(0, 3).Draw(r, "kept") > 0 {
						value = []byte("v")
					}
					fails := rapid.IntRange(0, 3).Draw(r, "fails") == 0
					version := versions[name]
					if !fails {
						versions[name] = version + 1
						if value == nil {
							versions[name] = 0
						}
					}
					ops = append(ops, storetest.Op{Do: func(tx *store.Tx) error { return orRefused(tx.SetState(s.A, name, version, value), fails) }})
				}
				s.Batch(t, ops...)
				for name, want := range versions {
					if _, got, err := s.DB.State(t.Context(), s.A.ID, name); got != want || err != nil {
						r.Fatalf("%s has version %d, %v; want %d", name, got, err, want)
					}
				}
			}
		})
		rows := s.Query(t, "SELECT name, version FROM driver_state")
		if len(rows) == 0 {
			t.Fatal("nothing was stored")
		}
		for _, row := range rows {
			if _, got, err := s.DB.State(t.Context(), s.A.ID, row[0]); fmt.Sprint(got) != row[1] || err != nil {
				t.Errorf("%s has version %d, %v; the database has %s", row[0], got, err, row[1])
			}
		}
	})
}

// TestAKeptRowOfAnotherNumberIsNotFound: what is kept has the same owner as what is read.
func TestAKeptRowOfAnotherNumberIsNotFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		var c *kabar.Conversation
		m := &kabar.Message{Direction: kabar.Outbound, Status: kabar.Accepted, Content: &kabar.Text{Body: "x"}, At: s.Now}
		j := &store.Job{Account: s.A.Account, Number: s.A.ID, Kind: "send"}
		s.Write(t, func(tx *store.Tx) (err error) {
			if c, err = tx.CreateConversation(s.A, kabar.Customer{WaID: "491"}); err != nil {
				return err
			}
			j.Conversation = c.ID
			return errors.Join(tx.AppendMessage(c, m), tx.AddJob(j))
		})
		for number, missing := range map[kabar.NumberID]bool{s.A.ID: false, s.B.ID: true} {
			_, one := s.DB.Conversation(t.Context(), number, c.ID)
			_, two := s.DB.Message(t.Context(), number, m.ID)
			_, three := s.DB.Job(t.Context(), number, j.ID)
			for i, err := range []error{one, two, three} {
				if _, not := errors.AsType[*store.NotFoundError](err); not != missing || err != nil && !not {
					t.Errorf("read %d under number %d: %v; want it missing: %v", i, number, err, missing)
				}
			}
		}
	})
}
