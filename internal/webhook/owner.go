package webhook

import (
	"context"
	"time"

	"kabar"
)

// tellOwner tells the second URL of an endpoint that it was suspended, by the event of the log that says so, and some times if need be.
func (s *session) tellOwner(ctx context.Context, settings kabar.Settings, ev *kabar.Event) {
	if s.to.Notify == "" {
		return
	}
	other := *s.to.Endpoint
	other.Number = ev.Number // in whose log it is: not always that of the session
	other.URL, other.Headers, other.Dialect, other.Certificate, other.CA = s.to.Notify, nil, kabar.Kabar, "", ""
	r := newReader(s.o, &target{Endpoint: &other})
	t := newSession(r, r.to)
	defer t.close()
	number, err := s.o.Number(ev.Number)
	if err != nil {
		s.log.Warn("tell the owner of a webhook endpoint", "err", err)
		return
	}
	render := s.o.Render[kabar.Kabar]
	if render == nil {
		return
	}
	body, _, err := render(ev, number, settings)
	if err != nil {
		s.log.Warn("tell the owner of a webhook endpoint", "err", err)
		return
	}
	id := s.o.Store.EventID(ev.Number, ev.Seq, ev.At) // as the body has it
	req := &request{id: id, body: body, of: []*item{{typ: string(ev.Type()), kind: ev.Kind}}, j: &job{signer: t.sign()}}
	for n := range ownerTries {
		a := t.post(ctx, req)
		if a.err == nil || ctx.Err() != nil {
			return
		}
		s.log.Warn("tell the owner of a webhook endpoint", "attempt", n+1, "err", a.err)
		sleep(ctx, time.Duration(n+1)*ownerPause)
	}
}

// How often the owner of an endpoint is told, and how long lies between the first two attempts.
const (
	ownerTries = 5
	ownerPause = 10 * time.Second
)
