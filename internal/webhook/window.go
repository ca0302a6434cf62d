package webhook

import (
	"cmp"
	"slices"
	"time"

	"kabar"
	"kabar/internal/store"
)

// Bounds of what a session remembers.
const (
	windowLimit = 2000 // events above the mark; reading stops there
	page        = 128  // rows read at a time
	readAhead   = 1024 // events kept whole; the others are read again when their turn comes
)

// standing is how an event stands with the endpoint.
type standing int8

const (
	open     standing = iota // not tried, under way, or waiting for another try
	aside                    // its customer is parked: the mark may pass it
	finished                 // the mark may pass it
)

// entry is an event above the mark.
type entry struct {
	seq      int64
	at       time.Time
	standing standing
	row      bool // the store has a row of it
	kind     kabar.EventKind
	attempts int          // failures
	batch    *batch       // in which it has failed; nil: it is tried alone or was not tried
	event    *kabar.Event // read ahead; may be nil
}

// window is the part of the log above the mark that has been read: what is finished in it, and what the store has to be
// told of that. It is bookkeeping only: what a plan says becomes true by apply, after the commit.
type window struct {
	limit   int
	mark    int64    // as the store has it: everything up to it is finished or parked
	read    int64    // the log has been read up to it
	entries []*entry // between the two, in order; seqs may be missing
	settled int      // entries that are not open
	dirty   []*store.Delivery
}

// plan is what the store is told in one commit.
type plan struct {
	mark int64
	save []*store.Delivery
	drop []int64
}

// begin starts above mark.
func (w *window) begin(mark int64) { w.mark, w.read = mark, mark }

// room returns how many more events may be read.
func (w *window) room() int { return w.limit - len(w.entries) }

// add appends the next event of the log. row is what the store remembers of it; nil for one that has not been tried.
func (w *window) add(h store.EventHead, row *store.Delivery) *entry {
	e := &entry{seq: h.Seq, at: h.At, kind: h.Kind, row: row != nil}
	w.entries = append(w.entries, e)
	w.read = h.Seq
	if row != nil {
		e.attempts = row.Attempts
		w.stand(e, standingOf(row.State))
	}
	return e
}

// record notes what has become of an event: a row to store, or, for one that is finished, to forget once the mark is past
// it. A customer's drained event may be below the mark.
func (w *window) record(d *store.Delivery) {
	w.dirty = append(w.dirty, d)
	if e := w.find(d.Seq); e != nil {
		w.stand(e, standingOf(d.State))
	}
}

func standingOf(s store.DeliveryState) standing {
	switch s {
	case store.Finished:
		return finished
	case store.Parked:
		return aside
	default:
		return open
	}
}

func (w *window) stand(e *entry, s standing) {
	if e.standing != open {
		w.settled--
	}
	if s != open {
		w.settled++
	}
	e.standing = s
}

func (w *window) find(seq int64) *entry {
	i, ok := slices.BinarySearchFunc(w.entries, seq, func(e *entry, seq int64) int { return cmp.Compare(e.seq, seq) })
	if !ok {
		return nil
	}
	return w.entries[i]
}

// plan returns what the store has to be told now, or nil. What was recorded is in the plan from then on.
func (w *window) plan() *plan {
	p := &plan{mark: w.read}
	for _, e := range w.entries {
		if e.standing == open {
			p.mark = e.seq - 1
			break
		}
		if e.standing == finished && e.row {
			p.drop = append(p.drop, e.seq)
		}
	}
	if len(w.dirty) == 0 && p.mark == w.mark {
		return nil
	}
	for _, d := range w.dirty {
		switch {
		case d.State != store.Finished || d.Seq > p.mark:
			p.save = append(p.save, d)
		case d.Seq <= w.mark: // drained: there is no entry, and there is a row
			p.drop = append(p.drop, d.Seq)
		}
	}
	w.dirty = nil
	return p
}

// apply notes that a plan has been committed.
func (w *window) apply(p *plan) {
	for len(w.entries) > 0 && w.entries[0].seq <= p.mark {
		w.entries[0] = nil
		w.entries = w.entries[1:]
		w.settled--
	}
	w.mark = p.mark
	for _, d := range p.save {
		if e := w.find(d.Seq); e != nil {
			e.row = true
		}
	}
}

// delivery returns a row of an event.
func (r *reader) delivery(seq int64, c kabar.ConversationID, s store.DeliveryState) *store.Delivery {
	return &store.Delivery{Endpoint: r.id, Seq: seq, Account: r.account, Number: r.number, Conversation: c, State: s}
}
