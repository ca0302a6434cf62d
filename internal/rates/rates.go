// Package rates reads and writes rate cards as CSV, and has the one that is used until another is imported.
//
// The figures of that one are made up: they have the shape of real ones, and are nobody's prices. Its rules follow section 4 of the
// contract of the Cloud API: a message is paid for when it is delivered; from 2025-07-01 on utility is free inside the customer service
// window, and from 2026-10-01 on it is not, and messages without a template cost as utility does behind the first 1,000 of a number and
// month; whatever is sent in the 72 hours of an entry point is free.
package rates

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"kabar"
)

//go:embed card.csv
var card []byte

// Default returns the rate card that is used until another one is imported.
func Default() *kabar.RateCard {
	c, err := Read(bytes.NewReader(card))
	if err != nil {
		panic(fmt.Sprintf("rates: the card within the program: %v", err)) // a test reads it
	}
	return c
}

// columns are the columns of a card, in the order in which Write writes them.
var columns = [...]string{"from", "currency", "market", "category", "price", "in_window", "entry_point", "free_per_month"}

// maxFaults bounds how many faults of a file are told of at once.
const maxFaults = 20

// Read reads a card: a line with the names of the columns, in any order, and a line a row. Empty lines and lines that begin with # are
// left out. All faults are reported at once, each with its line.
func Read(r io.Reader) (*kabar.RateCard, error) {
	in := csv.NewReader(r)
	in.Comment, in.TrimLeadingSpace = '#', true
	head, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty: its first line names the columns " + strings.Join(columns[:], ","))
	}
	if err != nil {
		return nil, err
	}
	place, err := places(head)
	if err != nil {
		return nil, err
	}
	var rates []kabar.Rate
	var lines []int
	var faults []error
	for len(faults) < maxFaults && len(rates) <= kabar.MaxRates {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			faults = append(faults, err) // it names the line
			if _, ok := errors.AsType[*csv.ParseError](err); !ok {
				break
			}
			continue
		}
		line, _ := in.FieldPos(0)
		rate, err := row(fields, place)
		if err != nil {
			faults = append(faults, fmt.Errorf("line %d: %w", line, err))
			continue
		}
		rates, lines = append(rates, rate), append(lines, line)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	c, err := kabar.NewRateCard(rates)
	if twice, ok := errors.AsType[*kabar.RateTwiceError](err); ok {
		return nil, fmt.Errorf("line %d: has the day, currency, market and category of line %d", lines[twice.Row-1], lines[twice.Other-1])
	}
	return c, err
}

// places says where each of columns stands.
func places(head []string) (place [len(columns)]int, err error) {
	for i, name := range columns {
		if place[i] = slices.IndexFunc(head, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) }); place[i] < 0 {
			return place, fmt.Errorf("line 1: there is no column %s: the columns are %s", name, strings.Join(columns[:], ","))
		}
	}
	if len(head) != len(columns) {
		return place, fmt.Errorf("line 1: has %d columns, not the %d %s", len(head), len(columns), strings.Join(columns[:], ","))
	}
	return place, nil
}

func row(fields []string, place [len(columns)]int) (r kabar.Rate, err error) {
	at := func(i int) string { return strings.TrimSpace(fields[place[i]]) }
	r = kabar.Rate{From: at(0), Currency: at(1), Market: at(2), Category: kabar.Category(strings.ToLower(at(3)))}
	if r.Cost, err = kabar.ParseMoney(at(4)); err != nil {
		return r, fmt.Errorf("price: %w", err)
	}
	if r.Window, err = yes(at(5)); err != nil {
		return r, fmt.Errorf("in_window: %w", err)
	}
	if r.Entry, err = yes(at(6)); err != nil {
		return r, fmt.Errorf("entry_point: %w", err)
	}
	if r.Free, err = strconv.Atoi(at(7)); err != nil {
		return r, fmt.Errorf("free_per_month is %.20q: write a number such as 1000, or 0", at(7))
	}
	return r, r.Check()
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
	if err := out.Write(columns[:]); err != nil {
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
