package phone

import (
	"context"
	"sync"
)

// watcherRoom is how many changes wait for a slow watcher before they are replaced by one that stands for all.
const watcherRoom = 256

// hub hands changes to whoever watches.
type hub struct {
	mu       sync.Mutex
	watchers map[chan Change]struct{}
}

// Watch returns a channel of what happens from now on; it is closed when ctx ends. Changes of one customer come in
// order. A watcher that does not keep up gets the zero Change in place of those it missed: anything may have changed.
func (p *Phone) Watch(ctx context.Context) <-chan Change { return p.hub.watch(ctx) }

// Refresh tells everybody who watches that anything may have changed: for what is shown beside the phones and is not theirs.
func (p *Phone) Refresh() { p.hub.publish([]Change{{}}) }

func (h *hub) watch(ctx context.Context) <-chan Change {
	ch := make(chan Change, watcherRoom+1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watchers == nil {
		h.watchers = make(map[chan Change]struct{})
	}
	h.watchers[ch] = struct{}{}
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.watchers, ch)
		close(ch)
	})
	return ch
}

// publish never blocks. The last place in a channel is kept for the zero Change: while that lies there unread, whatever
// is dropped behind it is covered by it.
func (h *hub) publish(changes []Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch := range h.watchers {
		for _, c := range changes {
			switch len(ch) {
			case watcherRoom + 1:
			case watcherRoom:
				ch <- Change{}
			default:
				ch <- c
			}
		}
	}
}
