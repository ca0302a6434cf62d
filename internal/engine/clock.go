package engine

import (
	"context"
	"time"

	"kabar/internal/lanes"
	"kabar/internal/network"
)

// Until waits until the engine's clock has reached t, or ctx ends. When the clock is shifted the wait is measured anew.
func (e *Engine) Until(ctx context.Context, t time.Time) error { return e.untilOr(ctx, t, nil) }

// untilOr is Until that something on wake ends as well.
func (e *Engine) untilOr(ctx context.Context, t time.Time, wake <-chan struct{}) error {
	for {
		e.mu.RLock()
		shifted := e.shift
		e.mu.RUnlock()
		wait := t.Sub(e.now())
		if wait <= 0 {
			return ctx.Err() // who does something over and over ends with the context, also when it is always time
		}
		timer := time.NewTimer(wait)
		woken := false
		select {
		case <-timer.C:
		case <-wake:
			woken = true
		case <-shifted:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if woken {
			return nil
		}
	}
}

// Shifted says that the clock has jumped: whoever waits for a time looks again.
func (e *Engine) Shifted() {
	e.mu.Lock()
	close(e.shift)
	e.shift = make(chan struct{})
	e.mu.Unlock()
	for _, l := range e.attached() {
		if a, ok := l.net.(network.Aging); ok {
			a.Shifted()
		}
	}
	e.hurryAll()
}

// hurryAll has everything that waits for a time or for the network look again.
func (e *Engine) hurryAll() {
	for _, l := range []*lanes.Lanes{e.sends, e.fetches, e.asks, e.exchanges} {
		l.HurryAll()
	}
}
