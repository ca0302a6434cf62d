package trace

import (
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
		e, err := t.db.Event(ctx, m.Number, seq)
		if store.IsNotFound(err) {
			continue // retention has been here
		}
		if err != nil {
			return err
		}
		what := string(e.Kind)
		if e.Kind == kabar.EventStatus {
			what += " " + e.Status.String()
			out.Timeline = append(out.Timeline, Step{e.Status.String(), e.At.UTC(), seq})
			if e.Category != "" {
				out.Judged.Category = e.Category
			}
		} else if e.Kind == kabar.EventDeleted {
			out.Timeline = append(out.Timeline, Step{"deleted", e.At.UTC(), seq})
		}
		for _, ep := range endpoints {
			d, err := t.delivery(ctx, ep, seq)
			if err != nil {
				return err
			}
			d.What = what
			out.Deliveries = append(out.Deliveries, d)
		}
	}
	return nil
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
