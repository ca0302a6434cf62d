package feed

import (
	"context"

	"kabar"
	"kabar/internal/trace"
)

// Follower reads logs as they grow. It is not safe for concurrent use.
type Follower struct {
	feed   *Feed
	query  Query
	reader *Reader
	watch  *watch
}

// Follow starts at the query's cursor, at its time, or behind everything when it has neither; it goes on until ctx ends. Limit and Message
// do not apply. Numbers that are added later are not read: start anew from time to time.
func (f *Feed) Follow(ctx context.Context, of trace.Of, q Query) (*Follower, error) {
	if err := f.check(&q); err != nil {
		return nil, err
	}
	numbers, err := f.numbers(ctx, of, q.Number)
	if err != nil {
		return nil, err
	}
	w := f.hub.watch(ctx) // before anything is read, so that nothing falls between
	at, err := f.start(ctx, numbers, q)
	if err == nil && q.After == "" && q.Since.IsZero() {
		at, err = f.heads(ctx, numbers)
	}
	if err != nil {
		return nil, refusal(err)
	}
	r, err := f.read(ctx, numbers, at)
	if err != nil {
		return nil, refusal(err)
	}
	w.signal() // what there is already
	return &Follower{f, q, r, w}, nil
}

// Ready has a value when there may be something to read.
func (w *Follower) Ready() <-chan struct{} { return w.watch.ready }

// Cursor says how far has been read.
func (w *Follower) Cursor() string { return w.reader.Cursor().String() }

// Read hands out what there is, one event after another with the cursor behind it, up to most events looked at; if that was not all, Ready
// has a value again. It ends with the first error of each, or of the store.
func (w *Follower) Read(ctx context.Context, most int, each func(cursor string, e *Entry) error) error {
	grown := w.watch.take()
	w.reader.Again(func(n kabar.NumberID) bool { return grown[n] })
	for range most {
		it, n, err := w.reader.next(ctx)
		if err != nil {
			return refusal(err)
		}
		if it.Event == nil {
			return nil
		}
		if !it.WantedBy(&w.query.Filter) {
			continue
		}
		e, err := w.feed.entry(it, n, w.query.Dialect)
		if err != nil {
			return refusal(err)
		}
		if e == nil {
			continue
		}
		if err := each(w.Cursor(), e); err != nil {
			return err
		}
	}
	w.watch.signal()
	return nil
}
