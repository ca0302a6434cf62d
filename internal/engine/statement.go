package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"kabar"
	"kabar/internal/store"
)

// StatementLine is what the delivered messages of a month under one rate come to.
type StatementLine struct {
	Rate     string      `json:"rate"`
	Market   string      `json:"market"`
	Category string      `json:"category"`
	Messages int64       `json:"messages"`
	Price    kabar.Money `json:"price"` // of one
	Amount   kabar.Money `json:"amount"`
}

// Statement is what an account owes for a month of its time zone.
type Statement struct {
	Account  kabar.AccountID
	Month    string // "2026-11"
	Currency string
	Lines    []StatementLine // by rate
	Total    kabar.Money
}

// Statement returns an account's statement of a month, such as "2026-11"; empty: of the present one. It walks
// the account's ledger from its beginning, a page at a time.
func (a *Accounts) Statement(ctx context.Context, id kabar.AccountID, month string) (*Statement, error) {
	w, err := a.db.Account(ctx, id)
	if err != nil {
		return nil, store.Refusal(err)
	}
	zone, err := zoneOf(w)
	if err != nil {
		return nil, err
	}
	if month == "" {
		month = a.now().In(zone).Format(monthForm)
	}
	from, err := time.ParseInLocation(monthForm, month, zone)
	if err != nil {
		return nil, kabar.Refuse(kabar.ReasonInvalid, "month", "is %.20q, write it such as 2026-11", month)
	}
	s := &Statement{Account: id, Month: month, Currency: w.Currency}
	lines := map[string]*StatementLine{}
	q := store.LedgerQuery{From: from, To: from.AddDate(0, 1, 0), Limit: LedgerPage}
	for {
		page, err := a.db.Ledger(ctx, id, q)
		if err != nil {
			return nil, store.Refusal(err)
		}
		for _, e := range page {
			s.add(lines, e)
		}
		if len(page) < LedgerPage {
			break
		}
		q.After = page[len(page)-1].ID
	}
	for _, l := range lines {
		s.Lines = append(s.Lines, *l)
	}
	slices.SortFunc(s.Lines, func(x, y StatementLine) int {
		return cmp.Or(cmp.Compare(x.Rate, y.Rate), cmp.Compare(x.Price, y.Price))
	})
	return s, nil
}

// add counts an entry, if it is one that a message has been paid by.
func (s *Statement) add(lines map[string]*StatementLine, e *kabar.LedgerEntry) {
	if e.Kind != kabar.LedgerSettle {
		return
	}
	k := e.Rate + " " + e.Amount.String()
	l := lines[k]
	if l == nil {
		_, _, market, category := kabar.SplitRate(e.Rate)
		l = &StatementLine{Rate: e.Rate, Market: market, Category: string(category), Price: e.Amount}
		lines[k] = l
	}
	l.Messages++
	l.Amount = l.Amount.Add(e.Amount)
	s.Total = s.Total.Add(e.Amount)
}

// Estimate says what messages of a category would cost now to customers with these numbers, outside any window.
func (a *Accounts) Estimate(ctx context.Context, id kabar.AccountID, category kabar.Category, recipients []string) (total kabar.Money, markets map[string]kabar.Money, err error) {
	w, err := a.db.Account(ctx, id)
	if err != nil {
		return 0, nil, store.Refusal(err)
	}
	zone, err := zoneOf(w)
	if err != nil {
		return 0, nil, err
	}
	if !slices.Contains(kabar.PricedCategories(), category) {
		return 0, nil, kabar.Refuse(kabar.ReasonInvalid, "category", "is %.40q, it is one of %s", category, kabar.WordsOf(kabar.PricedCategories()))
	}
	day, card, countries := a.now().In(zone), a.Rates(), regions{}
	markets = map[string]kabar.Money{}
	for i, r := range recipients {
		to, err := ParseRecipient(r)
		if err != nil {
			return 0, nil, kabar.Refuse(kabar.ReasonInvalid, fmt.Sprintf("recipients[%d]", i), "is no phone number")
		}
		country := countries.region(to.WaID)
		cost, _ := card.At(day, w.Currency, country, category).Price(kabar.PricingFacts{})
		total, markets[country] = total.Add(cost), markets[country].Add(cost)
	}
	return total, markets, nil
}
