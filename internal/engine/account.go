package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"kabar"
	"kabar/internal/store"
)

// Accounts keeps the accounts of a server: who they are, their lines of credit, and what messages cost. Whatever it changes leaves an
// entry in the audit log. It works without an Engine, too, and is safe for concurrent use.
type Accounts struct {
	db      *store.DB
	now     func() time.Time
	rates   atomic.Pointer[kabar.RateCard]
	changed func(*kabar.Account) error // an account is otherwise from now on; may be nil

	changing sync.Mutex // held while an account changes
}

// NewAccounts returns the accounts of a store, where messages cost what card says until Load or ImportRates; nil: nothing.
func NewAccounts(db *store.DB, now func() time.Time, card *kabar.RateCard) *Accounts {
	a := &Accounts{db: db, now: now}
	if card == nil {
		card = new(kabar.RateCard)
	}
	a.rates.Store(card)
	return a
}

// Load takes over the rate card that was imported, if one was.
func (a *Accounts) Load(ctx context.Context) error {
	card, _, err := a.db.RateCard(ctx)
	if err == nil {
		a.rates.Store(card)
	}
	return ignoreMissing(err)
}

// Rates returns what messages cost now.
func (a *Accounts) Rates() *kabar.RateCard { return a.rates.Load() }

// ImportRates has messages cost what a card says from now on; what is reserved stays as it is. A card without prices in the currency of
// an account is refused.
func (a *Accounts) ImportRates(ctx context.Context, card *kabar.RateCard, actor string) error {
	all, err := a.db.Accounts(ctx)
	if err != nil {
		return store.Refusal(err)
	}
	for _, w := range all {
		if !card.Has(w.Currency) {
			return kabar.Refuse(kabar.ReasonInvalid, "rates", "have no prices in %s, in which the account %q is billed", w.Currency, w.Name)
		}
	}
	now := a.now()
	err = a.db.Write(ctx, nil, func(tx *store.Tx) error {
		if err := tx.SaveRateCard(card, now); err != nil {
			return err
		}
		tx.After(func() { a.rates.Store(card) })
		return tx.AddAudit(&store.Audit{At: now, Actor: actor, Action: "rates.imported", Subject: "rates", Detail: fmt.Sprintf(`{"rows":%d}`, len(card.Rates))})
	})
	return store.Refusal(err)
}

// MaxAccountName is the longest name of an account, in characters.
const MaxAccountName = 128

// check refuses an account that nobody could work with.
func (a *Accounts) check(w *kabar.Account) error {
	if strings.TrimSpace(w.Name) == "" || utf8.RuneCountInString(w.Name) > MaxAccountName || strings.ContainsFunc(w.Name, unicode.IsControl) {
		return kabar.Refuse(kabar.ReasonInvalid, "name", "must have 1 to %d characters on one line", MaxAccountName)
	}
	if !a.Rates().Has(w.Currency) {
		return kabar.Refuse(kabar.ReasonInvalid, "currency", "is %.20q, in which there are no prices: kabar rates import FILE.csv", w.Currency)
	}
	if _, err := zoneOf(w); err != nil {
		return kabar.Refuse(kabar.ReasonInvalid, "timezone", "is %.60q, which is no name of the tz database, such as Asia/Jakarta", w.Timezone)
	}
	return nil
}

// zoneOf returns the time zone whose days and months an account's prices follow.
func zoneOf(w *kabar.Account) (*time.Location, error) {
	if w.Timezone == "" || w.Timezone == "Local" { // what the machine has is nobody's
		return nil, fmt.Errorf("%q is no time zone", w.Timezone)
	}
	return time.LoadLocation(w.Timezone)
}

// Add stores a new account, whose line of credit is drawn at nothing: it sends what costs once somebody allocates a limit.
func (a *Accounts) Add(ctx context.Context, w kabar.Account, actor string) (*kabar.Account, error) {
	if err := a.check(&w); err != nil {
		return nil, err
	}
	now := a.now()
	w.Created = now
	err := a.db.Write(ctx, nil, func(tx *store.Tx) error {
		if err := tx.AddAccount(&w, now); err != nil {
			return err
		}
		if err := tx.SaveCredit(&kabar.Credit{Account: w.ID}); err != nil {
			return err
		}
		return audit(tx, &w, "account.added", actor, now, map[string]string{"name": w.Name, "currency": w.Currency, "timezone": w.Timezone,
			"client": strconv.FormatBool(w.Client)})
	})
	if err != nil {
		return nil, store.Refusal(err)
	}
	return &w, nil
}

// AccountChange is what is to be otherwise of an account; empty fields stay as they are.
type AccountChange struct{ Name, Timezone string }

// Change changes an account.
func (a *Accounts) Change(ctx context.Context, id kabar.AccountID, c AccountChange, actor string) (*kabar.Account, error) {
	a.changing.Lock()
	defer a.changing.Unlock()
	w, err := a.db.Account(ctx, id)
	if err != nil {
		return nil, store.Refusal(err)
	}
	w.Name, w.Timezone = orElse(c.Name, w.Name), orElse(c.Timezone, w.Timezone)
	if err := a.check(w); err != nil {
		return nil, err
	}
	now := a.now()
	err = a.db.Write(ctx, nil, func(tx *store.Tx) error {
		if err := tx.SaveAccount(w); err != nil {
			return err
		}
		return audit(tx, w, "account.changed", actor, now, map[string]string{"name": w.Name, "timezone": w.Timezone})
	})
	if err == nil && a.changed != nil {
		err = a.changed(w)
	}
	return w, store.Refusal(err)
}

func audit(tx *store.Tx, w *kabar.Account, action, actor string, now time.Time, detail map[string]string) error {
	b, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	return tx.AddAudit(&store.Audit{Account: w.ID, At: now, Actor: actor, Action: action, Subject: "account", Detail: string(b)})
}

// All returns the accounts of the server, oldest first.
func (a *Accounts) All(ctx context.Context) ([]*kabar.Account, error) {
	all, err := a.db.Accounts(ctx)
	return all, store.Refusal(err)
}

// Get returns an account.
func (a *Accounts) Get(ctx context.Context, id kabar.AccountID) (*kabar.Account, error) {
	w, err := a.db.Account(ctx, id)
	return w, store.Refusal(err)
}

// Credit returns an account's line of credit.
func (a *Accounts) Credit(ctx context.Context, id kabar.AccountID) (*kabar.Credit, error) {
	w, err := a.db.Account(ctx, id)
	if err != nil {
		return nil, store.Refusal(err)
	}
	c, err := a.db.Credit(ctx, id)
	if err != nil {
		return nil, store.Refusal(err)
	}
	c.Currency = w.Currency
	return c, nil
}

// Draw sets the limit of an account's line of credit, which may be below what is reserved and spent: then nothing leaves that costs. The
// ledger has by how much it has changed.
func (a *Accounts) Draw(ctx context.Context, id kabar.AccountID, limit kabar.Money, actor string) (*kabar.Credit, error) {
	return a.Redraw(ctx, id, func(*kabar.Credit) (kabar.Money, error) { return limit, nil }, actor)
}

// Redraw is Draw with a limit that follows from how the line stands in the commit. limitOf may be called more than once.
func (a *Accounts) Redraw(ctx context.Context, id kabar.AccountID, limitOf func(*kabar.Credit) (kabar.Money, error), actor string) (*kabar.Credit, error) {
	w, err := a.db.Account(ctx, id)
	if err != nil {
		return nil, store.Refusal(err)
	}
	now := a.now()
	var c *kabar.Credit
	err = a.db.Write(ctx, func(tx *store.Tx) { tx.WantCredit(id) }, func(tx *store.Tx) error {
		if c, err = tx.Credit(id); err != nil {
			return err
		}
		c.Currency = w.Currency
		limit, err := limitOf(c)
		if err != nil {
			return err
		}
		if limit < 0 || limit > kabar.MaxMoney {
			return kabar.Refuse(kabar.ReasonInvalid, "limit", "is %s, it must be 0 to %s", limit, kabar.MaxMoney)
		}
		more := limit - c.Limit
		if c.Draw(limit); more != 0 {
			if err := tx.AddLedger(&kabar.LedgerEntry{Account: id, At: now, Kind: kabar.LedgerAllocate, Amount: more, Currency: w.Currency}); err != nil {
				return err
			}
		}
		if err := tx.SaveCredit(c); err != nil {
			return err
		}
		return audit(tx, w, "credit.drawn", actor, now, map[string]string{"limit": limit.String(), "by": more.String()})
	})
	if err != nil {
		return nil, store.Refusal(err)
	}
	return c, nil
}

// LedgerPage is the most entries that Ledger returns at a time.
const LedgerPage = 1000

// Ledger returns a page of an account's ledger, oldest first.
func (a *Accounts) Ledger(ctx context.Context, id kabar.AccountID, q store.LedgerQuery) ([]*kabar.LedgerEntry, error) {
	if q.Limit <= 0 || q.Limit > LedgerPage {
		q.Limit = LedgerPage
	}
	all, err := a.db.Ledger(ctx, id, q)
	return all, store.Refusal(err)
}
