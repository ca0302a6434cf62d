package engine

import (
	"context"
	"sync"
	"time"

	"kabar"
)

// longRest is how long a lane waits at least that is in nobody's way meanwhile: the customer's mailbox is full, say.
const longRest = 5 * time.Second

// flights are the messages of broadcasts that have been accepted and have not left yet. There are few seats: they are all that a message
// to anybody else may have to wait behind. A message whose lane waits for the network keeps its number's seat, so that no more of the
// number are accepted, and leaves that of the server to others: a number that is cut off is in no other's way. One whose lane rests for
// long, for the customer's sake, leaves both.
type flights struct {
	room   int // seats of the server, and of each number
	freed  signal
	mu     sync.Mutex
	moving int                    // taken seats of the server: booked, or of a message whose lane does not wait
	taken  map[kabar.NumberID]int // seats of numbers: these, and of those that wait
	on     map[kabar.MessageID]*flight
}

type flight struct {
	number       kabar.NumberID
	conversation kabar.ConversationID
	waits        bool // for the network
}

func newFlights(room int) *flights {
	return &flights{room: max(1, room), taken: map[kabar.NumberID]int{}, on: map[kabar.MessageID]*flight{}}
}

// book takes a seat, and waits until there is one. cancel gives it back: once the message is on board, or will not be.
func (f *flights) book(ctx context.Context, n kabar.NumberID) error {
	for {
		freed := f.freed.next()
		if f.take(n) {
			return nil
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *flights) take(n kabar.NumberID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.moving >= f.room || f.taken[n] >= f.room {
		return false
	}
	f.moving++
	f.taken[n]++
	return true
}

func (f *flights) cancel(n kabar.NumberID) {
	f.mu.Lock()
	f.moving--
	f.leave(n)
	f.mu.Unlock()
	f.freed.fire()
}

// board notes a message that was accepted. It and those that follow never block.
func (f *flights) board(n kabar.NumberID, c kabar.ConversationID, m kabar.MessageID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.on[m] != nil {
		return
	}
	f.on[m] = &flight{number: n, conversation: c}
	f.moving++
	f.taken[n]++
}

// land notes that a message has left, or will not. Messages that are on no flight are nothing.
func (f *flights) land(m kabar.MessageID) {
	f.mu.Lock()
	one := f.on[m]
	if one != nil {
		f.drop(m, one)
	}
	f.mu.Unlock()
	if one != nil {
		f.freed.fire()
	}
}

// empty notes that the messages of a conversation are in nobody's way any more: its lane rests for long, or has come to its end.
func (f *flights) empty(c kabar.ConversationID) { f.each(c, f.drop) }

// wait notes that the lane of a conversation waits for its number's network.
func (f *flights) wait(c kabar.ConversationID) {
	f.each(c, func(_ kabar.MessageID, one *flight) {
		if !one.waits {
			one.waits = true
			f.moving--
		}
	})
}

// each does something with the messages of a conversation, and has others look for a seat when there were some.
func (f *flights) each(c kabar.ConversationID, do func(kabar.MessageID, *flight)) {
	f.mu.Lock()
	some := false
	for m, one := range f.on {
		if one.conversation == c {
			do(m, one)
			some = true
		}
	}
	f.mu.Unlock()
	if some {
		f.freed.fire()
	}
}

// drop takes a message off; the caller holds the lock.
func (f *flights) drop(m kabar.MessageID, one *flight) {
	delete(f.on, m)
	if !one.waits {
		f.moving--
	}
	f.leave(one.number)
}

// leave gives a number's seat back; the caller holds the lock.
func (f *flights) leave(n kabar.NumberID) {
	if f.taken[n]--; f.taken[n] <= 0 {
		delete(f.taken, n)
	}
}
