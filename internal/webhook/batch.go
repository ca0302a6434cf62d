package webhook

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"kabar"
	"kabar/internal/store"
)

// A batch is several events in one request, for applications whose settings ask for it. It is whatever is ready at the
// moment, at most Settings.Batch events: nobody waits for a batch to fill. It may hold several customers' events, and
// several of one customer as long as their order shows in the body.
//
// A batch that has failed is tried again as it was, with the same bytes under the same webhook-id. What it holds is in the
// rows of its events: each has the bytes that tell of it alone, sealed for its customer, and the seq of the batch's first
// event. The body is joined from them anew, so nobody's words lie under another's key, and an erased person's are gone.
//
// Customers in a failed batch wait for each other, which they should not for long: one event that the application refuses
// would hold up those who have nothing to do with it. So a batch that has failed splitAfter times is taken apart, and its
// events are tried one a request, at once: the innocent ones pass, the other one has failed often enough to be parked. The
// same happens while the endpoint is backed off from, since it may be batches that it does not take, and when the bytes of
// an event are gone. The single events have ids and bytes of their own; an application that has taken the batch after all,
// and whose answer was lost, knows them by what they tell: the ids of messages, the ids and states of statuses.
type batch struct {
	lanes  []*lane // the first event's comes first, and has the turn for all
	events int
}

// splitAfter is how many times a batch is tried.
const splitAfter = parkAfter

// Batcher says how events of a dialect share a body. Methods are called by several goroutines.
type Batcher interface {
	// Join makes one body of several, in their order. Equal bodies give equal bytes, in every version of the program.
	Join(bodies [][]byte) ([]byte, error)
	// Ordered reports whether a body shows in which order two events of these kinds happened.
	Ordered(a, b kabar.EventKind) bool
}

// compose puts the first events of l into a job, and while there is room those of others whose turn it is.
func (s *session) compose(j *job, l *lane) {
	most := s.most()
	s.enlist(j, l, most)
	if l.alone() {
		return
	}
	for i := 0; i < len(s.lanes.ready) && len(j.items) < most; {
		other := s.lanes.ready[i]
		if other.alone() || other.batch != nil {
			i++
			continue
		}
		s.enlist(j, pop(&s.lanes.ready, i), most)
	}
	slices.SortFunc(j.items, func(a, b item) int { return cmp.Compare(a.seq, b.seq) })
	slices.SortFunc(j.lanes, func(a, b *lane) int { return cmp.Compare(a.first().seq, b.first().seq) })
}

// enlist puts the first events of a lane into a job: one that goes alone, or others as long as a body shows their order.
func (s *session) enlist(j *job, l *lane, most int) {
	j.lanes = append(j.lanes, l)
	for i, e := range l.queue {
		if i > 0 && (len(j.items) >= most || l.alone() || e.attempts > 0 || e.early || !s.o.Batch[s.dialect].Ordered(l.first().kind, e.kind)) {
			return
		}
		j.items = append(j.items, s.item(l, e))
	}
}

func (s *session) item(l *lane, e *entry) item {
	return item{lane: l, conversation: l.conversation, seq: e.seq, at: e.at, kind: e.kind, event: s.release(e)}
}

// repeat puts the events of a failed batch into a job.
func (s *session) repeat(j *job, b *batch) {
	j.again, j.lanes = true, b.lanes
	for _, l := range b.lanes {
		for _, e := range l.queue {
			if e.batch == b {
				j.items = append(j.items, s.item(l, e))
			}
		}
	}
	slices.SortFunc(j.items, func(a, b item) int { return cmp.Compare(a.seq, b.seq) })
}

// bind makes a batch of events that have failed together for the first time.
func (s *session) bind(items []*item) {
	b := new(batch)
	for _, it := range items {
		b.add(it.lane, s.window.find(it.seq))
	}
}

func (b *batch) add(l *lane, e *entry) {
	e.batch = b
	b.events++
	if l.batch == nil {
		l.batch = b
		b.lanes = append(b.lanes, l)
	}
}

// split takes a batch apart, and returns the lanes that waited for the first one. On disk it stays as it is until something
// happens to its events: a batch that a later process makes of what is left of it has another id.
func (b *batch) split() []*lane {
	attempts := b.lanes[0].attempts
	for _, l := range b.lanes {
		for _, e := range l.queue {
			if e.batch == b {
				e.batch, e.attempts = nil, attempts
			}
		}
		l.batch, l.attempts = nil, attempts
	}
	for _, l := range b.lanes[1:] {
		l.due = time.Time{}
	}
	return b.lanes[1:]
}

// rejoin finds the batch of an event that has failed in an earlier process. The first event of a batch comes first in the
// log; what is left of a batch without it has been tried alone.
func (s *session) rejoin(l *lane, e *entry, row *store.Delivery) {
	b := s.batches[row.Batch]
	switch behind := e != l.first(); {
	case row.Batch == row.Seq && !behind && row.Attempts < splitAfter:
		b = new(batch)
		s.batches[row.Seq] = b
		b.add(l, e)
	case b != nil && (!behind || l.queue[len(l.queue)-2].batch == b): // the customer's events before it are tried with it
		b.add(l, e)
	}
}

// rejoined lets the batches of earlier processes go on once all their events have been read.
func (s *session) rejoined() {
	if s.batches == nil || s.more && s.window.room() > 0 && s.window.read < s.lastKnown {
		return
	}
	for _, first := range slices.Sorted(maps.Keys(s.batches)) {
		b := s.batches[first]
		if b.events == 1 {
			b.split()
		}
		s.lanes.settle(b.lanes[0])
	}
	s.batches = nil
}
