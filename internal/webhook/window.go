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
	held     bool // it is finished, and a plan has left it for the next one
	early    bool // it is told, or was, before the window has got there
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

	early  map[int64]*entry // beyond what has been read, by seq
	passed int              // of those, the ones that are not open
	dirty  []*store.Delivery
}

// plan is what the store is told in one commit.
type plan struct {
	mark int64
	save []*store.Delivery
	drop []int64
	held []*store.Delivery // not in it: finished above the mark, and left for the next one
}

// newWindow returns a window for so many events; zero: windowLimit.
func newWindow(limit int) window {
	return window{limit: cmp.Or(limit, windowLimit), early: map[int64]*entry{}}
}

// begin starts above mark.
func (w *window) begin(mark int64) { w.mark, w.read = mark, mark }

// room returns how many more events may be read.
func (w *window) room() int { return w.limit - len(w.entries) }

// open returns how many events are neither finished nor put aside.
func (w *window) open() int { return len(w.entries) - w.settled }

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

// ahead adds an event beyond what has been read; row as for add.
func (w *window) ahead(h store.EventHead, row *store.Delivery) *entry {
	e := &entry{seq: h.Seq, at: h.At, kind: h.Kind, early: true, row: row != nil}
	w.early[h.Seq] = e
	if row != nil {
		e.attempts = row.Attempts
		w.stand(e, standingOf(row.State))
	}
	return e
}

// waiting returns how many events beyond what has been read are open.
func (w *window) waiting() int { return len(w.early) - w.passed }

// join appends the next event of the log if it is there already, since it was ahead.
func (w *window) join(seq int64) bool {
	e := w.early[seq]
	if e == nil {
		return false
	}
	delete(w.early, seq)
	e.early = false
	w.entries = append(w.entries, e)
	w.read = seq
	if e.standing != open {
		w.passed--
		w.settled++
	}
	return true
}

// catchUp takes over what is there and was left out when the log was read on from an event: it has gone from the log meanwhile, and whoever has
// it in hand will find that out.
func (w *window) catchUp(from int64) {
	if int64(len(w.entries)) >= w.read-w.mark || len(w.early) == 0 {
		return // there are no gaps
	}
	for seq, e := range w.early {
		if seq <= from || seq > w.read {
			continue
		}
		delete(w.early, seq)
		e.early = false
		i, _ := slices.BinarySearchFunc(w.entries, seq, func(e *entry, seq int64) int { return cmp.Compare(e.seq, seq) })
		w.entries = slices.Insert(w.entries, i, e)
		if e.standing != open {
			w.passed--
			w.settled++
		}
	}
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
	count := &w.settled
	if e.early {
		count = &w.passed
	}
	if e.standing != open {
		*count--
	}
	if s != open {
		*count++
	}
	e.standing = s
}

func (w *window) find(seq int64) *entry {
	if seq > w.read {
		return w.early[seq]
	}
	i, ok := slices.BinarySearchFunc(w.entries, seq, func(e *entry, seq int64) int { return cmp.Compare(e.seq, seq) })
	if !ok {
		return nil
	}
	return w.entries[i]
}

// changed reports whether the store has to be told something.
func (w *window) changed() bool {
	return len(w.dirty) > 0 || w.mark < w.read && (len(w.entries) == 0 || w.entries[0].standing != open)
}

// plan returns what the store has to be told now, or nil. What was recorded is in the plan from then on, but for what is held: with hold, what
// is finished above the mark is left for the next plan, once. By then the mark has passed most of it, and it needs no row.
func (w *window) plan(hold bool) *plan {
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
		case hold && d.State == store.Finished && d.Seq > p.mark && w.hold(d.Seq):
			p.held = append(p.held, d)
		case d.State != store.Finished || d.Seq > p.mark:
			p.save = append(p.save, d)
		case d.Seq <= w.mark: // drained: there is no entry, and there is a row
			p.drop = append(p.drop, d.Seq)
		}
	}
	w.dirty = p.held
	if p.mark == w.mark && len(p.save) == 0 && len(p.drop) == 0 {
		return nil
	}
	return p
}

// hold reports whether an event that is finished can be left for the next plan. One that has a row changes with the others of its request.
func (w *window) hold(seq int64) bool {
	e := w.find(seq)
	if e == nil || e.early || e.held || e.row {
		return false
	}
	e.held = true
	return true
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
