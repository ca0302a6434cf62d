package webhook

import (
	"context"
	"reflect"

	"kabar"
	"kabar/internal/store"
)

// target is where a reader's events go: an endpoint, and the replay it is for, if it is for one.
type target struct {
	*kabar.Endpoint
	replay *store.Replay // nil: the endpoint's own reader
	behind bool          // another replay of the endpoint is under way: this one waits for its end
}

// id is that of the reader: its mark and its rows.
func (t *target) id() kabar.EndpointID {
	if t.replay != nil {
		return t.replay.ID
	}
	return t.ID
}

// active reports whether events are sent now.
func (t *target) active() bool {
	return t.Active() && (t.replay == nil || t.replay.State == store.ReplayRunning && !t.behind)
}

// same reports whether two say the same of how events are sent, whatever their marks.
func (t *target) same(other *target) bool {
	return t.active() == other.active() && reflect.DeepEqual(t.EndpointConfig, other.EndpointConfig)
}

// targets returns those of a number: its endpoints, and its replays that have not ended. Of an endpoint's replays one is told at a time, so
// that each customer's order holds among them, too.
func (d *Dispatcher) targets(ctx context.Context, n kabar.NumberID) ([]*target, error) {
	endpoints, err := d.o.Store.Endpoints(ctx, n)
	if err != nil {
		return nil, err
	}
	replays, err := d.o.Store.LiveReplays(ctx, n)
	if err != nil {
		return nil, err
	}
	var all []*target
	for _, ep := range endpoints {
		all = append(all, &target{Endpoint: ep})
		behind := false
		for _, r := range replays {
			if r.Endpoint == ep.ID {
				all = append(all, &target{ep, r, behind})
				behind = behind || r.State == store.ReplayRunning
			}
		}
	}
	return all, nil
}
