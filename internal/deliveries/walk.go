package deliveries

import (
	"context"
	"math"

	"kabar"
	"kabar/internal/store"
)

// walk goes through the log of one number.
type walk struct {
	d         *Deliveries
	q         *Query
	number    *kabar.Number
	endpoints []*kabar.Endpoint
	seqs      []int64          // of a message; nil: all
	span      store.Span       // what is left of the log
	part      int64            // the event of which the page before has listed some endpoints
	listed    kabar.EndpointID // the last of them; 0: none
}

// piece is how many events are read at a time.
const piece = 200

// from goes on where a page has ended. It reports whether anything of the log comes behind that.
func (w *walk) from(at spot) bool {
	switch {
	case at.number == 0:
		return true
	case w.number.ID != at.number:
		return w.number.ID > at.number != w.span.Newest
	case w.span.Newest:
		w.span.Until, w.part = at.seq, at.seq
	default:
		w.span.After, w.part = at.seq, at.seq+1
	}
	w.listed = at.endpoint
	return true
}

// spot is where the walk has come to.
func (w *walk) spot() spot {
	if w.span.Newest {
		return spot{Newest, w.number.ID, w.span.Until, w.listed}
	}
	return spot{Oldest, w.number.ID, w.span.After, w.listed}
}

// pass goes past an event.
func (w *walk) pass(seq int64) {
	w.listed = 0
	if w.span.Newest {
		w.span.Until = seq - 1
	} else {
		w.span.After = seq
	}
}

// isListed reports whether an endpoint of the event at hand is on a page already.
func (w *walk) isListed(e kabar.EndpointID) bool {
	if w.listed == 0 {
		return false
	}
	if w.span.Newest { // the endpoints come backwards, too
		return e >= w.listed
	}
	return e <= w.listed
}

// stay goes right before an event of which some endpoints have been listed.
func (w *walk) stay(seq int64) {
	if w.span.Newest {
		w.span.Until = seq
	} else {
		w.span.After = seq - 1
	}
}

// fill adds deliveries to a page until it is full or scan events have been looked at. It reports whether the log is through.
func (w *walk) fill(ctx context.Context, page *Page, scan *int) (done bool, err error) {
	if err := w.narrow(ctx); err != nil {
		return false, err
	}
	for len(page.Deliveries) < w.q.Limit && *scan > 0 {
		p, err := w.read(ctx)
		if err != nil {
			return false, err
		}
		*scan -= max(len(p.seqs), 1)
		for _, seq := range p.seqs {
			if seq != w.part {
				w.listed = 0
			}
			whole, err := p.list(ctx, seq, page)
			if err != nil {
				return false, err
			}
			if whole {
				w.pass(seq)
			} else {
				w.stay(seq)
			}
			if len(page.Deliveries) == w.q.Limit {
				return false, nil
			}
		}
		if p.last {
			return true, nil
		}
	}
	return false, nil
}

// narrow takes from the span what cannot be asked for, at both ends: in either order the same is left.
func (w *walk) narrow(ctx context.Context) error {
	for _, bounds := range []func(context.Context) (low, high int64, err error){w.ofState, w.ofTime} {
		low, high, err := bounds(ctx)
		if err != nil {
			return err
		}
		w.span.After, w.span.Until = max(w.span.After, low), min(w.span.Until, high)
	}
	return nil
}

// ofTime says between which seqs the events of the time lie that is asked for.
func (w *walk) ofTime(ctx context.Context) (low, high int64, err error) {
	high = math.MaxInt64
	if !w.q.Since.IsZero() {
		low, err = w.d.o.Store.SeqBefore(ctx, w.number.ID, w.q.Since)
	}
	if err == nil && !w.q.Until.IsZero() {
		high, err = w.d.o.Store.SeqUntil(ctx, w.number.ID, w.q.Until)
	}
	return low, high, err
}

// ofState says between which seqs the events lie that can be in the state that is asked for. Of what has failed or expired there are rows, and
// nothing else is read.
func (w *walk) ofState(ctx context.Context) (low, high int64, err error) {
	high = math.MaxInt64
	switch w.q.State {
	case Waiting:
		low, err = w.leastWaiting(ctx)
	case Delivered:
		high, err = w.mostTaken(ctx)
	case Retrying, Expired:
	}
	return low, high, err
}

// leastWaiting is a seq above which all events lie that wait: they are above the marks, but for parked customers', which have rows.
func (w *walk) leastWaiting(ctx context.Context) (int64, error) {
	least := w.endpoints[0].Mark
	for _, e := range w.endpoints {
		parked, err := w.d.o.Store.DeliverySeqs(ctx, e.Number, e.ID, store.Parked, store.SpanAfter(0), 1)
		if err != nil {
			return 0, err
		}
		if least = min(least, e.Mark); len(parked) > 0 {
			least = min(least, parked[0]-1)
		}
	}
	return least, nil
}

// mostTaken is the highest seq that an endpoint has taken: behind a backlog it may lie far from the newest.
func (w *walk) mostTaken(ctx context.Context) (most int64, err error) {
	for _, e := range w.endpoints {
		seq, err := w.d.o.Store.HighestTaken(ctx, e.Number, e.ID)
		if err != nil {
			return 0, err
		}
		most = max(most, seq)
	}
	return most, nil
}
