package store_test

import (
	"slices"
	"testing"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// A message remembers the events that tell of it, and no others; it is found by its key alone, and in the number's list.
func TestMessageRemembersItsEvents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		var c *kabar.Conversation
		first, second := &kabar.Message{Direction: kabar.Outbound, Content: &kabar.Text{Body: "a"}}, &kabar.Message{Direction: kabar.Outbound, Content: &kabar.Text{Body: "b"}}
		write := func(f func(tx *store.Tx) error) {
			t.Helper()
			if err := s.DB.Write(t.Context(), nil, f); err != nil {
				t.Fatal(err)
			}
		}
		n := s.A
		event := func(tx *store.Tx, m kabar.MessageID) error {
			return tx.AddEvent(&kabar.Event{Account: n.Account, Number: n.ID, Conversation: c.ID, Kind: kabar.EventStatus, Message: m})
		}
		write(func(tx *store.Tx) (err error) {
			if c, err = tx.CreateConversation(n, kabar.Customer{WaID: "34600111222"}); err != nil {
				return err
			}
			if err = tx.AppendMessage(c, first); err != nil {
				return err
			}
			if err = tx.AppendMessage(c, second); err != nil {
				return err
			}
			return event(tx, first.ID)
		})
		for _, m := range []kabar.MessageID{second.ID, 0, first.ID, first.ID} {
			write(func(tx *store.Tx) error { return event(tx, m) })
		}
		for m, want := range map[*kabar.Message][]int64{first: {1, 4, 5}, second: {2}} {
			got, err := s.DB.FindMessage(t.Context(), m.ID)
			if err != nil || !slices.Equal(got.Events, want) || got.Number != n.ID {
				t.Errorf("message %d has the events %+v, %v; want %v", m.ID, got, err, want)
			}
		}
		all, err := s.DB.Messages(t.Context(), n.ID, 0, 10)
		if err != nil || len(all) != 2 || all[0].ID != second.ID {
			t.Errorf("listed are %v, %v", all, err)
		}
		if all, err = s.DB.Messages(t.Context(), n.ID, second.ID, 10); err != nil || len(all) != 1 || all[0].ID != first.ID {
			t.Errorf("before the second are %v, %v", all, err)
		}
	})
}
