package feed

import (
	"context"
	"slices"
	"time"

	"kabar"
	"kabar/internal/store"
)

// Reader reads several logs as one. It is not safe for concurrent use.
type Reader struct {
	store Store
	logs  []*log
	piece int // events read of a log at once
}

// log is one of them.
type log struct {
	number *kabar.Number
	read   int64             // seq of the last event that was handed out
	ahead  []store.EventRead // read from the store, not handed out
	dry    bool              // there was no more
}

// gathered is how many events of all logs a reader holds, about.
const gathered = 128

// read starts a Reader at a cursor.
func (f *Feed) read(ctx context.Context, numbers []*kabar.Number, at Cursor) (*Reader, error) {
	r := &Reader{store: f.o.Store, piece: max(4, gathered/max(1, len(numbers)))}
	for _, n := range numbers {
		l := &log{number: n, read: at[n.Digits]}
		head, err := f.o.Store.LastSeq(ctx, n.ID)
		if err != nil {
			return nil, err
		}
		l.read = min(l.read, head) // behind it stands a cursor only when the store has come back from an older backup
		r.logs = append(r.logs, l)
	}
	return r, nil
}

// next returns the next event, or one without an event when there is none yet.
func (r *Reader) next(ctx context.Context) (store.EventRead, *kabar.Number, error) {
	var first *log
	for _, l := range r.logs {
		if err := l.fill(ctx, r.store, r.piece); err != nil {
			return store.EventRead{}, nil, err
		}
		if len(l.ahead) > 0 && (first == nil || l.ahead[0].At.Before(first.ahead[0].At)) {
			first = l
		}
	}
	if first == nil {
		return store.EventRead{}, nil, nil
	}
	ev := first.ahead[0]
	first.ahead, first.read = first.ahead[1:], ev.Seq
	return ev, first.number, nil
}

// Again says that logs have grown.
func (r *Reader) Again(grown func(kabar.NumberID) bool) {
	for _, l := range r.logs {
		if grown(l.number.ID) {
			l.dry = false
		}
	}
}

// Cursor says how far has been handed out.
func (r *Reader) Cursor() Cursor {
	c := make(Cursor, len(r.logs))
	for _, l := range r.logs {
		c[l.number.Digits] = l.read
	}
	return c
}

// fill reads the next piece. Events that are gone meanwhile are passed.
func (l *log) fill(ctx context.Context, s Store, piece int) error {
	for !l.dry && len(l.ahead) == 0 {
		all, err := s.ReadEvents(ctx, l.number.ID, store.SpanAfter(l.read), piece)
		if err != nil {
			return err
		}
		l.dry = len(all) < piece
		for _, it := range all {
			if !it.Gone() {
				l.ahead = append(l.ahead, it)
			} else if len(l.ahead) == 0 {
				l.read = it.Seq
			}
		}
	}
	return nil
}

// heads is the cursor behind everything.
func (f *Feed) heads(ctx context.Context, numbers []*kabar.Number) (Cursor, error) {
	c := Cursor{}
	for _, n := range numbers {
		head, err := f.o.Store.LastSeq(ctx, n.ID)
		if err != nil {
			return nil, err
		}
		c[n.Digits] = head
	}
	return c, nil
}

// since is the cursor before what happened at t. The times of customers' messages are their own clocks', so that an event may be told that
// is older.
func (f *Feed) since(ctx context.Context, numbers []*kabar.Number, t time.Time) (Cursor, error) {
	c := Cursor{}
	for _, n := range numbers {
		seq, err := f.o.Store.SeqBefore(ctx, n.ID, t)
		if err != nil {
			return nil, err
		}
		c[n.Digits] = seq
	}
	return c, nil
}

// ofMessage reads those events of a log that tell of one message, oldest first: there are few.
func (f *Feed) ofMessage(ctx context.Context, n kabar.NumberID, seqs []int64) (all []store.EventRead, err error) {
	for _, seq := range slices.Sorted(slices.Values(seqs)) {
		it, err := f.o.Store.ReadEvent(ctx, n, seq)
		switch {
		case store.IsNotFound(err) || err == nil && it.Gone(): // retention or erasure has been here
		case err != nil:
			return nil, err
		default:
			all = append(all, it)
		}
	}
	return all, nil
}
