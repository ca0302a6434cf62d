package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"kabar"
	"kabar/internal/patience"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// aged is a table whose rows outlive their time: how a row is stored whose last moment is end.
type aged struct {
	table string
	add   func(tx *store.Tx, i int, end time.Time) error
}

func agedTables(s *storetest.Env) []aged {
	return []aged{
		{"idempotency", func(tx *store.Tx, i int, end time.Time) error {
			return tx.SaveAnswer(s.A, "/v1/messages", fmt.Sprint(i), &store.Answer{Status: 201, At: end.Add(-store.AnswerLife)})
		}},
		{"inbound_ref", func(tx *store.Tx, i int, end time.Time) error {
			return tx.AddRef(s.A, fmt.Sprint(i), kabar.MessageID(i), end.Add(-store.RefLife))
		}},
		{"login", func(tx *store.Tx, i int, end time.Time) error {
			return tx.AddLogin(&store.Login{ID: fmt.Sprint(i), Account: s.A.Account, Number: s.A.ID, User: 7, Expires: end})
		}},
		{"upload", func(tx *store.Tx, i int, end time.Time) error {
			return tx.SaveUpload(s.A, fmt.Sprint(i), []byte("there"), end)
		}},
		{"contact", func(tx *store.Tx, i int, end time.Time) error {
			return tx.SaveContact(s.A, fmt.Sprint(i), true, end.Add(-store.ContactLife))
		}},
	}
}

// TestASweepTakesWhatHasOutlivedItsTime has, of each table, more old rows than one sweep takes, and some whose time ends a
// millisecond later.
func TestASweepTakesWhatHasOutlivedItsTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		const old, young = 1005, 5
		tables := agedTables(s)
		s.Write(t, func(tx *store.Tx) error {
			for i := range old + young {
				end := s.Now
				if i >= old {
					end = end.Add(time.Millisecond)
				}
				for _, table := range tables {
					if err := table.add(tx, i, end); err != nil {
						return err
					}
				}
			}
			return nil
		})
		for _, each := range []int{1000, old - 1000, 0} {
			n, err := s.DB.Sweep(t.Context(), s.Now)
			logins, loginErr := s.DB.SweepLogins(t.Context(), s.Now)
			if n+logins != each*len(tables) || logins != each || errors.Join(err, loginErr) != nil {
				t.Errorf("swept %d rows and %d sessions (%v, %v); want %d of each of %d tables", n, logins, err, loginErr, each, len(tables))
			}
		}
		for _, table := range tables {
			if n := s.Query(t, "SELECT count(*) FROM "+table.table)[0][0]; n != fmt.Sprint(young) {
				t.Errorf("%s rows of %s are left, want %d", n, table.table, young)
			}
		}
	})
}

// TestASweepSparesWhatIsRenewed renews an upload after the sweep has read it and before the sweep removes it.
func TestASweepSparesWhatIsRenewed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		save := func(tx *store.Tx, end time.Time) error { return tx.SaveUpload(s.A, "sum", []byte("there"), end) }
		s.Write(t, func(tx *store.Tx) error { return save(tx, s.Now) })
		gate, started, done := make(chan struct{}), make(chan struct{}), make(chan error, 2)
		go func() {
			done <- s.DB.Write(t.Context(), nil, func(tx *store.Tx) error {
				close(started)
				<-gate
				return save(tx, s.Now.Add(time.Hour))
			})
		}()
		patience.Next(t, "the write has begun", started)
		go func() {
			_, err := s.DB.Sweep(t.Context(), s.Now)
			done <- err
		}()
		patience.Until(t, "the sweep waits", func() bool { n, _ := s.DB.Waiting(); return n > 0 })
		close(gate)
		if err := errors.Join(<-done, <-done); err != nil {
			t.Fatal(err)
		}
		if _, err := s.DB.Upload(t.Context(), s.A.ID, "sum", s.Now); err != nil {
			t.Errorf("the renewed upload was swept: %v", err)
		}
	})
}
