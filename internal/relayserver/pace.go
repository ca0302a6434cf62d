package relayserver

import (
	"sync"
	"time"
)

// admit is the one rule behind every limit: a rate with a burst, remembered as the time at which everything admitted so
// far is paid for. Each admission costs interval, and credit may be taken for burst of them. It returns the new time and
// 0, or the old one and how long to wait. A clock that goes backwards costs patience, one that jumps ahead gives no more
// than a burst.
func admit(paid, now time.Time, interval time.Duration, burst int) (time.Time, time.Duration) {
	if paid.Before(now) {
		paid = now
	}
	credit := time.Duration(burst-1) * interval
	if wait := paid.Sub(now) - credit; wait > 0 {
		return paid, wait
	}
	return paid.Add(interval), 0
}

// pace is a limit of so many a second, with a burst of one second's worth. It is safe for concurrent use.
type pace struct {
	rate float64 // a second; negative: no limit
	mu   sync.Mutex
	paid time.Time
}

// take admits one and returns 0, or returns how long to wait.
func (p *pace) take(now time.Time) time.Duration {
	if p.rate < 0 {
		return 0
	}
	interval := time.Duration(float64(time.Second) / p.rate)
	p.mu.Lock()
	defer p.mu.Unlock()
	var wait time.Duration
	p.paid, wait = admit(p.paid, now, interval, max(1, int(p.rate)))
	return wait
}
