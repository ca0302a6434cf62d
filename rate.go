package kabar

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// RestOfWorld is the market of customers in countries that a rate card does not name.
const RestOfWorld = "*"

// Rate is a row of a rate card: what a delivered message of a category costs with customers of a market, from a day on. How the prices
// of an era work is in the row as well, so that a change of the rules is a row with a later day, not a change of the program.
type Rate struct {
	From     string   `json:"from"`     // the first day, as of the account's time zone: "2026-10-01"
	Currency string   `json:"currency"` // ISO 4217
	Market   string   `json:"market"`   // a country, ISO 3166 alpha-2, or RestOfWorld
	Category Category `json:"category"`
	Cost     Money    `json:"price"`
	// Window says that it costs inside the customer service window as well, and Entry inside the 72 hours of an entry point.
	Window bool `json:"in_window"`
	Entry  bool `json:"entry_point"`
	Free   int  `json:"free_per_month"` // messages of the category that a number has free each month, of all markets together
}

// ID names the row in ledgers and statements.
func (r *Rate) ID() string {
	return r.From + "/" + r.Currency + "/" + r.Market + "/" + string(r.Category)
}

// SplitRate reads what Rate.ID has written.
func SplitRate(id string) (from, currency, market string, category Category) {
	parts := strings.SplitN(id+"///", "/", 4)
	return parts[0], parts[1], parts[2], Category(strings.TrimRight(parts[3], "/"))
}

// RateCard answers what messages cost. It is never changed: an import makes another one. The zero value has no prices.
type RateCard struct {
	Rates []Rate
	index map[rateKey][]*Rate // newest first
}

type rateKey struct {
	currency, market string
	category         Category
}

// MaxRates bounds the rows of a rate card.
const MaxRates = 20_000

// dayForm is how days are written.
const dayForm = "2006-01-02"

// NewRateCard makes a rate card. Two rows of the same day, currency, market and category are refused, as is one that Check refuses; the
// error names the row, from 1.
func NewRateCard(rates []Rate) (*RateCard, error) {
	if len(rates) > MaxRates {
		return nil, fmt.Errorf("there are more than %d rows", MaxRates)
	}
	card := &RateCard{Rates: rates, index: map[rateKey][]*Rate{}}
	rows := map[string]int{}
	for i := range rates {
		r := &rates[i]
		if err := r.Check(); err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, err)
		}
		if other, twice := rows[r.ID()]; twice {
			return nil, &RateTwiceError{i + 1, other}
		}
		rows[r.ID()] = i + 1
		k := rateKey{r.Currency, r.Market, r.Category}
		card.index[k] = append(card.index[k], r)
	}
	for _, all := range card.index {
		slices.SortFunc(all, func(a, b *Rate) int { return cmp.Compare(b.From, a.From) })
	}
	return card, nil
}

// RateTwiceError says that two rows of a card, counted from 1, are for the same day, currency, market and category.
type RateTwiceError struct{ Row, Other int }

func (e *RateTwiceError) Error() string {
	return fmt.Sprintf("row %d: the same day, currency, market and category as row %d", e.Row, e.Other)
}

// Check refuses a row that makes no sense.
func (r *Rate) Check() error {
	if _, err := time.Parse(dayForm, r.From); err != nil {
		return fmt.Errorf("from is %q: write a day such as 2026-10-01", r.From)
	}
	if !isCode(r.Currency, 3) {
		return fmt.Errorf("currency is %q: write three capital letters such as USD", r.Currency)
	}
	if r.Market != RestOfWorld && !isCode(r.Market, 2) {
		return fmt.Errorf("market is %q: write the two capital letters of a country such as ID, or %s for all others", r.Market, RestOfWorld)
	}
	if !slices.Contains(PricedCategories(), r.Category) {
		return fmt.Errorf("category is %q: it is one of %s", r.Category, WordsOf(PricedCategories()))
	}
	if r.Cost < 0 {
		return fmt.Errorf("price is %s: it must not be negative", r.Cost)
	}
	if r.Free < 0 {
		return fmt.Errorf("free_per_month is %d: it must not be negative", r.Free)
	}
	return nil
}

// PricedCategories are what messages are priced as.
func PricedCategories() []Category {
	return []Category{CategoryMarketing, CategoryMarketingLite, CategoryUtility, CategoryAuthentication, CategoryService}
}

// isCode reports whether s is n capital letters.
func isCode(s string, n int) bool {
	for _, c := range []byte(s) {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return len(s) == n
}

// Has reports whether there are prices in a currency.
func (c *RateCard) Has(currency string) bool {
	return slices.ContainsFunc(c.Rates, func(r Rate) bool { return r.Currency == currency })
}

// At returns the row that holds on a day for customers of a country; nil where the category costs nothing. A market's own rows go
// before those of RestOfWorld, and what was sent as marketing costs as marketing does where it has no rows of its own.
func (c *RateCard) At(day time.Time, currency, country string, category Category) *Rate {
	from := day.Format(dayForm)
	for _, market := range []string{country, RestOfWorld} {
		for _, r := range c.index[rateKey{currency, market, category}] {
			if r.From <= from {
				return r
			}
		}
	}
	if category == CategoryMarketingLite {
		return c.At(day, currency, country, CategoryMarketing)
	}
	return nil
}

// Pricing says why a message costs, or why not, as statuses tell it.
type Pricing string

// The types of pricing.
const (
	PricingRegular    Pricing = "regular"
	PricingFreeWindow Pricing = "free_customer_service" // inside the window, or among those that are free each month
	PricingFreeEntry  Pricing = "free_entry_point"
)

// PricingFacts are what a rate depends on beside day and market.
type PricingFacts struct {
	Window bool // the customer service window is open
	Entry  bool // an entry point is open
}

// Pricing is what a message of the category has when nothing else is known.
func (c Category) Pricing() Pricing {
	if c == CategoryService {
		return PricingFreeWindow
	}
	return PricingRegular
}

// Price says what a message costs under a rate, those that are free each month not considered. Where a card has no row, r is nil:
// nothing is charged, and the type of pricing is empty.
func (r *Rate) Price(f PricingFacts) (Money, Pricing) {
	switch {
	case r == nil:
		return 0, ""
	case f.Entry && !r.Entry:
		return 0, PricingFreeEntry
	case f.Window && !r.Window:
		return 0, PricingFreeWindow
	}
	return r.Cost, PricingRegular
}

// ClassOf returns what a message with a content is priced as.
func ClassOf(c Content) Category {
	if t, ok := c.(*Template); ok {
		return t.Category
	}
	return CategoryService
}
