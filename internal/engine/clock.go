package engine

import (
	"context"
	"time"
)

// Until waits until the engine's clock has reached t, or ctx ends. When the clock is shifted the wait is measured anew.
func (e *Engine) Until(ctx context.Context, t time.Time) error {
	for {
		e.mu.RLock()
		shifted := e.shift
		e.mu.RUnlock()
		wait := t.Sub(e.now())
		if wait <= 0 {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-shifted:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// Shifted says that the clock has jumped: whoever waits for a time looks again.
func (e *Engine) Shifted() {
	e.mu.Lock()
	close(e.shift)
	e.shift = make(chan struct{})
	e.mu.Unlock()
	e.sends.HurryAll()
	e.fetches.HurryAll()
}
