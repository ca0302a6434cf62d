package engine

import (
	"context"
	"time"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/store"
)

// outageAfter is how long a number's connection is away before applications are told: what comes back sooner is none of their
// business (contract On-Premises API, section 1.7: unhealthy_interval).
const outageAfter = 30 * time.Second

// outageEvery is how often the connections are looked at.
const outageEvery = 10 * time.Second

// watchLink tells of every time that a number's connection is away for long, once an outage, until ctx ends. It measures by the
// product's clock, from the last look before the loss, or from when it began: the network's own time may be another.
func (e *Engine) watchLink(ctx context.Context, n kabar.NumberID, began time.Time) error {
	stood, looked, told := began, began, false
	var lost time.Time // since when it is away, as the network says; zero: it stands
	for {
		now := e.now() // before the look: a clock that is shifted behind it ends the wait
		switch connected, since := e.Link(n); {
		case connected:
			stood, told, lost = now, false, time.Time{}
		case lost.IsZero():
			lost = since
		case !since.Equal(lost): // it has stood since the last look
			stood, told, lost = looked, false, since
		}
		looked = now
		if !lost.IsZero() && !told && now.Sub(stood) >= outageAfter+outageEvery {
			if err := e.tellOutage(ctx, n); err == nil {
				told = true
			} else if ctx.Err() == nil {
				e.log.WarnContext(ctx, "tell of an outage", "error", err) // again with the next look
			}
		}
		if err := e.Until(ctx, now.Add(outageEvery)); err != nil {
			return err
		}
	}
}

// tellOutage tells of an outage of a number's connection, unless the number has not been verified.
func (e *Engine) tellOutage(ctx context.Context, n kabar.NumberID) error {
	l, err := e.line(n)
	if err != nil {
		return err
	}
	state := e.registration(l)
	if state == network.RegistrationUnproved {
		return nil
	}
	return e.tellFault(ctx, l, outage(state))
}

// outage says why a connection is away. It does not say what the network has answered: that may name the number.
func outage(state network.Registration) string {
	if state == network.RegistrationRefused {
		return "The network does not admit the number any more. The server's log says why."
	}
	return "The network has not been reachable for 30 seconds. Messages are accepted, and wait."
}

// tellFault adds the event of a fault that concerns no message.
func (e *Engine) tellFault(ctx context.Context, l *line, detail string) error {
	n := l.number
	return e.db.Write(ctx, func(tx *store.Tx) { tx.WantSeq(n.ID) }, func(tx *store.Tx) error {
		return e.addEvent(tx, l, &kabar.Event{Account: n.Account, Number: n.ID, Kind: kabar.EventFault, At: e.now(),
			Failure: kabar.ReasonInternal, Detail: detail})
	})
}
