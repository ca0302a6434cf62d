package engine

import (
	"context"
	"time"

	"kabar"
	"kabar/internal/store"
)

// Consents is what customers of accounts have agreed to, as operators and applications see it. It needs no running engine.
type Consents struct {
	db  *store.DB
	now func() time.Time
}

// NewConsents returns the ledger of a store; now is the product's clock.
func NewConsents(db *store.DB, now func() time.Time) *Consents { return &Consents{db, now} }

// Consents returns the ledger.
func (e *Engine) Consents() *Consents { return NewConsents(e.db, e.now) }

// CustomerConsent is an entry about a customer that is to be recorded.
type CustomerConsent struct {
	Customer string `json:"customer"` // phone number in any usual writing, wa_id, or BSUID
	kabar.ConsentEntry
}

// recordedAtOnce is how many entries are recorded in one commit, so that nobody waits long behind it.
const recordedAtOnce = 500

// Check says what is wrong with an entry, and fills in what it leaves out.
func (c *Consents) Check(e *CustomerConsent) error {
	who, err := ParseRecipient(e.Customer)
	if err != nil {
		return kabar.Refuse(kabar.ReasonInvalid, "wa_id", "is neither a phone number with its country code nor a BSUID")
	}
	e.Customer = who.Handle()
	return e.Validate(c.now())
}

// Record adds entries to an account's ledger, in order. The first that is refused ends it: refused is its place, and those of its
// commit are not recorded. Otherwise refused is len(all).
func (c *Consents) Record(ctx context.Context, a kabar.AccountID, all []CustomerConsent) (refused int, err error) {
	for i := range all {
		if err := c.Check(&all[i]); err != nil {
			return i, err
		}
	}
	for from := 0; from < len(all); from += recordedAtOnce {
		some := all[from:min(len(all), from+recordedAtOnce)]
		refused = from
		err := c.db.Write(ctx, func(tx *store.Tx) {
			for i := range some {
				tx.WantConsent(a, some[i].Customer)
			}
		}, func(tx *store.Tx) error {
			for i := range some {
				refused = from + i
				if err := record(tx, a, &some[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return refused, store.Refusal(err)
		}
	}
	return len(all), nil
}

func record(tx *store.Tx, a kabar.AccountID, e *CustomerConsent) error {
	known, err := tx.Consent(a, e.Customer)
	if err != nil {
		return err
	}
	if _, err := known.Take(&e.ConsentEntry); err != nil {
		return err
	}
	if err := tx.SaveConsent(known); err != nil {
		return err
	}
	return tx.AddConsentEntry(a, e.Customer, &e.ConsentEntry)
}

// Get returns where the ledger has led for a customer, and the newest entries about them, oldest first.
func (c *Consents) Get(ctx context.Context, a kabar.AccountID, customer string) (*kabar.Consent, []kabar.ConsentEntry, error) {
	who, err := ParseRecipient(customer)
	if err != nil {
		return nil, nil, kabar.Refuse(kabar.ReasonInvalid, "wa_id", "is neither a phone number with its country code nor a BSUID")
	}
	known, err := c.db.Consent(ctx, a, who.Handle())
	if err != nil {
		return nil, nil, store.Refusal(err)
	}
	history, err := c.db.ConsentHistory(ctx, a, who.Handle())
	return known, history, store.Refusal(err)
}

// List returns up to limit customers of whom the account's ledger knows something, by handle, behind the one given.
func (c *Consents) List(ctx context.Context, a kabar.AccountID, after string, limit int) ([]*kabar.Consent, error) {
	all, err := c.db.Consents(ctx, a, after, limit)
	return all, store.Refusal(err)
}
