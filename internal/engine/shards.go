package engine

import (
	"context"
	"sync"

	"kabar"
)

// maxQueued bounds how many conversations of a number are remembered while they wait for their turn.
const maxQueued = 1000

// gates bound how many customers of a number are worked at once: its shards. Lanes bound it for all numbers together.
type gates struct {
	mu      sync.Mutex
	numbers map[kabar.NumberID]*gate
}

type gate struct {
	busy   int
	queue  []int64 // conversations that wait for their turn, each once
	queued map[int64]bool
}

func newGates() *gates { return &gates{numbers: map[kabar.NumberID]*gate{}} }

// enter takes a place for a conversation; each is given back by leave. Without one the conversation is in the queue, unless
// that is full: then it has to ask again. A limit of 0 is none.
func (g *gates) enter(n kabar.NumberID, limit int, key int64) (entered, queued bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := g.numbers[n]
	if at == nil {
		at = &gate{queued: map[int64]bool{}}
		g.numbers[n] = at
	}
	switch {
	case limit == 0 || at.busy < limit:
		at.busy++
		return true, false
	case at.queued[key]:
		return false, true
	case len(at.queue) >= maxQueued:
		return false, false
	}
	at.queue, at.queued[key] = append(at.queue, key), true
	return false, true
}

// leave gives a place back.
func (g *gates) leave(n kabar.NumberID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.numbers[n].busy--
}

// next takes out of the queue whoever has a place now.
func (g *gates) next(n kabar.NumberID, limit int) []int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := g.numbers[n]
	if at == nil {
		return nil
	}
	free := len(at.queue)
	if limit > 0 {
		free = max(0, min(free, limit-at.busy))
	}
	keys := at.queue[:free:free]
	at.queue = at.queue[free:]
	for _, k := range keys {
		delete(at.queued, k)
	}
	return keys
}

// letIn wakes the conversations of a number that have a place now.
func (e *Engine) letIn(n kabar.NumberID) {
	l, err := e.line(n)
	if err != nil {
		return
	}
	for _, key := range e.gates.next(n, l.settings.Shards) {
		e.sends.Wake(key)
	}
}

// pass lets somebody else in in the place of a conversation that has nothing to do after all.
func (e *Engine) pass(ctx context.Context, c kabar.ConversationID) {
	if n, err := e.db.Owner(ctx, c); err == nil {
		e.letIn(n)
	}
}
