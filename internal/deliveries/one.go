package deliveries

import (
	"context"
	"fmt"
	"strings"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/trace"
)

// list adds what was not listed of an event to a page, an endpoint each, and reports whether all of it had room.
func (p *stretch) list(ctx context.Context, seq int64, page *Page) (whole bool, err error) {
	for _, e := range p.endpoints {
		if p.isListed(e.ID) {
			continue
		}
		one, err := p.delivery(ctx, e, seq)
		if err != nil {
			return false, err
		}
		if one == nil || p.q.State != "" && p.q.State != one.State {
			continue
		}
		if len(page.Deliveries) == p.q.Limit {
			return false, nil
		}
		for i := range one.Attempts {
			one.Attempts[i].Answer = nil // a page of them may have megabytes
		}
		page.Deliveries = append(page.Deliveries, *one)
		p.listed = e.ID
	}
	return true, nil
}

// delivery is an event at an endpoint; nil if the event is none for it.
func (p *stretch) delivery(ctx context.Context, e *kabar.Endpoint, seq int64) (*Delivery, error) {
	one := &Delivery{ID: p.d.o.Store.DeliveryID(e.ID, seq), Number: p.number.Digits, Endpoint: p.d.o.Store.PublicEndpoint(e.Group), Attempts: []Attempt{}}
	if x, gone := p.expired[e.ID][seq]; gone {
		one.Type, one.At, one.State = string(x.Type), x.At.UTC(), Expired
		return one, nil
	}
	ev, there := p.events[seq]
	if !there {
		return nil, nil
	}
	one.EventID, one.Type, one.At, one.Customer = p.d.o.Store.EventID(ev.Number, seq, ev.At), string(ev.Type()), ev.At.UTC(), ev.Customer.Handle()
	row, taken := p.rows[e.ID][seq], p.taken[e.ID][seq]
	switch {
	case taken.Seq != 0:
		one.State = Delivered
	case row != nil && row.Attempts > 0 && row.State != store.Finished && e.State == kabar.EndpointDisabled:
		return nil, nil // it is not told any more, whatever becomes of the endpoint
	case row != nil && row.Attempts > 0 && row.State != store.Finished:
		if one.State = Retrying; e.Active() {
			one.Next = row.Due.UTC()
		}
	case row == nil && seq <= e.Mark, row != nil && row.State == store.Finished:
		return nil, nil // it was not wanted
	case !ev.WantedBy(&e.Filter), e.State == kabar.EndpointDisabled:
		return nil, nil
	default:
		one.State = Waiting
	}
	if ev.Broken != nil {
		one.Error = p.d.fault(one, ev.Broken, store.Unreadable+"; the server's log says why")
	}
	if taken.Failed > 0 || one.State == Retrying {
		tries, err := p.d.o.Store.Attempts(ctx, e.Number, e.ID, seq)
		if err != nil {
			return nil, err
		}
		for _, t := range tries {
			one.Attempts = append(one.Attempts, attemptOf(&t))
		}
	}
	if one.State == Delivered {
		one.Attempts = append(one.Attempts, Attempt{N: taken.Failed + 1, At: taken.At.UTC(), TookMS: taken.Took.Milliseconds(), Status: taken.Status})
	}
	return one, nil
}

func attemptOf(t *store.Attempt) Attempt {
	a := Attempt{N: t.N, At: t.At.UTC(), TookMS: t.Took.Milliseconds(), Status: t.Status, Error: t.Error, Batch: t.Batch}
	if t.Broken != nil {
		a.Error = "it failed; what it was answered cannot be read from the store"
	}
	if len(t.Body) > 0 || len(t.Header) > 0 {
		a.Answer = &Answer{t.Header, strings.ToValidUTF8(string(t.Body), "\uFFFD")}
	}
	return a
}

// Place is what a delivery's id names.
type Place struct {
	Endpoint *kabar.Endpoint
	Number   *kabar.Number
	Seq      int64
}

// Find returns what a delivery's id names, if it may be seen.
func (d *Deliveries) Find(ctx context.Context, of trace.Of, id string) (*Place, error) {
	missing := kabar.Refuse(kabar.ReasonNotFound, "delivery", "there is no such delivery; GET /kabar/v1/deliveries lists those there are")
	e, seq, ok := d.o.Store.ParseDeliveryID(id)
	if !ok {
		return nil, missing
	}
	endpoint, err := d.o.Store.Endpoint(ctx, e)
	if store.IsNotFound(err) {
		return nil, missing
	}
	if err != nil {
		return nil, store.Refusal(err)
	}
	n, _, err := d.o.Store.Number(ctx, endpoint.Number)
	if err != nil {
		return nil, store.Refusal(err)
	}
	if !of.Has(n) {
		return nil, missing
	}
	return &Place{endpoint, n, seq}, nil
}

// Get returns a delivery with what is sent and what was answered.
func (d *Deliveries) Get(ctx context.Context, of trace.Of, id string) (*Detail, error) {
	at, err := d.Find(ctx, of, id)
	if err != nil {
		return nil, err
	}
	w := &walk{d: d, q: &Query{Of: of}, number: at.Number, endpoints: []*kabar.Endpoint{at.Endpoint}, seqs: []int64{at.Seq}, span: store.Span{After: at.Seq - 1, Until: at.Seq}}
	p, err := w.read(ctx)
	if err != nil {
		return nil, store.Refusal(err)
	}
	one, err := p.delivery(ctx, at.Endpoint, at.Seq)
	if err != nil {
		return nil, store.Refusal(err)
	}
	if one == nil {
		return nil, kabar.Refuse(kabar.ReasonNotFound, "delivery", "the event is gone, or was none for this endpoint")
	}
	out := &Detail{Delivery: *one}
	if ev, there := p.events[at.Seq]; there && ev.Broken == nil && !at.Endpoint.Redact {
		if err := d.render(ev.Event, at, out); err != nil {
			return nil, store.Refusal(err)
		}
	}
	return out, nil
}

// render makes the body that tells of an event: equal events give equal bytes. One that cannot be put into words says so.
func (d *Deliveries) render(ev *kabar.Event, at *Place, out *Detail) error {
	s, err := d.o.Settings(at.Number.ID)
	if err != nil {
		return fmt.Errorf("settings of a number: %w", err)
	}
	render := d.o.Render[at.Endpoint.Dialect]
	if render == nil {
		return fmt.Errorf("there is no renderer for %q", at.Endpoint.Dialect)
	}
	body, _, err := render(ev, at.Number, s)
	switch {
	case store.IsOutage(err):
		return err
	case err != nil:
		out.Error = d.fault(&out.Delivery, err, fmt.Sprintf("the event cannot be put into words: %v", err))
		return nil
	}
	out.Request = string(body)
	return nil
}

// fault says, for people, why an event cannot be told. What exactly is amiss stands in the log.
func (d *Deliveries) fault(one *Delivery, err error, said string) string {
	d.o.Log.Warn("an event of the log of deliveries cannot be told", "number", one.Number, "event", one.EventID, "type", one.Type, "err", err)
	return said
}
