// Package rates reads and writes rate cards as CSV, and has the one that is used until another is imported.
//
// The figures of that one are made up: they have the shape of real ones, and are nobody's prices. Its rules follow section 4 of the
// contract of the Cloud API: a message is paid for when it is delivered; from 2025-07-01 on utility is free inside the customer service
// window, and from 2026-10-01 on it is not, and messages without a template cost as utility does behind the first 1,000 of a number and
// month; whatever is sent in the 72 hours of an entry point is free.
package rates

import (
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"kabar"
	"kabar/internal/csvtable"
)

//go:embed card.csv
var card string

// Default returns the rate card that is used until another one is imported.
func Default() *kabar.RateCard {
	c, err := Read(card)
	if err != nil {
		panic(fmt.Sprintf("rates: the card within the program: %v", err)) // a test reads it
	}
	return c
}

// columns are those of a card, in the order in which Write writes them.
func columns() []string {
	return []string{"from", "currency", "market", "category", "price", "in_window", "entry_point", "free_per_month"}
}

// Read reads a card, as csvtable does. The error names every fault with its line.
func Read(text string) (*kabar.RateCard, error) {
	var rates []kabar.Rate
	var lines []int
	faults := csvtable.Read(text, csvtable.Columns{Required: columns()}, func(r csvtable.Row) []string {
		if len(rates) > kabar.MaxRates {
			return nil // NewRateCard refuses them all
		}
		rate, err := rateOf(r)
		rates, lines = append(rates, rate), append(lines, r.Line)
		if err != nil {
			return []string{err.Error()}
		}
		return nil
	})
	if len(faults) > 0 {
		return nil, errors.New(strings.Join(faults, "\n"))
	}
	c, err := kabar.NewRateCard(rates)
	if twice, ok := errors.AsType[*kabar.RateTwiceError](err); ok {
		return nil, fmt.Errorf("line %d: has the day, currency, market and category of line %d", lines[twice.Row-1], lines[twice.Other-1])
	}
	return c, err
}

func rateOf(row csvtable.Row) (r kabar.Rate, err error) {
	r = kabar.Rate{From: row.Get("from"), Currency: row.Get("currency"), Market: row.Get("market"), Category: kabar.CategoryNamed(row.Get("category"))}
	if r.Cost, err = kabar.ParseMoney(row.Get("price")); err != nil {
		return r, fmt.Errorf("price: %w", err)
	}
	if r.Window, err = yes(row.Get("in_window")); err != nil {
		return r, fmt.Errorf("in_window: %w", err)
	}
	if r.Entry, err = yes(row.Get("entry_point")); err != nil {
		return r, fmt.Errorf("entry_point: %w", err)
	}
	if r.Free, err = strconv.Atoi(row.Get("free_per_month")); err != nil {
		return r, fmt.Errorf("free_per_month is %.20q: write a number such as 1000, or 0", row.Get("free_per_month"))
	}
	if err = r.Check(); err == nil {
		err = r.CheckMarket()
	}
	return r, err
}

func yes(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "yes":
		return true, nil
	case "no":
		return false, nil
	}
	return false, fmt.Errorf("is %.20q: write yes where it costs then, or no where it is free", s)
}

// Write writes a card as Read reads it.
func Write(w io.Writer, c *kabar.RateCard) error {
	out := csv.NewWriter(w)
	if err := out.Write(columns()); err != nil {
		return err
	}
	no := map[bool]string{true: "yes", false: "no"}
	for _, r := range c.Rates {
		if err := out.Write([]string{r.From, r.Currency, r.Market, string(r.Category), r.Cost.String(), no[r.Window], no[r.Entry], strconv.Itoa(r.Free)}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
