// Package deliveries tells what became of events at endpoints: what waits, what has failed and is tried again, what was taken and when, what
// retention has taken first; with what was sent and what was answered.
//
// It reads the store and changes nothing. Nothing of a delivery is written down twice: whether an event waits follows from the endpoint's
// mark and the rows above it, what was taken stands in the log that was written with the mark, failed attempts stand in full beside it. An
// event that an endpoint's filter or its number's settings did not want is no delivery.
package deliveries

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"slices"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/trace"
)

// State is how an event stands with an endpoint.
type State string

// The states.
const (
	Waiting   State = "waiting"   // it has not been tried
	Retrying  State = "retrying"  // it has failed, and will be tried again
	Delivered State = "delivered" // the endpoint has taken it
	Expired   State = "expired"   // retention has taken it before the endpoint had it
)

// Delivery is an event at an endpoint.
type Delivery struct {
	ID       string    `json:"id"`
	EventID  string    `json:"event_id,omitempty"` // of an event that has expired there is none any more
	Type     string    `json:"type"`
	At       time.Time `json:"at"` // when the event happened
	Number   string    `json:"number"`
	Customer string    `json:"customer,omitempty"` // wa_id or BSUID
	Endpoint string    `json:"endpoint"`
	State    State     `json:"state"`
	Attempts []Attempt `json:"attempts"` // oldest first; of those that failed the last 20
	Next     time.Time `json:"next_attempt,omitzero"`
	Error    string    `json:"error,omitempty"` // the event cannot be read or put into words, and why: then its customer and what is sent are missing
}

// Attempt is an attempt to deliver.
type Attempt struct {
	N      int       `json:"n"` // from 1
	At     time.Time `json:"at"`
	TookMS int64     `json:"took_ms"`
	Status int       `json:"status,omitzero"` // of the answer; none: there was no answer
	Error  string    `json:"error,omitempty"` // none: it was taken
	Batch  int       `json:"batch,omitzero"`  // events in the request, if there were others

	Answer *Answer `json:"answer,omitempty"` // of one that failed, when a single delivery is asked for
}

// Answer is what an attempt was answered.
type Answer struct {
	Header map[string][]string `json:"header,omitempty"`
	Body   string              `json:"body"` // its first 4 KiB
}

// Detail is a delivery with what is sent.
type Detail struct {
	Delivery
	Request string `json:"request,omitempty"` // the body; none when the endpoint redacts its log, or the event is gone
}

// Query says which deliveries are listed.
type Query struct {
	Of           trace.Of
	Endpoint     kabar.EndpointID // its group; 0: all
	State        State            // empty: all
	Message      string           // a message's public id, whose events are meant; empty: all
	Since, Until time.Time        // of the event; zero: without bound
	Order        Order            // empty: the oldest first
	After        string           // where the page before ended, in the same order
	Limit        int              // 1 to 200; 0: 50
}

// Limits of a page.
const (
	MaxList     = 200
	defaultList = 50
	maxScan     = 4000 // events that are looked at for one page: a page may be short, and still not the last
)

// Page is a page of deliveries, a number after the other.
type Page struct {
	Deliveries []Delivery `json:"deliveries"`
	Next       string     `json:"next,omitempty"` // empty: it was the last
}

// Renderer makes the body that tells of an event, as webhook.Renderer does.
type Renderer = func(ev *kabar.Event, n *kabar.Number, s kabar.Settings) (body []byte, wanted bool, err error)

// Options are what the package works with; all are required.
type Options struct {
	Store    *store.DB
	Messages *trace.Tracer
	Render   map[kabar.Dialect]Renderer
	Settings func(kabar.NumberID) (kabar.Settings, error)
	Log      *slog.Logger
}

// Deliveries are those of a server. All methods are safe for concurrent use.
type Deliveries struct{ o Options }

// New returns them.
func New(o Options) *Deliveries { return &Deliveries{o} }

// List returns a page of deliveries.
func (d *Deliveries) List(ctx context.Context, q Query) (*Page, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	if q.Limit == 0 {
		q.Limit = defaultList
	}
	q.Order = cmp.Or(q.Order, Oldest)
	from, err := parseSpot(q.After, q.Order)
	if err != nil {
		return nil, err
	}
	walks, err := d.walks(ctx, &q)
	if err != nil {
		return nil, store.Refusal(err)
	}
	page := &Page{Deliveries: []Delivery{}}
	scan := maxScan
	for _, w := range walks {
		if !w.from(from) {
			continue
		}
		done, err := w.fill(ctx, page, &scan)
		if err != nil {
			return nil, store.Refusal(err)
		}
		if !done {
			page.Next = w.spot().String()
			break
		}
	}
	return page, nil
}

func (q *Query) check() error {
	switch q.State {
	case "", Waiting, Retrying, Delivered, Expired:
	default:
		return kabar.Refuse(kabar.ReasonInvalid, "state", "%q is unknown; there are waiting, retrying, delivered and expired", string(q.State))
	}
	if q.Order != "" && q.Order != Oldest && q.Order != Newest {
		return kabar.Refuse(kabar.ReasonInvalid, "order", "%q is unknown; there are oldest and newest", string(q.Order))
	}
	if q.Limit < 0 || q.Limit > MaxList {
		return kabar.Refuse(kabar.ReasonInvalid, "limit", "is %d, it must be 1 to %d", q.Limit, MaxList)
	}
	return nil
}

// walks are the logs that are gone through, by number, in the order that is asked for.
func (d *Deliveries) walks(ctx context.Context, q *Query) ([]*walk, error) {
	numbers, err := d.o.Store.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	var of kabar.NumberID
	var seqs []int64
	if q.Message != "" {
		if of, seqs, err = d.o.Messages.Events(ctx, q.Of, q.Message); err != nil {
			return nil, err
		}
		seqs = append([]int64{}, seqs...) // one without events has none: nil would be all
	}
	var all []*walk
	for _, n := range numbers {
		if !q.Of.Has(n) || of != 0 && of != n.ID {
			continue
		}
		w := &walk{d: d, q: q, number: n, seqs: seqs, span: store.Span{Until: math.MaxInt64, Newest: q.Order == Newest}}
		if w.endpoints, err = d.endpoints(ctx, n.ID, q.Endpoint); err != nil {
			return nil, err
		}
		if len(w.endpoints) > 0 {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b *walk) int { return cmp.Compare(a.number.ID, b.number.ID) })
	if q.Order == Newest {
		slices.Reverse(all)
		for _, w := range all {
			slices.Reverse(w.endpoints)
		}
	}
	return all, nil
}

// endpoints are those of a number that are asked for.
func (d *Deliveries) endpoints(ctx context.Context, n kabar.NumberID, group kabar.EndpointID) ([]*kabar.Endpoint, error) {
	all, err := d.o.Store.Endpoints(ctx, n)
	if err != nil || group == 0 {
		return all, err
	}
	return slices.DeleteFunc(all, func(e *kabar.Endpoint) bool { return e.Group != group }), nil
}
