package store_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// broadcastNouns are a broadcast and a recipient of it.
func broadcastNouns(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) []*noun {
	b := &kabar.Broadcast{Account: n.Account, Number: n.ID, State: kabar.BroadcastPaused, Template: "t " + tag, Language: "id", Map: map[string]string{"body.1": tag},
		PerSecond: 7, Recipients: 1, By: "key " + tag, Why: "credit", Created: s.Now, StartAt: s.Now.Add(time.Minute)}
	r := &kabar.BroadcastRecipient{Row: 1, Handle: "4917" + tag[:4], Values: map[string]string{"body.1": "Ana " + tag}}
	var broadcast, recipient any = b, r
	return []*noun{
		{name: "broadcast", add: func(tx *store.Tx) error { return tx.AddBroadcast(b) },
			change: func(tx *store.Tx) error {
				b.State, b.Why, b.Ended = kabar.BroadcastDone, "", s.Now.Add(time.Hour)
				return tx.SaveBroadcast(b)
			},
			inside: func(tx *store.Tx) (any, error) { return tx.Broadcast(n.ID, b.ID) },
			read:   func() (any, error) { return s.DB.Broadcast(t.Context(), n.Account, b.ID) },
			want:   func() any { return broadcast }},
		{name: "recipient", add: func(tx *store.Tx) error { return tx.AddRecipient(b, r) },
			change: func(tx *store.Tx) error {
				r.Message, r.Failure = 9, kabar.ReasonNoConsent
				return tx.SaveRecipient(n.ID, r)
			},
			inside: func(tx *store.Tx) (any, error) { return tx.Recipient(n.ID, b.ID, 1) },
			want:   func() any { return recipient }},
	}
}

// addBroadcast stores a broadcast of the number to so many, of whom nobody has had their turn.
func addBroadcast(t *testing.T, s *storetest.Env, n *kabar.Number, state kabar.BroadcastState, start time.Time, to int) *kabar.Broadcast {
	t.Helper()
	b := &kabar.Broadcast{Account: n.Account, Number: n.ID, State: state, Template: "hello", Language: "en", Created: s.Now, StartAt: start, Recipients: to}
	s.Write(t, func(tx *store.Tx) error {
		if err := tx.AddBroadcast(b); err != nil {
			return err
		}
		for row := 1; row <= to; row++ {
			if err := tx.AddRecipient(b, &kabar.BroadcastRecipient{Row: row, Handle: fmt.Sprintf("49170000%03d", row), Values: map[string]string{"body.1": fmt.Sprint(row)}}); err != nil {
				return err
			}
		}
		return nil
	})
	return b
}

// A broadcast is the account's; those that are being stored nobody sees; and what is due is found by its time.
func TestBroadcastsAreListedAndFoundByTheirTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		first := addBroadcast(t, s, s.A, kabar.BroadcastScheduled, s.Now.Add(time.Hour), 0)
		second := addBroadcast(t, s, s.A, kabar.BroadcastRunning, s.Now, 0)
		addBroadcast(t, s, s.A, kabar.BroadcastLoading, s.Now, 0)
		theirs := addBroadcast(t, s, s.B, kabar.BroadcastScheduled, s.Now.Add(2*time.Hour), 0)
		ids := func(all []*kabar.Broadcast, err error) string {
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			for _, b := range all {
				text += fmt.Sprint(b.ID, " ")
			}
			return text
		}
		want := func(what, got string, all ...*kabar.Broadcast) {
			t.Helper()
			if expected := ids(all, nil); got != expected {
				t.Errorf("%s are %q, want %q", what, got, expected)
			}
		}
		want("those of the account", ids(s.DB.Broadcasts(t.Context(), s.A.Account, 0, 0, 9)), second, first)
		want("those of the number", ids(s.DB.Broadcasts(t.Context(), s.A.Account, s.A.ID, 0, 1)), second)
		want("the next page", ids(s.DB.Broadcasts(t.Context(), s.A.Account, s.A.ID, second.ID, 1)), first)
		want("those of another number", ids(s.DB.Broadcasts(t.Context(), s.A.Account, s.B.ID, 0, 9)))
		want("those due now", ids(s.DB.BroadcastsIn(t.Context(), kabar.BroadcastScheduled, s.Now)))
		want("those due in an hour", ids(s.DB.BroadcastsIn(t.Context(), kabar.BroadcastScheduled, s.Now.Add(time.Hour))), first)
		want("those due in two", ids(s.DB.BroadcastsIn(t.Context(), kabar.BroadcastScheduled, s.Now.Add(2*time.Hour))), first, theirs)
		if at, err := s.DB.NextBroadcast(t.Context()); err != nil || !at.Equal(first.StartAt) {
			t.Errorf("the next begins at %s, %v", at, err)
		}
		if b, err := s.DB.Broadcast(t.Context(), s.B.Account, first.ID); !store.IsNotFound(err) {
			t.Errorf("another account sees %+v, %v", b, err)
		}
		s.Write(t, func(tx *store.Tx) error {
			if b, err := tx.Broadcast(s.B.ID, first.ID); !store.IsNotFound(err) {
				t.Errorf("another number sees %+v, %v", b, err)
			}
			if err := tx.SaveBroadcast(&kabar.Broadcast{ID: first.ID, Number: s.B.ID}); !store.IsNotFound(err) {
				t.Errorf("another number saves it: %v", err)
			}
			if err := tx.RemoveBroadcast(s.B.ID, first.ID); !store.IsNotFound(err) {
				t.Errorf("another number removes it: %v", err)
			}
			return tx.RemoveBroadcast(s.A.ID, first.ID)
		})
		if at, err := s.DB.NextBroadcast(t.Context()); err != nil || !at.Equal(theirs.StartAt) {
			t.Errorf("the next begins at %s, %v", at, err)
		}
	})
}

// What is counted and listed of recipients follows their messages.
func TestRecipientsFollowTheirMessages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		b := addBroadcast(t, s, s.A, kabar.BroadcastRunning, s.Now, 7)
		statuses := []kabar.Status{kabar.Accepted, kabar.Sent, kabar.Delivered, kabar.Failed}
		var flying kabar.MessageID
		s.Write(t, func(tx *store.Tx) error {
			for i, status := range statuses {
				c, err := tx.CreateConversation(s.A, kabar.Customer{WaID: fmt.Sprintf("49170000%03d", i+1)})
				if err != nil {
					return err
				}
				e := &kabar.LedgerEntry{Account: s.A.Account, Number: s.A.ID, At: s.Now, Kind: kabar.LedgerReserve, Amount: kabar.Money(10 + i), Currency: "USD", Rate: "r"}
				if err := tx.AddLedger(e); err != nil {
					return err
				}
				m := &kabar.Message{Direction: kabar.Outbound, Status: status, Content: &kabar.Text{Body: "hi"}, At: s.Now, Charge: e.ID}
				if status == kabar.Failed {
					m.Failure = kabar.ReasonOptedOut
				}
				if err := tx.AppendMessage(c, m); err != nil {
					return err
				}
				if status == kabar.Accepted {
					flying = m.ID
				}
				if err := tx.SaveRecipient(s.A.ID, &kabar.BroadcastRecipient{Broadcast: b.ID, Row: i + 1, Message: m.ID}); err != nil {
					return err
				}
			}
			if err := tx.SaveRecipient(s.A.ID, &kabar.BroadcastRecipient{Broadcast: b.ID, Row: 5, Failure: kabar.ReasonNoConsent}); err != nil {
				return err
			}
			return tx.SaveRecipient(s.A.ID, &kabar.BroadcastRecipient{Broadcast: b.ID, Row: 6, Message: 1 << 40}) // it has been collected
		})
		counts, err := s.DB.BroadcastCounts(t.Context(), b.ID)
		want := []store.BroadcastCount{{false, kabar.Received, "", 1, 0}, {false, kabar.Received, kabar.ReasonNoConsent, 1, 0}, {true, kabar.Received, "", 1, 0},
			{true, kabar.Accepted, "", 1, 10}, {true, kabar.Sent, "", 1, 11}, {true, kabar.Delivered, "", 1, 12}, {true, kabar.Failed, kabar.ReasonOptedOut, 1, 13}}
		if err != nil || !reflect.DeepEqual(counts, want) {
			t.Errorf("counts %+v, %v\nwant %+v", counts, err, want)
		}
		waiting, err := s.DB.WaitingRecipients(t.Context(), b.ID, 0, 9)
		if err != nil || len(waiting) != 1 || waiting[0].Row != 7 || waiting[0].Values["body.1"] != "7" {
			t.Errorf("waiting %+v, %v", waiting, err)
		}
		failed, err := s.DB.FailedRecipients(t.Context(), b.ID, 0, 9)
		if err != nil || len(failed) != 2 || failed[0].Row != 4 || failed[0].Failure != kabar.ReasonOptedOut || failed[1].Row != 5 || failed[1].Failure != kabar.ReasonNoConsent {
			t.Errorf("failed %+v, %v", failed, err)
		}
		page, err := s.DB.RecipientStates(t.Context(), b.ID, 1, 2)
		if err != nil || len(page) != 2 || page[0].Status != kabar.Sent || page[1].Handle != "49170000003" {
			t.Errorf("page %+v, %v", page, err)
		}
		left, err := s.DB.FlyingMessages(t.Context(), b.ID, 9)
		if err != nil || len(left) != 1 || left[0].Message != flying || left[0].Number != s.A.ID {
			t.Errorf("flying %+v, %v", left, err)
		}
		s.Write(t, func(tx *store.Tx) error {
			if r, err := tx.Recipient(s.B.ID, b.ID, 7); !store.IsNotFound(err) {
				t.Errorf("another number sees %+v, %v", r, err)
			}
			if err := tx.SaveRecipient(s.B.ID, &kabar.BroadcastRecipient{Broadcast: b.ID, Row: 7}); !store.IsNotFound(err) {
				t.Errorf("another number saves it: %v", err)
			}
			return nil
		})
		if n, err := s.DB.RemoveRecipients(t.Context(), b.ID); n != 7 || err != nil {
			t.Errorf("removed %d, %v", n, err)
		}
		if n, err := s.DB.RemoveRecipients(t.Context(), b.ID); n != 0 || err != nil {
			t.Errorf("removed %d more, %v", n, err)
		}
	})
}
