package store_test

import (
	"fmt"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// New rows whose late columns are empty are inserted by a statement of their own; one row that has something in one of them
// changes the statement for all rows of the batch. Either way every row is stored as it was made.
func TestLateColumnsOfNewRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Options.Keep = -1 // what is read comes from the database
		s.Reopen(t)
		var c *kabar.Conversation
		s.Write(t, func(tx *store.Tx) (err error) {
			c, err = tx.CreateConversation(s.A, kabar.Customer{WaID: "34600111222"})
			return err
		})
		later := s.Now.Add(time.Hour)
		for name, change := range map[string]func(m *kabar.Message, j *store.Job){
			"nothing":  func(*kabar.Message, *store.Job) {},
			"failure":  func(m *kabar.Message, _ *store.Job) { m.Failure, m.Status = kabar.ReasonExpired, kabar.Failed },
			"attempts": func(m *kabar.Message, _ *store.Job) { m.Attempts = 2 },
			"packed":   func(_ *kabar.Message, j *store.Job) { j.Packed = true },
			"tries":    func(_ *kabar.Message, j *store.Job) { j.Tries = 3 },
			"due":      func(_ *kabar.Message, j *store.Job) { j.Due = later },
			"body":     func(_ *kabar.Message, j *store.Job) { j.Body = []byte("x") },
		} {
			t.Run(name, func(t *testing.T) {
				const rows = 39 // chunks of several sizes
				var ms [rows]*kabar.Message
				var js [rows]*store.Job
				s.Write(t, func(tx *store.Tx) error {
					for i := range rows {
						m := &kabar.Message{Direction: kabar.Outbound, Content: &kabar.Text{Body: fmt.Sprint(i)}, At: s.Now}
						if err := tx.AppendMessage(c, m); err != nil {
							return err
						}
						j := &store.Job{Account: c.Account, Number: c.Number, Conversation: c.ID, Kind: "send", Message: m.ID}
						if i == rows/2 {
							change(m, j)
						}
						if err := tx.SetStatus(m); err != nil {
							return err
						}
						if err := tx.AddJob(j); err != nil {
							return err
						}
						ms[i], js[i] = m, j
					}
					return nil
				})
				for i := range rows {
					m, err := s.DB.Message(t.Context(), s.A.ID, ms[i].ID)
					if err != nil || m.Failure != ms[i].Failure || m.Attempts != ms[i].Attempts || m.Content.(*kabar.Text).Body != fmt.Sprint(i) || len(m.Events) > 0 {
						t.Errorf("message %d: %+v, %v; want %+v", i, m, err, ms[i])
					}
					j, err := s.DB.Job(t.Context(), s.A.ID, js[i].ID)
					if err != nil || j.Packed != js[i].Packed || j.Tries != js[i].Tries || !j.Due.Equal(js[i].Due) || string(j.Body) != string(js[i].Body) {
						t.Errorf("job %d: %+v, %v; want %+v", i, j, err, js[i])
					}
				}
			})
		}
	})
}
