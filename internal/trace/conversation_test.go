package trace_test

import (
	"errors"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
	"kabar/internal/trace"
)

// TestWindow: whose the number is may ask; a customer of another account is one whom nobody knows.
func TestWindow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		story(t, s)
		tracer, wrote := trace.New(s.DB, names()), s.Now.UTC().Truncate(time.Second)
		s.Write(t, func(tx *store.Tx) error {
			c, err := tx.FindConversation(s.A.ID, ana)
			if err != nil {
				return err
			}
			c.LastInbound = wrote
			return tx.SaveConversation(c)
		})
		ofA, ofB := trace.Of{Account: s.A.Account}, trace.Of{Account: s.B.Account}
		for name, c := range map[string]struct {
			of               trace.Of
			number, customer string
			after            time.Duration // the customer's message
			want             kabar.WindowReason
			fault            kabar.Reason
		}{
			"within":                         {ofA, s.A.Digits, ana, time.Hour, kabar.WindowWritten, ""},
			"with a plus":                    {ofA, s.A.Digits, "+" + ana, time.Hour, kabar.WindowWritten, ""},
			"by the operator":                {trace.Of{}, s.A.Digits, ana, time.Hour, kabar.WindowWritten, ""},
			"by the number's key":            {trace.Of{Number: s.A.ID}, s.A.Digits, ana, time.Hour, kabar.WindowWritten, ""},
			"after a day":                    {ofA, s.A.Digits, ana, 24 * time.Hour, kabar.WindowOver, ""},
			"who has only been written to":   {ofA, s.A.Digits, budi, time.Hour, kabar.WindowNever, ""},
			"a stranger":                     {ofA, s.A.Digits, "34600999999", time.Hour, kabar.WindowNever, ""},
			"another account's customer":     {ofB, s.B.Digits, ana, time.Hour, kabar.WindowNever, ""},
			"another account's number":       {ofB, s.A.Digits, ana, time.Hour, "", kabar.ReasonNotFound},
			"another number's key":           {trace.Of{Number: s.B.ID}, s.A.Digits, ana, time.Hour, "", kabar.ReasonNotFound},
			"a number that there is not":     {ofA, "628111000999", ana, time.Hour, "", kabar.ReasonNotFound},
			"another account's, no customer": {ofB, s.A.Digits, "34600999999", time.Hour, "", kabar.ReasonNotFound},
		} {
			w, err := tracer.Window(t.Context(), c.of, c.number, c.customer, wrote.Add(c.after))
			refused, _ := errors.AsType[*kabar.Error](err)
			if w.Reason != c.want || (refused == nil) != (c.fault == "") || refused != nil && refused.Reason != c.fault {
				t.Errorf("%s: %+v, %v", name, w, err)
			}
		}
	})
}
