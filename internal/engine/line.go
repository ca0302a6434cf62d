package engine

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"kabar"
	"kabar/internal/network"
)

// line is a number with its network.
type line struct {
	number   *kabar.Number
	account  *kabar.Account
	zone     *time.Location // of the account
	hours    *time.Location // of the number's opening hours; nil: it has none
	settings kabar.Settings
	net      network.Network
}

// Network returns the network that a number is attached to; nil when it is attached to none.
func (e *Engine) Network(id kabar.NumberID) network.Network {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if l := e.lines[id]; l != nil {
		return l.net
	}
	return nil
}

// Numbers returns the attached numbers, in the order of their ids.
func (e *Engine) Numbers() []*kabar.Number {
	e.mu.RLock()
	defer e.mu.RUnlock()
	numbers := make([]*kabar.Number, 0, len(e.lines))
	for _, l := range e.lines {
		numbers = append(numbers, l.number)
	}
	slices.SortFunc(numbers, func(a, b *kabar.Number) int { return cmp.Compare(a.ID, b.ID) })
	return numbers
}

func (e *Engine) attached() map[kabar.NumberID]*line {
	e.mu.RLock()
	defer e.mu.RUnlock()
	all := make(map[kabar.NumberID]*line, len(e.lines))
	maps.Copy(all, e.lines)
	return all
}

// line returns the number's line as it is now.
func (e *Engine) line(id kabar.NumberID) (*line, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	l := e.lines[id]
	if l == nil {
		return nil, kabar.Refuse(kabar.ReasonNotReady, "", "the number is not attached to a network")
	}
	return l, nil
}

// Number returns a number as it is now.
func (e *Engine) Number(id kabar.NumberID) (*kabar.Number, error) {
	l, err := e.line(id)
	if err != nil {
		return nil, err
	}
	return l.number, nil
}

// Settings returns a number's settings.
func (e *Engine) Settings(id kabar.NumberID) (kabar.Settings, error) {
	l, err := e.line(id)
	if err != nil {
		return kabar.Settings{}, err
	}
	return l.settings, nil
}

// Link reports whether the number's network is connected, and since when it has been so, or not. A network without a
// connection to lose is connected.
func (e *Engine) Link(id kabar.NumberID) (connected bool, since time.Time) {
	l, err := e.line(id)
	if err != nil {
		return false, time.Time{}
	}
	if linked, ok := l.net.(network.Linked); ok {
		return linked.Link()
	}
	return true, time.Time{}
}
