package endpoint

import (
	"context"
	"slices"

	"kabar"
	"kabar/internal/store"
)

// Change changes an endpoint. do may be called more than once.
func (es *Endpoints) Change(ctx context.Context, id kabar.EndpointID, do func(*kabar.EndpointConfig) error) (Group, error) {
	change := func(c *kabar.EndpointConfig) error {
		was := c.Filter.Customers
		if err := do(c); err != nil || slices.Equal(was, c.Filter.Customers) {
			return err
		}
		return es.tidy(&c.Filter)
	}
	g, next, err := es.changed(ctx, id, change)
	if err != nil {
		return nil, err
	}
	if err := es.check(ctx, g.First().Dialect, next, g.First().URL); err != nil { // it may ask the application, and nobody waits for that
		return nil, err
	}
	es.changing.Lock()
	defer es.changing.Unlock()
	g, now, err := es.changed(ctx, id, change)
	if err != nil {
		return nil, err
	}
	revived := g.First().State == kabar.EndpointDisabled && now.State != kabar.EndpointDisabled
	if revived { // what was not told before it was disabled is not told either
		for _, e := range g {
			if err := es.o.Store.DropDeliveries(ctx, e.ID); err != nil {
				return nil, store.Refusal(err)
			}
		}
	}
	return es.replace(ctx, g, func(tx *store.Tx, e *kabar.Endpoint) error {
		if revived {
			if err := tx.Skip(e.Number, e.ID); err != nil {
				return err
			}
		}
		var was, is kabar.EndpointState
		err := tx.ChangeEndpoint(e.Number, e.ID, func(c *kabar.EndpointConfig) error {
			was = stateOf(c)
			if err := change(c); err != nil {
				return err
			}
			c.Token = next.Token // made for the challenge
			is = stateOf(c)
			return nil
		})
		if err != nil || is == was || e != g.First() {
			return err
		}
		_, err = es.tell(ctx, tx, e, is, "")
		return err
	})
}

// tell adds the event that an endpoint is in another state, caused by whoever does what ctx is of. It stands in the log of the first number,
// once for all.
func (es *Endpoints) tell(ctx context.Context, tx *store.Tx, first *kabar.Endpoint, to kabar.EndpointState, reason string) (*kabar.Event, error) {
	ev := first.Changed(es.o.Store.PublicEndpoint(first.Group), to, reason, store.Actor(ctx), es.o.Now())
	return ev, tx.AddEvent(ev)
}

// changed returns an endpoint, and what a change would make of it.
func (es *Endpoints) changed(ctx context.Context, id kabar.EndpointID, change func(*kabar.EndpointConfig) error) (Group, *kabar.EndpointConfig, error) {
	g, err := es.Get(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	next := g.First().EndpointConfig
	if err := change(&next); err != nil {
		return nil, nil, err
	}
	if was := g.First(); next.URL != was.URL && was.Origin != kabar.FromAPI {
		return nil, nil, kabar.Refuse(kabar.ReasonEndpointState, "url", "%s", elsewhere(was.Origin))
	}
	return g, &next, nil
}

// elsewhere says where a URL is managed.
func elsewhere(o kabar.EndpointOrigin) string {
	if o == kabar.FromSettings {
		return "this endpoint is the webhooks.url of the number's settings: change it with PATCH /v1/settings/application"
	}
	return "this endpoint is the subscription of the Cloud API: change it with POST /{app}/subscriptions, or the number's override"
}

// replace commits a change of every row, and returns what has become of them.
func (es *Endpoints) replace(ctx context.Context, g Group, change func(*store.Tx, *kabar.Endpoint) error) (Group, error) {
	err := es.write(ctx, func(tx *store.Tx) error {
		for _, e := range g {
			if err := change(tx, e); err != nil && !store.IsNotFound(err) {
				return err
			}
		}
		tx.After(func() { es.wake(g.Numbers()) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, e := range g {
		es.touched[e.ID] = es.o.Now()
	}
	return es.Get(ctx, g.First().Group)
}

// Remove removes an endpoint for good: what waits for it is not sent. One that is managed elsewhere stays.
func (es *Endpoints) Remove(ctx context.Context, id kabar.EndpointID) error {
	es.changing.Lock()
	defer es.changing.Unlock()
	g, err := es.Get(ctx, id)
	if err != nil {
		return err
	}
	if o := g.First().Origin; o != kabar.FromAPI {
		return kabar.Refuse(kabar.ReasonEndpointState, "endpoint", "%s", elsewhere(o))
	}
	replays, err := es.Replays(ctx, g)
	if err != nil {
		return err
	}
	return es.write(ctx, func(tx *store.Tx) error {
		for _, r := range replays {
			if err := tx.ChangeReplay(r.Number, r.ID, es.cancel); err != nil && !store.IsNotFound(err) {
				return err
			}
		}
		for _, e := range g {
			if err := tx.RemoveEndpoint(e.Number, e.ID); err != nil && !store.IsNotFound(err) {
				return err
			}
		}
		if _, err := es.tell(ctx, tx, g.First(), kabar.EndpointRemoved, ""); err != nil {
			return err
		}
		tx.After(func() { es.wake(g.Numbers()) })
		return nil
	})
}
