package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// For any history of two customers: erasing one removes all of theirs, wherever the process is killed meanwhile, and leaves every
// row that is another's as it was.
func TestErasingOneLeavesTheOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		for seed := range uint64(4) {
			h := newTalkers(t, s, seed)
			x, y := h.meet(fmt.Sprintf("6281555%06d", seed), fmt.Sprintf("ID.55%d", seed)), h.meet(fmt.Sprintf("6281777%06d", seed), "")
			for range 30 + h.rng.IntN(30) {
				h.step([]*talker{x, y}[h.rng.IntN(2)])
			}
			before, mine := h.others(x)
			if places := s.Find(t, x.waID, x.bsuid); mine < 5 || len(places) < 2 {
				t.Fatalf("%d rows are the customer's, found in %v: the test misses its mark", mine, places)
			}
			h.erase(x, int(seed))
			after, left := h.others(x)
			if left != 0 {
				t.Errorf("seed %d: %d rows are left", seed, left)
			}
			for table, rows := range before {
				h.same(table, rows, after[table])
			}
			if places := s.Find(t, x.waID, x.bsuid, x.c.IdentityHash, x.c.Customer.Former); len(places) > 0 {
				t.Errorf("seed %d: still found: %v", seed, places)
			}
			h.files(y)
		}
	})
}

// erase erases a customer, broken off after some commits.
func (h *talkers) erase(p *talker, commits int) {
	t, s := h.t, h.s
	t.Helper()
	h.begin(p.waID)
	for ; ; commits += 3 {
		s.Reopen(t)
		open, err := s.DB.OpenErasures(t.Context(), 9)
		if err != nil || len(open) > 1 {
			t.Fatalf("%d erasings are open, %v", len(open), err)
		}
		if len(open) == 0 {
			return
		}
		ctx, cancel := context.WithCancel(t.Context())
		hooks, left := h.hooks(), commits
		hooks.Step = func(store.Removed) {
			if left--; left <= 0 {
				cancel()
			}
		}
		if err := s.DB.Erase(ctx, open[0], hooks, s.Now); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
	}
}

// same compares the rows of a table. A row of inbound_ref keeps its ref alone, and the last contact of an event may be the other's.
func (h *talkers) same(table string, before, after [][]string) {
	h.t.Helper()
	switch table {
	case "inbound_ref":
		if len(before) > len(after) {
			h.t.Errorf("ids of the network are gone: %d were others', %d are there", len(before), len(after))
		}
	case "event", "latest":
		if len(before) != len(after) {
			h.t.Errorf("%s: %d rows were others', %d are there", table, len(before), len(after))
		}
	default:
		if !reflect.DeepEqual(before, after) {
			h.t.Errorf("%s was\n%q, is\n%q", table, before, after)
		}
	}
}

// files wants the files of a customer's media to be in use still.
func (h *talkers) files(p *talker) {
	h.t.Helper()
	for _, file := range p.files {
		if known, err := h.s.DB.HasFile(h.t.Context(), file); err != nil || !known {
			h.t.Errorf("the file %s of somebody else is no medium's any more: %v", file, err)
		}
	}
}

// Of many messages some have been collected, so that the chain is broken, and an older one was left. All of them go, charges of those that nobody has
// told of are free, and the ledger names the pseudonym.
func TestErasingALongConversation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		h := newTalkers(t, s, 9)
		p := h.meet("4915123456789", "")
		s.Write(t, func(tx *store.Tx) error {
			for range 2200 {
				if err := h.say(tx, p, true); err != nil {
					return err
				}
			}
			return nil
		})
		exec(t, s, "DELETE FROM message WHERE id = $1", int64(p.messages[700]))
		s.Reopen(t) // what is kept in memory does not know of that
		e := h.begin(p.waID)
		steps := 0
		hooks := h.hooks()
		hooks.Step = func(store.Removed) { steps++ }
		if err := s.DB.Erase(t.Context(), e, hooks, s.Now); err != nil {
			t.Fatal(err)
		}
		if _, left := h.others(p); left != 0 || steps < 7 {
			t.Errorf("%d rows are left after %d commits", left, steps)
		}
		if want := (store.Removed{Conversations: 1, Messages: 2199, Events: 2200, Media: 2200}); e.Removed != want || e.Ended.IsZero() {
			t.Errorf("removed %+v, want %+v", e.Removed, want)
		}
		slices.Sort(h.released)
		if n := len(slices.Compact(h.released)); n != len(h.released) || n < 2100 {
			t.Errorf("%d charges were released, %d times", n, len(h.released))
		}
		all, err := s.DB.Ledger(t.Context(), s.A.Account, store.LedgerQuery{Limit: 3000})
		if err != nil || len(all) != 2200 {
			t.Fatalf("%d entries, %v", len(all), err)
		}
		named := 0
		for _, entry := range all {
			if entry.Customer == e.Pseudonym {
				named++
			}
		}
		if named != 2199 {
			t.Errorf("%d entries name the pseudonym", named)
		}
		again, err := s.DB.Erasure(t.Context(), s.A.Account, e.Pseudonym)
		if err != nil || !reflect.DeepEqual(again, e) || len(again.Handles()) != 0 {
			t.Errorf("what is remembered is %+v, %v", again, err)
		}
	})
}

// A pseudonym is the same each time, another for another account, and no handle's.
func TestPseudonyms(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		a, b := s.DB.Pseudonym(s.A.Account, "4915123"), s.DB.Pseudonym(s.B.Account, "4915123")
		if a == b || a == s.DB.Pseudonym(s.A.Account, "4915124") || strings.Contains(a, "4915123") || !strings.HasPrefix(a, "person-") {
			t.Errorf("%s and %s", a, b)
		}
		s.Reopen(t)
		if again := s.DB.Pseudonym(s.A.Account, "4915123"); again != a {
			t.Errorf("%s, after a restart %s", a, again)
		}
	})
}

// An opt-out is known under the pseudonym until the customer says something else; an opt-in goes.
func TestOptOutOutlivesTheCustomer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		h := newTalkers(t, s, 3)
		for state, want := range map[kabar.ConsentState]kabar.ConsentState{kabar.ConsentOut: kabar.ConsentOut, kabar.ConsentIn: kabar.ConsentUnknown} {
			waID := "4915" + fmt.Sprint(len(state))
			s.Write(t, func(tx *store.Tx) error {
				return tx.SaveConsent(&kabar.Consent{Account: s.A.Account, Handle: waID, State: state, At: s.Now, Own: true, Count: 3})
			})
			for range 2 {
				e := h.begin(waID)
				if err := s.DB.Erase(t.Context(), e, h.hooks(), s.Now); err != nil {
					t.Fatal(err)
				}
				c, err := s.DB.Consent(t.Context(), s.A.Account, waID)
				if err != nil || c.State != want || c.Handle != waID || c.Count != 0 {
					t.Errorf("%s has become %+v, %v", state, c, err)
				}
				s.Write(t, func(tx *store.Tx) error { // so that there is something to erase again
					return tx.SaveContact(s.A, waID, true, s.Now)
				})
			}
			if theirs, err := s.DB.Consent(t.Context(), s.B.Account, waID); err != nil || theirs.State != kabar.ConsentUnknown {
				t.Errorf("another account has %+v, %v", theirs, err)
			}
		}
		if page, err := s.DB.Consents(t.Context(), s.A.Account, "", 9); err != nil || len(page) != 0 {
			t.Errorf("the list has %+v, %v", page, err)
		}
	})
}

// Who is not known is not found: another account's customer neither.
func TestFindPerson(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		h := newTalkers(t, s, 5)
		p := h.meet("4915123456789", "DE.1")
		for _, handle := range []string{p.waID, p.bsuid} {
			found, err := s.DB.FindPerson(t.Context(), s.A.Account, handle)
			if err != nil || len(found.Talks) != 1 || len(found.Handles) != 2 {
				t.Errorf("by %s: %+v, %v", handle, found, err)
			}
		}
		for _, handle := range []string{"4915", "", "nul\x00", "DE.2"} {
			if found, err := s.DB.FindPerson(t.Context(), s.A.Account, handle); !store.IsNotFound(err) {
				t.Errorf("by %q: %+v, %v", handle, found, err)
			}
		}
		if found, err := s.DB.FindPerson(t.Context(), s.B.Account, p.waID); !store.IsNotFound(err) {
			t.Errorf("another account finds %+v, %v", found, err)
		}
		s.Write(t, func(tx *store.Tx) error { return tx.Unlead(s.A.ID, p.waID) })
		exec(t, s, "DELETE FROM handle") // as of a conversation that has ended: its number is somebody else's
		s.Reopen(t)
		if found, err := s.DB.FindPerson(t.Context(), s.A.Account, p.waID); err != nil || len(found.Talks) != 1 {
			t.Errorf("a conversation that no handle leads to: %+v, %v", found, err)
		}
	})
}

// Who was reached counts against the tier of the account still, once, although nobody knows who that was; and who is reached under the same
// number again is somebody else.
func TestWhoIsErasedStillCounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		h := newTalkers(t, s, 3)
		p := h.meet("6281555000333", "ID.333")
		for range 2 {
			s.Write(t, func(tx *store.Tx) error {
				return errors.Join(tx.AddReach(s.A, p.waID, s.Now), tx.AddReach(s.A, p.bsuid, s.Now))
			})
			h.erase(p, 9)
			if places := s.Find(t, p.waID, p.bsuid); len(places) > 0 {
				t.Errorf("found %v", places)
			}
			if n, err := s.DB.Reached(t.Context(), s.A.Account); err != nil || n != 1 {
				t.Errorf("%d customers count, %v", n, err)
			}
			p = h.meet(p.waID, p.bsuid)
		}
	})
}

// Whoever is in the list of a broadcast, and nowhere else, is found there, and erased.
func TestErasingWhoIsInAListAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		h := newTalkers(t, s, 4)
		p := &talker{waID: "6281555000444", c: &kabar.Conversation{}}
		row := &kabar.BroadcastRecipient{Row: 1, Handle: p.waID, Values: map[string]string{"body.1": "Sari"}}
		s.Write(t, func(tx *store.Tx) error { return tx.AddRecipient(h.list, row) })
		if held, err := s.DB.RecipientRows(t.Context(), s.A.Account, p.waID, 9); err != nil || len(held) != 1 || held[0].Values["body.1"] != "Sari" {
			t.Errorf("in broadcasts: %v, %v", held, err)
		}
		h.erase(p, 9)
		if places := s.Find(t, p.waID); len(places) > 0 {
			t.Errorf("found %v", places)
		}
		if _, err := s.DB.FindPerson(t.Context(), s.A.Account, p.waID); !store.IsNotFound(err) {
			t.Errorf("still known: %v", err)
		}
	})
}

// Nobody who is being erased, or was since a broadcast was made, gets into its list, and who was in it is off it with the first commit.
func TestWhoIsErasedIsInNoList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		const sari = "6281555000444"
		list := func() *kabar.Broadcast {
			b := &kabar.Broadcast{Account: s.A.Account, Number: s.A.ID, State: kabar.BroadcastLoading, Template: "hello", Language: "en", Recipients: 1, Created: s.Now, StartAt: s.Now}
			s.Write(t, func(tx *store.Tx) error { return tx.AddBroadcast(b) })
			return b
		}
		add := func(b *kabar.Broadcast, row, want int) {
			t.Helper()
			s.Write(t, func(tx *store.Tx) error { return tx.AddRecipient(b, &kabar.BroadcastRecipient{Row: row, Handle: sari}) })
			if held, err := s.DB.RecipientRows(t.Context(), s.A.Account, sari, 9); err != nil || len(held) != want {
				t.Errorf("in lists: %d, %v; want %d", len(held), err, want)
			}
		}
		before := list()
		add(before, 1, 1)
		p, err := s.DB.FindPerson(t.Context(), s.A.Account, sari)
		if err != nil {
			t.Fatal(err)
		}
		s.Now = s.Now.Add(time.Hour)
		e, err := s.DB.BeginErasure(t.Context(), p, nil, func(string) []string { return nil }, s.Now)
		if err != nil {
			t.Fatal(err)
		}
		add(before, 2, 0)
		s.Now = s.Now.Add(time.Hour)
		meanwhile := list()
		add(meanwhile, 1, 0)
		hooks := store.EraseHooks{Release: func(*store.Tx, *kabar.Message) error { return nil }, Discard: func(string) {}}
		if err := s.DB.Erase(t.Context(), e, hooks, s.Now); err != nil {
			t.Fatal(err)
		}
		add(before, 3, 0)
		add(list(), 1, 1) // somebody new
	})
}
