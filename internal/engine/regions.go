package engine

import (
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

// country is that of a customer's number; empty for one who hides it.
func (e *Engine) country(who kabar.Customer) string {
	if who.WaID == "" {
		return ""
	}
	return e.regions.region(who.WaID)
}
