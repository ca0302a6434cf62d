package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// talk starts a conversation of n with the customer handle.
func talk(t *testing.T, s *storetest.Env, n *kabar.Number, handle string) (c *kabar.Conversation) {
	t.Helper()
	s.Write(t, func(tx *store.Tx) (err error) {
		c, err = tx.CreateConversation(n, kabar.Customer{WaID: handle})
		return err
	})
	return c
}

func TestHistoryWalksBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		c, other := talk(t, s, s.A, "491"), talk(t, s, s.A, "492")
		say := func(tx *store.Tx, c *kabar.Conversation, body string) (kabar.MessageID, error) {
			m := &kabar.Message{Direction: kabar.Inbound, Content: &kabar.Text{Body: body}, At: s.Now}
			err := tx.AppendMessage(c, m)
			return m.ID, err
		}
		var theirs kabar.MessageID
		s.Write(t, func(tx *store.Tx) error {
			for i := range 23 { // two conversations, woven into each other
				if _, err := say(tx, c, fmt.Sprint(i)); err != nil {
					return err
				}
				var err error
				if theirs, err = say(tx, other, "x"); err != nil {
					return err
				}
			}
			return nil
		})
		next, want := kabar.MessageID(0), 22
		for page := 0; page == 0 || next != 0; page++ {
			all, err := s.DB.History(t.Context(), s.A.ID, c.ID, next, 7)
			if err != nil || len(all) != min(7, want+1) {
				t.Fatalf("page %d: %d messages, %v", page, len(all), err)
			}
			for _, m := range all {
				if body := m.Content.(*kabar.Text).Body; body != fmt.Sprint(want) || m.Conversation != c.ID {
					t.Fatalf("page %d: message %q of conversation %d, want %d of %d", page, body, m.Conversation, want, c.ID)
				}
				want--
				next = m.Prev
			}
		}
		if want != -1 {
			t.Errorf("the walk ended before message %d", want)
		}
		var missing *store.NotFoundError
		if all, err := s.DB.History(t.Context(), s.A.ID, c.ID, theirs, 7); !errors.As(err, &missing) {
			t.Errorf("history from a message of another conversation: %d messages, %v", len(all), err)
		}
		empty := talk(t, s, s.A, "493")
		if all, err := s.DB.History(t.Context(), s.A.ID, empty.ID, 0, 7); len(all) != 0 || err != nil {
			t.Errorf("history of an empty conversation: %v, %v", all, err)
		}
	})
}

func TestAHandleMovesToTheNewestConversation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		first, second := talk(t, s, s.A, "491"), talk(t, s, s.A, "492")
		find := func(handle string) kabar.ConversationID {
			c, err := s.DB.FindConversation(t.Context(), s.A.ID, handle)
			if err != nil {
				t.Fatal(err)
			}
			return c.ID
		}
		second.Customer = kabar.Customer{WaID: "493", BSUID: "DE.1"} // a change of number: the old one still leads here
		s.Write(t, func(tx *store.Tx) error { return tx.SaveConversation(second) })
		for handle, want := range map[string]kabar.ConversationID{"491": first.ID, "492": second.ID, "493": second.ID, "DE.1": second.ID} {
			if got := find(handle); got != want {
				t.Errorf("%s leads to %d, want %d", handle, got, want)
			}
		}
		second.Customer.WaID = "491" // a number that was given to somebody else
		s.Write(t, func(tx *store.Tx) error { return tx.SaveConversation(second) })
		if got := find("491"); got != second.ID {
			t.Errorf("491 leads to %d, want %d", got, second.ID)
		}
	})
}

func TestJobsArePaged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		talks := []*kabar.Conversation{talk(t, s, s.A, "491"), talk(t, s, s.A, "492"), talk(t, s, s.B, "491")}
		var ids []int64
		s.Write(t, func(tx *store.Tx) error {
			ids = nil
			for i := range 30 {
				c := talks[i%3]
				j := &store.Job{Account: c.Account, Number: c.Number, Conversation: c.ID, Kind: []store.JobKind{"send", "fetch"}[i%2], Body: []byte{byte(i)}}
				add := tx.AddJob
				if j.Kind == "fetch" {
					add = tx.AddLoneJob
				}
				if err := add(j); err != nil {
					return err
				}
				ids = append(ids, j.ID)
			}
			return nil
		})
		var seen []int64
		for after := int64(0); ; {
			page, err := s.DB.ScanJobs(t.Context(), after, 8)
			if err != nil {
				t.Fatal(err)
			}
			for _, j := range page {
				if j.Body != nil || j.Conversation == 0 || j.Kind == "" {
					t.Errorf("scanned %+v, want a job without its body", j)
				}
				seen, after = append(seen, j.ID), j.ID
			}
			if len(page) < 8 {
				break
			}
		}
		if fmt.Sprint(seen) != fmt.Sprint(ids) {
			t.Errorf("scanned %v, want %v", seen, ids)
		}
		saved, err := s.DB.Job(t.Context(), s.A.ID, ids[4])
		if err != nil || saved.Kind != "send" || len(saved.Body) != 1 || saved.Body[0] != 4 {
			t.Fatalf("job %d is %+v, %v", ids[4], saved, err)
		}
		gone := func(tx *store.Tx) error { return tx.RemoveJob(s.A.ID, ids[4]) }
		s.Write(t, gone)
		s.Write(t, gone) // removing what is gone is no error
		err = s.DB.Write(t.Context(), nil, func(tx *store.Tx) error { return tx.SaveJob(saved) })
		if missing := new(store.NotFoundError); !errors.As(err, &missing) {
			t.Errorf("SaveJob of a job that is done = %v, want not found: it would come back to life", err)
		}
	})
}

func TestEventsArePaged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		c := talk(t, s, s.A, "491")
		s.Write(t, func(tx *store.Tx) error {
			for range 10 {
				if err := tx.AddEvent(&kabar.Event{Account: s.A.Account, Number: s.A.ID, Conversation: c.ID, Kind: kabar.EventStatus, At: s.Now}); err != nil {
					return err
				}
			}
			return nil
		})
		for _, c := range []struct {
			after       int64
			limit       int
			first, last int64
		}{{0, 4, 1, 4}, {4, 4, 5, 8}, {8, 4, 9, 10}} {
			all, err := s.DB.Events(t.Context(), s.A.ID, c.after, c.limit)
			if err != nil || len(all) != int(c.last-c.first+1) || all[0].Seq != c.first || all[len(all)-1].Seq != c.last {
				t.Errorf("after %d, limit %d: %d events, %v; want %d to %d", c.after, c.limit, len(all), err, c.first, c.last)
			}
		}
		if all, err := s.DB.Events(t.Context(), s.A.ID, 10, 4); len(all) != 0 || err != nil {
			t.Errorf("behind the last: %v, %v", all, err)
		}
		if n, err := s.DB.LastSeq(t.Context(), s.B.ID); n != 0 || err != nil {
			t.Errorf("LastSeq before the first event = %d, %v", n, err)
		}
	})
}

func TestAnUploadExpires(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Write(t, func(tx *store.Tx) error { return tx.SaveUpload(s.A, "sum", []byte("there"), s.Now) })
		if b, err := s.DB.Upload(t.Context(), s.A.ID, "sum", s.Now.Add(-time.Millisecond)); string(b) != "there" || err != nil {
			t.Errorf("just before it expires: %q, %v", b, err)
		}
		if b, err := s.DB.Upload(t.Context(), s.A.ID, "sum", s.Now); !errors.As(err, new(*store.NotFoundError)) {
			t.Errorf("when it expires: %q, %v; want not found", b, err)
		}
	})
}

func TestFilesInUse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		addAll(t, s, []*noun{mediumNoun(t, s, s.A, "aaaa-secret")})
		for name, want := range map[string]bool{"file-aaaa": true, "file-bbbb": false} {
			if got, err := s.DB.HasFile(t.Context(), name); got != want || err != nil {
				t.Errorf("HasFile(%s) = %v, %v; want %v", name, got, err, want)
			}
		}
	})
}
