package feed

import (
	"context"
	"sync"

	"kabar"
)

// Hub tells those who wait that logs have grown. Whoever is slow misses no log, and costs a word a log.
type Hub struct {
	mu      sync.Mutex
	waiting map[*watch]struct{}
}

func newHub() *Hub { return &Hub{waiting: map[*watch]struct{}{}} }

// watch is one who waits. Grown holds what has grown since it was last taken, and ready a value when that is something.
type watch struct {
	hub   *Hub
	ready chan struct{}
	grown map[kabar.NumberID]bool
}

// watch waits until ctx ends.
func (h *Hub) watch(ctx context.Context) *watch {
	w := &watch{hub: h, ready: make(chan struct{}, 1), grown: map[kabar.NumberID]bool{}}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting[w] = struct{}{}
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.waiting, w)
	})
	return w
}

func (h *Hub) wake(n kabar.NumberID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.waiting {
		w.grown[n] = true
		w.signal()
	}
}

func (w *watch) signal() {
	select {
	case w.ready <- struct{}{}:
	default: // it has not looked yet
	}
}

// take returns what has grown since the last time.
func (w *watch) take() map[kabar.NumberID]bool {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	grown := w.grown
	w.grown = map[kabar.NumberID]bool{}
	return grown
}
