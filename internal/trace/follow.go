package trace

import (
	"cmp"
	"context"

	"kabar"
	"kabar/internal/store"
)

// follow adds what the events of a message tell: when it came how far, and which endpoints know.
func (t *Tracer) follow(ctx context.Context, m *kabar.Message, out *Message) error {
	first := Step{Status: "accepted", At: m.At.UTC()}
	if m.Direction == kabar.Inbound {
		first.Status = "received"
	}
	out.Timeline = []Step{first}
	endpoints, err := t.db.Endpoints(ctx, m.Number)
	if err != nil {
		return err
	}
	for _, seq := range m.Events {
		e, err := t.db.ReadEvent(ctx, m.Number, seq)
		if store.IsNotFound(err) || err == nil && e.Gone() {
			continue // retention or erasure has been here
		}
		if err != nil {
			return err
		}
		what, fault := out.step(e)
		for _, ep := range endpoints {
			d, err := t.delivery(ctx, ep, seq)
			if err != nil {
				return err
			}
			d.What, d.Error = what, fault
			out.Deliveries = append(out.Deliveries, d)
		}
	}
	return nil
}

// step adds what an event tells, and returns what that is called; of a broken one only its kind is known, and fault says so.
func (m *Message) step(e store.EventRead) (what, fault string) {
	what = string(e.Kind)
	step := Step{At: e.At.UTC(), Event: e.Seq}
	if e.Broken != nil {
		fault = store.Unreadable
		step.Error = fault
	}
	switch {
	case e.Kind == kabar.EventStatus && e.Broken != nil:
		step.Status = "unknown"
	case e.Kind == kabar.EventStatus:
		step.Status = e.Status.String()
		what += " " + step.Status
		m.Judged.Category = cmp.Or(e.Category, m.Judged.Category)
	case e.Kind == kabar.EventDeleted:
		step.Status = "deleted"
	default:
		return what, fault
	}
	m.Timeline = append(m.Timeline, step)
	return what, fault
}

// delivery says how an event stands with an endpoint.
func (t *Tracer) delivery(ctx context.Context, ep *kabar.Endpoint, seq int64) (Delivery, error) {
	d := Delivery{Event: seq, Endpoint: ep.URL, Dialect: string(ep.Dialect), State: "waiting"}
	if seq <= ep.Mark {
		d.State = "done"
	}
	row, err := t.db.Delivery(ctx, ep.Number, ep.ID, seq)
	if store.IsNotFound(err) {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	switch row.State {
	case store.Finished:
		d.State = "done"
	case store.Retrying:
		d.State = "retrying"
	case store.Parked:
		d.State = "parked"
	}
	d.Failures, d.Answer = row.Attempts, row.Answer
	if d.State != "done" {
		d.Next = row.Due
	}
	return d, nil
}
