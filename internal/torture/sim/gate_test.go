package sim

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// verdict is what becomes of something that waits at a gate.
type verdict string

const (
	taken   verdict = "taken"   // it happens, and the server hears of it
	lost    verdict = "lost"    // it happens, and the server does not hear of it
	failed  verdict = "failed"  // it does not happen
	later   verdict = "later"   // the network wants to be asked again
	refused verdict = "refused" // the network will never take it
	timeout verdict = "timeout" // whoever waited has given up
	dead    verdict = "dead"    // the server is
)

// gate is a place where the server, or somebody who talks to it, waits for a decision.
type gate struct {
	kind, name string // name is a customer's, or a request's
	server     *server
	seen       func()   // tells the model, once
	mail       *mail    // of an acknowledgement
	call       *call    // of an answer
	packet     []byte   // of a transmission,
	message    *message // with this; nil for another purpose
	hook       posting  // of a webhook

	at   time.Time
	open chan verdict
}

func (g *gate) label() string { return g.kind + " " + g.name }

// gates are where everything waits that the server does to the outside. Nothing passes one without a decision, so between
// two decisions the program comes to rest, and what waits then does not depend on how goroutines were scheduled.
type gates struct {
	mu      sync.Mutex
	waiting map[string]*gate
	fresh   []*gate  // not yet looked at
	doubled []string // two at once where one is allowed
}

// wait waits for the decision.
func (gs *gates) wait(ctx context.Context, g *gate) verdict {
	gs.mu.Lock()
	if g.server.dead {
		gs.mu.Unlock()
		return dead
	}
	g.at, g.open = time.Now(), make(chan verdict, 1)
	gs.fresh = append(gs.fresh, g)
	if gs.waiting[g.label()] != nil {
		gs.doubled = append(gs.doubled, g.label())
	}
	gs.waiting[g.label()] = g
	gs.mu.Unlock()
	select {
	case v := <-g.open:
		return v
	case <-ctx.Done():
		gs.mu.Lock()
		defer gs.mu.Unlock()
		if gs.waiting[g.label()] == g {
			delete(gs.waiting, g.label())
		}
		return timeout
	}
}

// release lets one pass.
func (gs *gates) release(g *gate, v verdict) {
	gs.mu.Lock()
	delete(gs.waiting, g.label())
	gs.mu.Unlock()
	g.open <- v
}

// list returns what waits, in an order that is always the same.
func (gs *gates) list() []*gate {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	all := make([]*gate, 0, len(gs.waiting))
	for _, g := range gs.waiting {
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b *gate) int { return cmp.Compare(a.label(), b.label()) })
	return all
}

// look returns what has come since the last look, in an order that is always the same: some waits of the engine are random,
// and so is whose end comes first.
func (gs *gates) look() (all []*gate, doubled []string) {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	all, gs.fresh, doubled, gs.doubled = gs.fresh, nil, gs.doubled, nil
	slices.SortFunc(all, func(a, b *gate) int { return cmp.Or(cmp.Compare(a.label(), b.label()), a.at.Compare(b.at)) })
	return all, doubled
}

// kill cuts a server off: what waits and what comes gets nowhere.
func (gs *gates) kill(s *server) {
	gs.mu.Lock()
	s.dead = true
	all := gs.waiting
	gs.waiting = map[string]*gate{}
	gs.mu.Unlock()
	for _, g := range all {
		g.open <- dead
	}
}
