package main

import (
	"context"

	"kabar"
	"kabar/internal/console"
	"kabar/internal/endpoint"
)

// webhookPages are what the console's pages of endpoints and deliveries work with.
func (s *server) webhookPages() console.Webhooks {
	return console.Webhooks{Endpoints: s.endpoints, Deliveries: s.deliveries, Outgoing: outgoing{s}, Names: s.db, Numbers: s.db.Numbers, Now: s.now}
}

// outgoing tells the console what the dispatcher knows.
type outgoing struct{ s *server }

// Health implements console.Outgoing.
func (o outgoing) Health(ctx context.Context) (func(endpoint.Group) console.Health, error) {
	health, err := o.s.health(ctx)
	if err != nil {
		return nil, err
	}
	return func(g endpoint.Group) console.Health {
		b := health(g)
		return console.Health{Pending: b.Pending, Oldest: b.Oldest, Failing: b.Failing, Parked: b.Parked, Status: b.LastStatus, Error: b.LastError}
	}, nil
}

// Try implements console.Outgoing.
func (o outgoing) Try(ctx context.Context, e *kabar.Endpoint) (*console.Trial, error) {
	t, err := o.s.try(ctx, e)
	if err != nil {
		return nil, err
	}
	return &console.Trial{ID: t.ID, Type: t.Type, Body: t.Body, Status: t.Status, Error: t.Error, Answer: t.Answer, Took: t.Took}, nil
}
