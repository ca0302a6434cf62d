package endpoint

import (
	"context"
	"slices"
	"time"

	"kabar"
	"kabar/internal/store"
)

// Suspend has an endpoint sent nothing until somebody activates it, and tells those who read its number's log. It is for the dispatcher, and
// returns the event that tells of it. There is none when an endpoint that is not active, has another URL by now, or takes events of another
// number, stays as it is.
func (es *Endpoints) Suspend(ctx context.Context, e *kabar.Endpoint, why kabar.Suspension) (*kabar.Event, error) {
	es.changing.Lock()
	defer es.changing.Unlock()
	g, err := es.Get(ctx, e.Group)
	if err != nil {
		return nil, err
	}
	first := g.First()
	i := slices.IndexFunc(g, func(row *kabar.Endpoint) bool { return row.ID == e.ID })
	if i < 0 || !first.Active() || g[i].URL != e.URL || !g[i].Since.Equal(e.Since) { // each row has a Since of its own
		return nil, nil // whoever asks has failed at what it was before
	}
	if works, err := es.works(ctx, g, why.Since); works || err != nil {
		return nil, err
	}
	var told *kabar.Event
	now := es.o.Now()
	err = es.write(ctx, func(tx *store.Tx) error {
		for _, row := range g {
			err := tx.ChangeEndpoint(row.Number, row.ID, func(c *kabar.EndpointConfig) error {
				c.Become(kabar.EndpointSuspended, why.Reason, now)
				return nil
			})
			if err != nil && !store.IsNotFound(err) {
				return err
			}
		}
		tx.After(func() { es.wake(g.Numbers()) })
		ev, err := es.tell(ctx, tx, first, kabar.EndpointSuspended, why.Reason)
		told = ev // of the run that is committed: it is the last
		return err
	})
	if err != nil {
		return nil, err
	}
	return told, nil
}

// works reports whether one of an endpoint's rows has taken something since a time; zero: that does not matter.
func (es *Endpoints) works(ctx context.Context, g Group, since time.Time) (bool, error) {
	if since.IsZero() {
		return false, nil
	}
	for _, e := range g {
		last, err := es.o.Store.LastTaken(ctx, e.Number, e.ID)
		if err != nil {
			return false, store.Refusal(err)
		}
		if last.After(since) {
			return true, nil
		}
	}
	return false, nil
}
