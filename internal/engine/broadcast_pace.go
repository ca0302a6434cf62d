package engine

import (
	"sync"
	"time"

	"kabar"
)

// defaultRate is how many messages of broadcasts a second a number sends whose throughput is not limited.
const defaultRate = int(kabar.ThroughputStandard)

// chatShare is what part of a number's throughput is left to those who write by themselves: a chat is not refused because of a broadcast.
const chatShare = 10

// madeUpFor is how much lost time a spacer makes up for: what is late by less goes out at once, so that a slow disk does not slow the
// whole broadcast down; a longer halt is not followed by a burst.
const madeUpFor = 100 * time.Millisecond

// spacer spaces what goes out evenly, by the product's clock. It may be used by several at a time.
type spacer struct {
	mu   sync.Mutex
	next time.Time
}

// reserve returns when the next may go out, where perSecond may a second, and not before now.
func (s *spacer) reserve(now time.Time, perSecond int) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next.IsZero() {
		s.next = now
	}
	if late := now.Add(-madeUpFor); s.next.Before(late) {
		s.next = late
	}
	at := s.next
	s.next = at.Add(time.Second / time.Duration(perSecond))
	return at
}

// signal wakes everybody who waits for something that may have happened. The zero value is ready.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

// next returns what is closed when the signal fires the next time. Ask for it before looking whether there is something to wait for.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) fire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}

// broadcastRate is how many messages of broadcasts a number may send in a second.
func (e *Engine) broadcastRate(n kabar.NumberID) int {
	l, err := e.line(n)
	if err != nil || l.settings.Limits.Throughput == 0 {
		return defaultRate
	}
	limit := int(l.settings.Limits.Throughput)
	return limit - limit/chatShare
}
