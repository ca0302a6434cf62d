package engine

import (
	"strings"
	"sync"

	"kabar"
	"kabar/internal/e164"
)

// keptRegions bounds how many customers' countries are remembered, of some 100 bytes each.
const keptRegions = 10_000

// regions remembers the countries of customers' numbers: to find one takes as long as writing the row it is for, and a message asks
// four times. The zero value is ready.
type regions struct {
	mu sync.Mutex
	of map[string]string // by digits
}

// region returns the country of a number; empty when no country has it.
func (r *regions) region(digits string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if country, ok := r.of[digits]; ok {
		return country
	}
	if r.of == nil || len(r.of) >= keptRegions {
		r.of = make(map[string]string)
	}
	country := e164.Region(digits)
	r.of[digits] = country
	return country
}

// country is that of a customer's number, or the one that a BSUID begins with (contract Cloud API, 2.1); empty when neither says one.
func (e *Engine) country(who kabar.Customer) string {
	if who.WaID != "" {
		return e.regions.region(who.WaID)
	}
	country, _, _ := strings.Cut(who.BSUID, ".")
	return country
}
