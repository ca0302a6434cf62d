package webhook

import (
	"container/heap"
	"slices"
	"time"

	"kabar"
	"kabar/internal/store"
)

// lane is one customer at one endpoint: at most one event is under way, the others wait behind it in order. A lane that
// has nothing to do is removed.
type lane struct {
	conversation kabar.ConversationID
	turn         turn
	queue        []*entry  // of the window, the oldest first; empty when parked
	attempts     int       // failures of the first event
	batch        *batch    // that the first event has failed in; nil: it is tried alone or was not tried
	due          time.Time // of its next attempt; zero: now
	started      int64     // tick of its last attempt
	failed       int64     // tick of its first failure; 0: it has not failed since the session began

	// Of a customer who is parked: rows in the store, and rows that are not committed yet. The first ones up to after have
	// been drained.
	parked       bool
	rows, coming int64
	after        int64
}

// turn says where a lane is.
type turn int8

const (
	idle    turn = iota // nothing to do, or nothing that can be done before the next commit
	ready               // queued to be started
	busy                // started, or behind the first lane of its batch
	noted               // what became of it is to be committed
	waiting             // for its due time
)

// first returns the event whose turn it is in a lane that is not parked.
func (l *lane) first() *entry { return l.queue[0] }

// alone reports whether the first event goes in a request of its own: what has failed before does, and what is told early, since a batch
// has to be found again in one window.
func (l *lane) alone() bool { return l.attempts > 0 || l.first().early }

// remove takes an event out of a lane that is not parked: one of the first.
func (l *lane) remove(seq int64) {
	i := slices.IndexFunc(l.queue, func(e *entry) bool { return e.seq == seq })
	if i == 0 {
		l.queue = l.queue[1:]
	} else {
		l.queue = slices.Delete(l.queue, i, i+1)
	}
	l.attempts = 0
	if len(l.queue) > 0 {
		l.attempts = l.first().attempts
	}
}

// lanes are the customers of an endpoint who have something to do. Whose turn comes is decided by who was ready first.
type lanes struct {
	all     map[kabar.ConversationID]*lane
	ready   []*lane // not parked
	drains  []*lane // parked
	waiting dueHeap
	parked  int   // customers
	events  int64 // rows of theirs, those included that are not committed yet
}

// of returns the customer's lane, a new one if there is none.
func (ls *lanes) of(c kabar.ConversationID) *lane {
	l := ls.all[c]
	if l == nil {
		l = &lane{conversation: c}
		ls.all[c] = l
	}
	return l
}

// resume takes over a customer whom the store knows as parked.
func (ls *lanes) resume(p store.ParkedCustomer) {
	l := ls.of(p.Conversation)
	l.parked, l.rows = true, p.Events
	ls.parked++
	ls.events += p.Events
	ls.settle(l)
}

// settle puts a lane where it belongs after something about it has changed. It ends the parking of a customer who has
// nothing parked any more: what comes now waits in the window again.
func (ls *lanes) settle(l *lane) {
	l.turn = idle
	if l.parked && l.rows == 0 && l.coming == 0 {
		l.parked = false
		ls.parked--
	}
	switch {
	case l.batch != nil && l.batch.lanes[0] != l:
		l.turn = busy
	case !l.due.IsZero():
		l.turn = waiting
		heap.Push(&ls.waiting, l)
	case l.parked && l.rows > 0:
		l.turn = ready
		ls.drains = append(ls.drains, l)
	case len(l.queue) > 0:
		l.turn = ready
		ls.ready = append(ls.ready, l)
	case !l.parked:
		delete(ls.all, l.conversation)
	}
}

// release readies the lanes whose time has come, and returns when the next one's will; zero if none waits.
func (ls *lanes) release(now time.Time) time.Time {
	for len(ls.waiting) > 0 {
		l := ls.waiting[0]
		if l.due.After(now) {
			return l.due
		}
		heap.Pop(&ls.waiting)
		l.due = time.Time{}
		ls.settle(l)
	}
	return time.Time{}
}

// next takes a lane that is ready.
func (ls *lanes) next() *lane { return pop(&ls.ready, 0) }

// drain takes a parked lane that is ready.
func (ls *lanes) drain() *lane { return pop(&ls.drains, 0) }

// probe takes the lane that is tried next when the endpoint does not answer: the one tried the fewest times, so that no
// event that fails by itself is taken for the endpoint forever. Parked customers come only when there is nobody else.
func (ls *lanes) probe() *lane {
	if len(ls.all) == ls.parked {
		return ls.drain()
	}
	best := 0
	for i, l := range ls.ready {
		if l.attempts < ls.ready[best].attempts {
			best = i
		}
	}
	return pop(&ls.ready, best)
}

func pop(queue *[]*lane, i int) *lane {
	if i >= len(*queue) {
		return nil
	}
	l := (*queue)[i]
	*queue = slices.Delete(*queue, i, i+1)
	return l
}

// dueHeap is a heap of lanes, the one due first on top (container/heap).
type dueHeap []*lane

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is for container/heap.
func (h *dueHeap) Push(x any) { *h = append(*h, x.(*lane)) }

// Pop is for container/heap.
func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	l := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return l
}
