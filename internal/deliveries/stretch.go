package deliveries

import (
	"context"
	"slices"

	"kabar"
	"kabar/internal/store"
)

// stretch is what was read of the log at once.
type stretch struct {
	*walk
	seqs    []int64 // of events, and of those that have expired
	events  map[int64]store.EventRead
	rows    map[kabar.EndpointID]map[int64]*store.Delivery
	taken   map[kabar.EndpointID]map[int64]store.Taken
	expired map[kabar.EndpointID]map[int64]store.Expired
	last    bool // the log ends here
}

// read reads the next stretch: events, unless only those are asked for of which there are rows.
func (w *walk) read(ctx context.Context) (*stretch, error) {
	p := &stretch{walk: w, events: map[int64]store.EventRead{}, rows: map[kabar.EndpointID]map[int64]*store.Delivery{},
		taken: map[kabar.EndpointID]map[int64]store.Taken{}, expired: map[kabar.EndpointID]map[int64]store.Expired{}, last: true}
	var err error
	switch {
	case w.seqs != nil:
		err = p.named(ctx)
	case w.q.State == Retrying:
		err = p.failing(ctx)
	case w.q.State == Expired:
	default:
		err = p.log(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err := p.missed(ctx); err != nil {
		return nil, err
	}
	slices.Sort(p.seqs)
	p.seqs = slices.Compact(p.seqs)
	if p.span.Newest {
		slices.Reverse(p.seqs)
	}
	if len(p.seqs) > piece { // each source has as many of its next as there are, or a piece: so none of the next is missing
		p.seqs, p.last = p.seqs[:piece], false
	}
	return p, p.beside(ctx)
}

// add notes an event; the walk goes past it also when it is not to be told.
func (p *stretch) add(ev store.EventRead) {
	p.seqs = append(p.seqs, ev.Seq)
	if !ev.Gone() && (p.q.Until.IsZero() || ev.At.Before(p.q.Until)) {
		p.events[ev.Seq] = ev
	}
}

// named reads the events of a message.
func (p *stretch) named(ctx context.Context) error {
	for _, seq := range p.walk.seqs {
		if seq <= p.span.After || seq > p.span.Until {
			continue
		}
		if err := p.readOne(ctx, seq); err != nil {
			return err
		}
	}
	return nil
}

// readOne reads an event. The walk goes past one that is not there, too, which may have expired.
func (p *stretch) readOne(ctx context.Context, seq int64) error {
	ev, err := p.d.o.Store.ReadEvent(ctx, p.number.ID, seq)
	switch {
	case store.IsNotFound(err):
		p.seqs = append(p.seqs, seq)
	case err != nil:
		return err
	default:
		p.add(ev)
	}
	return nil
}

// failing reads the events that endpoints have rows of.
func (p *stretch) failing(ctx context.Context) error {
	for _, e := range p.endpoints {
		for _, state := range []store.DeliveryState{store.Retrying, store.Parked} {
			rows, err := p.d.o.Store.DeliverySeqs(ctx, e.Number, e.ID, state, p.span, piece)
			if err != nil {
				return err
			}
			p.last = p.last && len(rows) < piece
			for _, seq := range rows {
				if err := p.readOne(ctx, seq); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// log reads the next events.
func (p *stretch) log(ctx context.Context) error {
	events, err := p.d.o.Store.ReadEvents(ctx, p.number.ID, p.span, piece)
	if err != nil {
		return err
	}
	for _, ev := range events {
		p.add(ev)
	}
	p.last = len(events) < piece
	return nil
}

// missed reads what has expired, as far as the events reach.
func (p *stretch) missed(ctx context.Context) error {
	if p.q.State != "" && p.q.State != Expired {
		return nil
	}
	for _, e := range p.endpoints {
		p.expired[e.ID] = map[int64]store.Expired{}
		gone, err := p.d.o.Store.Expired(ctx, e.Number, e.ID, p.span, piece)
		if err != nil {
			return err
		}
		p.last = p.last && len(gone) < piece
		for _, x := range gone {
			inTime := (p.q.Since.IsZero() || !x.At.Before(p.q.Since)) && (p.q.Until.IsZero() || x.At.Before(p.q.Until))
			if inTime && (p.walk.seqs == nil || slices.Contains(p.walk.seqs, x.Seq)) {
				p.expired[e.ID][x.Seq] = x
			}
			p.seqs = append(p.seqs, x.Seq)
		}
	}
	return nil
}

// beside reads what the endpoints remember of the events, as little as there is between them.
func (p *stretch) beside(ctx context.Context) error {
	for _, e := range p.endpoints {
		p.rows[e.ID], p.taken[e.ID] = map[int64]*store.Delivery{}, map[int64]store.Taken{}
	}
	for rest := slices.Sorted(slices.Values(p.seqs)); len(rest) > 0; {
		run := 1
		for run < len(rest) && rest[run]-rest[run-1] <= piece {
			run++
		}
		if err := p.between(ctx, rest[0], rest[run-1]); err != nil {
			return err
		}
		rest = rest[run:]
	}
	return nil
}

// between reads it for events that lie close together.
func (p *stretch) between(ctx context.Context, low, high int64) error {
	for _, e := range p.endpoints {
		rows, err := p.d.o.Store.DeliveryHeads(ctx, e.Number, e.ID, low-1, int(high-low+1))
		if err != nil {
			return err
		}
		for _, r := range rows {
			p.rows[e.ID][r.Seq] = r
		}
		taken, err := p.d.o.Store.Taken(ctx, e.Number, e.ID, low-1, high)
		if err != nil {
			return err
		}
		for _, t := range taken {
			p.taken[e.ID][t.Seq] = t
		}
	}
	return nil
}
