package engine

import (
	"context"
	"sync"
	"time"

	"kabar"
)

// defaultPace is how many messages of broadcasts a second a number sends whose throughput is not limited.
const defaultPace = int(kabar.ThroughputStandard)

// chatShare is what part of a number's throughput is left to those who write by themselves: a chat is not refused because of a broadcast.
const chatShare = 10

// madeUpFor is how much lost time a pace makes up for: what is late by less goes out at once, so that a slow disk does not slow the
// whole broadcast down; a longer halt is not followed by a burst.
const madeUpFor = 100 * time.Millisecond

// pace spaces what goes out evenly, by the product's clock. It may be used by several at a time.
type pace struct {
	mu   sync.Mutex
	next time.Time
}

// reserve returns when the next may go out, where perSecond may a second, and not before now.
func (p *pace) reserve(now time.Time, perSecond int) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next.IsZero() {
		p.next = now
	}
	if late := now.Add(-madeUpFor); p.next.Before(late) {
		p.next = late
	}
	at := p.next
	p.next = at.Add(time.Second / time.Duration(perSecond))
	return at
}

// longRest is how long a lane waits at least that is in nobody's way meanwhile: the customer's mailbox is full, say.
const longRest = 5 * time.Second

// flights are the messages of broadcasts that have been accepted and have not left yet. There is room for few: they are all that a
// message to anybody else may have to wait behind. One whose lane rests for long gives its place to another.
type flights struct {
	room   int
	freed  signal
	mu     sync.Mutex
	booked int // by those who are about to have a message accepted
	on     map[kabar.MessageID]kabar.ConversationID
}

func newFlights(room int) *flights {
	return &flights{room: max(1, room), on: map[kabar.MessageID]kabar.ConversationID{}}
}

// book takes a place, and waits until there is one. cancel gives it back: once the message is on board, or will not be.
func (f *flights) book(ctx context.Context) error {
	for {
		freed := f.freed.next()
		if f.take() {
			return nil
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *flights) take() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.booked+len(f.on) >= f.room {
		return false
	}
	f.booked++
	return true
}

func (f *flights) cancel() {
	f.mu.Lock()
	f.booked--
	f.mu.Unlock()
	f.freed.fire()
}

// board notes a message that was accepted. board, land and rest never block.
func (f *flights) board(c kabar.ConversationID, m kabar.MessageID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on[m] = c
}

// land notes that a message has left, or will not. Messages that are on no flight are nothing.
func (f *flights) land(m kabar.MessageID) {
	f.mu.Lock()
	_, on := f.on[m]
	delete(f.on, m)
	f.mu.Unlock()
	if on {
		f.freed.fire()
	}
}

// rest notes that the lane of a conversation waits for long.
func (f *flights) rest(c kabar.ConversationID) {
	f.mu.Lock()
	for m, of := range f.on {
		if of == c {
			delete(f.on, m)
		}
	}
	f.mu.Unlock()
	f.freed.fire()
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

// pace is how many messages of broadcasts a number may send in a second.
func (e *Engine) pace(n kabar.NumberID) int {
	l, err := e.line(n)
	if err != nil || l.settings.Limits.Throughput == 0 {
		return defaultPace
	}
	limit := int(l.settings.Limits.Throughput)
	return limit - limit/chatShare
}
