package store_test

import (
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// moneyNouns are what an account pays with, and what is counted of those who want in.
func moneyNouns(t *testing.T, s *storetest.Env, n *kabar.Number, tag string) []*noun {
	credit := &kabar.Credit{Account: n.Account, Limit: 7, Reserved: 2}
	entry := &kabar.LedgerEntry{Account: n.Account, Number: n.ID, At: s.Now, Kind: kabar.LedgerReserve, Amount: 2, Currency: "USD", Message: 9, Rate: "2031-05-01/USD/*/utility"} // a name of a price, which lies open
	use := 3
	throttle := &store.Throttle{Name: "throttle-" + tag[:4], Failures: 2, Last: s.Now, Ends: s.Now.Add(time.Hour)}
	return []*noun{
		{name: "credit",
			add: func(tx *store.Tx) error { return tx.SaveCredit(credit) },
			change: func(tx *store.Tx) error {
				credit.Reserved, credit.Spent, credit.Warned = 0, 2, 80
				return tx.SaveCredit(credit)
			},
			inside: func(tx *store.Tx) (any, error) { return tx.Credit(n.Account) },
			read:   func() (any, error) { return s.DB.Credit(t.Context(), n.Account) },
			want:   func() any { return credit }},
		{name: "ledger",
			add: func(tx *store.Tx) error {
				err := tx.AddLedger(entry)
				entry.Ref = s.DB.Ref(entry.Message)
				return err
			},
			inside: func(tx *store.Tx) (any, error) { return tx.Ledger(n.Account, entry.ID) },
			read: func() (any, error) {
				all, err := s.DB.Ledger(t.Context(), n.Account, store.LedgerQuery{From: s.Now, To: s.Now.Add(time.Second), Limit: 1})
				if err != nil || len(all) == 0 {
					return nil, err
				}
				return all[0], nil
			},
			want: func() any { return entry }},
		{name: "use of a rate",
			add: func(tx *store.Tx) error {
				_, err := tx.RateUse(n, "2031-05", kabar.CategoryService, use)
				return err
			},
			change: func(tx *store.Tx) error {
				use++
				_, err := tx.RateUse(n, "2031-05", kabar.CategoryService, 1)
				return err
			},
			inside: func(tx *store.Tx) (any, error) { return tx.RateUse(n, "2031-05", kabar.CategoryService, 0) },
			want:   func() any { return use }},
		{name: "throttle",
			add:    func(tx *store.Tx) error { tx.SetThrottle(*throttle); return nil },
			change: func(tx *store.Tx) error { throttle.Failures = 3; tx.SetThrottle(*throttle); return nil },
			remove: func(tx *store.Tx) error { tx.RemoveThrottle("throttle-" + tag[:4]); throttle = nil; return nil },
			read: func() (any, error) {
				all, err := s.DB.Throttles(t.Context(), s.Now, 10)
				for _, one := range all {
					if one.Name == "throttle-"+tag[:4] {
						return &one, err
					}
				}
				return nil, err
			},
			want: func() any { return orNil(throttle) }},
		{name: "rate card", // there is one a server
			add: func(tx *store.Tx) error { return tx.SaveRateCard(card(t), s.Now) },
			read: func() (any, error) {
				c, imported, err := s.DB.RateCard(t.Context())
				if err != nil || !imported.Equal(s.Now) {
					return imported, err
				}
				return c, nil
			},
			want: func() any { return card(t) }},
	}
}

func card(t *testing.T) *kabar.RateCard {
	t.Helper()
	c, err := kabar.NewRateCard([]kabar.Rate{{From: "2031-05-01", Currency: "USD", Market: "*", Category: kabar.CategoryUtility, Cost: 5, Window: true, Free: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// verificationNoun is how far the verification of an account is.
func verificationNoun(t *testing.T, s *storetest.Env, n *kabar.Number) *noun {
	verification := kabar.Verification{State: kabar.VerificationPending, At: s.Now}
	verify := func(tx *store.Tx) error { return tx.SaveVerification(n.Account, verification) }
	of := func(w *kabar.Account, err error) (any, error) {
		if err != nil {
			return nil, err
		}
		return w.Verification, nil
	}
	return &noun{name: "verification",
		add: verify,
		change: func(tx *store.Tx) error {
			verification.State, verification.Note = kabar.VerificationRejected, "another's name"
			return verify(tx)
		},
		inside: func(tx *store.Tx) (any, error) { return of(tx.Account(n.Account)) },
		read:   func() (any, error) { return of(s.DB.Account(t.Context(), n.Account)) },
		want:   func() any { return verification }}
}
