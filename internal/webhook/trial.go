package webhook

import (
	"context"
	"fmt"
	"time"

	"kabar"
)

// Trial is what came of an event that was made up to see whether an endpoint takes events.
type Trial struct {
	ID     string // its webhook-id
	Type   string
	Body   []byte // what was sent
	Status int    // of the answer; 0: there was none
	Error  string // why it counts as failed; empty: it was taken
	Answer []byte // its beginning, if it has failed
	Took   time.Duration
}

// Try sends an endpoint an event that nobody has caused: a customer's text, in the endpoint's dialect, with the header kabar-test. It goes
// beside the log: nothing is noted, nothing is tried again. An endpoint that is not active is tried, too.
func (d *Dispatcher) Try(ctx context.Context, e *kabar.Endpoint) (*Trial, error) {
	number, err := d.o.Number(e.Number)
	if err != nil {
		return nil, err
	}
	render := d.o.Render[e.Dialect]
	if render == nil {
		return nil, fmt.Errorf("there is no renderer for %q", e.Dialect)
	}
	ev, err := d.madeUp(number)
	if err != nil {
		return nil, err
	}
	settings, err := d.o.Settings(e.Number)
	if err != nil {
		return nil, err
	}
	body, _, err := render(ev, number, settings)
	if err != nil {
		return nil, err
	}
	r := newReader(&d.o, &target{Endpoint: e})
	s := newSession(r, r.to)
	s.settings = settings
	defer s.close()
	start := time.Now()                          // real time, as the application sees it
	id := s.o.Store.EventID(number.ID, 0, ev.At) // no event of the log has this seq
	a := s.post(ctx, &request{id: id, body: body, of: []*item{{typ: string(ev.Type()), kind: ev.Kind}}, j: &job{signer: s.sign()}, trial: true})
	t := &Trial{ID: id, Type: string(ev.Type()), Body: body, Status: a.status, Answer: a.body, Took: time.Since(start)}
	if a.err != nil {
		t.Error = answerOf(&result{answer: a}, &item{})
	}
	return t, nil
}

// madeUp is an event of a customer whom there is not.
func (d *Dispatcher) madeUp(n *kabar.Number) (*kabar.Event, error) {
	content, err := kabar.Snapshot(&kabar.Text{Body: "This is a test of your webhook. No customer has written this."})
	if err != nil {
		return nil, err
	}
	now := d.o.Now()
	return &kabar.Event{Account: n.Account, Number: n.ID, Kind: kabar.EventMessage, At: now, Customer: kabar.Customer{WaID: "15550000000", Name: "Webhook Test"},
		Ref: d.o.Store.Ref(kabar.MessageID(now.UnixMilli())), Content: content}, nil
}
