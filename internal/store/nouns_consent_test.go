package store_test

import (
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

func consentNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) *noun {
	c := &kabar.Consent{Account: n.Account, Handle: "4915" + tag[:4], State: kabar.ConsentIn, At: s.Now}
	return &noun{name: "consent",
		add: func(tx *store.Tx) error { return tx.SaveConsent(c) },
		change: func(tx *store.Tx) error {
			c.State, c.Own, c.Span, c.Count = kabar.ConsentOut, true, s.Now.Add(time.Hour), 3
			return tx.SaveConsent(c)
		},
		inside: func(tx *store.Tx) (any, error) { return tx.Consent(n.Account, c.Handle) },
		read:   func() (any, error) { return s.DB.Consent(t.Context(), n.Account, c.Handle) },
		want:   func() any { return c }}
}

// ledgerNoun is what an account's ledger has about a customer, oldest first.
func ledgerNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) *noun {
	handle := "4916" + tag[:4]
	entry := func(state kabar.ConsentState) kabar.ConsentEntry {
		return kabar.ConsentEntry{State: state, For: "marketing", At: s.Now, How: "web form", Proof: "proof " + tag, By: "operator", Recorded: s.Now}
	}
	all := []kabar.ConsentEntry{entry(kabar.ConsentIn)}
	return &noun{name: "ledger of consent",
		add: func(tx *store.Tx) error { return tx.AddConsentEntry(n.Account, handle, &all[0]) },
		change: func(tx *store.Tx) error {
			all = append(all[:1:1], entry(kabar.ConsentOut))
			return tx.AddConsentEntry(n.Account, handle, &all[1])
		},
		read: func() (any, error) { return s.DB.ConsentHistory(t.Context(), n.Account, handle) },
		want: func() any { return all }}
}

// What an account has of a customer another account does not have, and a list goes by handle and leaves out whom nothing is known of.
func TestConsentIsTheAccounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Write(t, func(tx *store.Tx) error {
			for handle, state := range map[string]kabar.ConsentState{"3": kabar.ConsentIn, "1": kabar.ConsentOut, "2": kabar.ConsentUnknown} {
				if err := tx.SaveConsent(&kabar.Consent{Account: s.A.Account, Handle: handle, State: state, At: s.Now}); err != nil {
					return err
				}
			}
			return tx.AddConsentEntry(s.A.Account, "1", &kabar.ConsentEntry{State: kabar.ConsentOut, At: s.Now})
		})
		theirs, err := s.DB.Consent(t.Context(), s.B.Account, "1")
		if err != nil || theirs.State != kabar.ConsentUnknown {
			t.Errorf("another account has %+v, %v", theirs, err)
		}
		if history, err := s.DB.ConsentHistory(t.Context(), s.B.Account, "1"); err != nil || len(history) != 0 {
			t.Errorf("another account's ledger has %+v, %v", history, err)
		}
		var got string
		for after := ""; ; {
			page, err := s.DB.Consents(t.Context(), s.A.Account, after, 1)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			after = page[0].Handle
			got += after + " " + string(page[0].State) + ","
		}
		if got != "1 opted_out,3 opted_in," {
			t.Errorf("the list is %q", got)
		}
		if page, err := s.DB.Consents(t.Context(), s.B.Account, "", 9); err != nil || len(page) != 0 {
			t.Errorf("another account's list has %+v, %v", page, err)
		}
	})
}
