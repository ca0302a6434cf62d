package endpoint

import (
	"cmp"
	"context"
	"time"

	"kabar"
	"kabar/internal/store"
)

// askedAgain is how long after its end a replay stands for the same request: long enough for who has seen no answer, and short enough for who
// tries out an application.
const askedAgain = 10 * time.Second

// Range says which events of an endpoint are to be told once more: those that happened from Since on and before Until (the zero time: all
// there are until now), or the one that Event names.
type Range struct {
	Since, Until time.Time
	Number       kabar.NumberID // of Event
	Event        int64          // a seq; 0: by time
}

// Replay has an endpoint told of events once more, beside what it is told of anyway, and returns a replay a number; fresh says that one has
// begun. Nothing is told by two replays at a time. One that is under way and will tell all that is asked for is returned instead of another,
// and of more events than one has that begins with the same, only the rest begins. Where one will tell another part of them, it is refused.
// For some seconds after its end a replay counts as one under way for whoever asks for the same again, since no answer may have come.
func (es *Endpoints) Replay(ctx context.Context, id kabar.EndpointID, r Range) (all []*store.Replay, fresh bool, err error) {
	g, err := es.Get(ctx, id)
	if err != nil {
		return nil, false, err
	}
	if !g.First().Active() {
		return nil, false, kabar.Refuse(kabar.ReasonEndpointState, "state", "is %s: activate the endpoint first, or nothing would be sent", stateOf(&g.First().EndpointConfig))
	}
	es.changing.Lock()
	defer es.changing.Unlock()
	all = []*store.Replay{}
	for _, e := range g {
		if r.Event != 0 && e.Number != r.Number {
			continue
		}
		one, err := es.plan(ctx, e, r)
		if err != nil {
			return nil, false, err
		}
		if one != nil {
			all = append(all, one)
			fresh = fresh || one.ID == 0
		}
	}
	if !fresh {
		return all, false, nil
	}
	planned := all
	err = es.write(ctx, func(tx *store.Tx) error {
		all = []*store.Replay{} // the writer may run an operation again
		for _, p := range planned {
			one := *p
			if p.ID == 0 {
				if err := tx.AddReplay(&one, es.o.Now()); err != nil {
					return err
				}
				tx.After(func() { es.o.Wake(one.Number) })
			}
			all = append(all, &one)
		}
		return nil
	})
	//failpoint:replay-begun
	return all, true, err
}

// plan returns the replay that is to begin, without an ID, or the one under way that does what is asked for; nil if there is nothing to tell.
func (es *Endpoints) plan(ctx context.Context, e *kabar.Endpoint, r Range) (*store.Replay, error) {
	since, until, err := es.seqs(ctx, e.Number, r)
	if err != nil {
		return nil, store.Refusal(err)
	}
	if until <= since {
		return nil, nil
	}
	all, err := es.o.Store.Replays(ctx, e.Number)
	if err != nil {
		return nil, store.Refusal(err)
	}
	now := es.o.Now()
	for _, other := range all {
		told := es.standsFor(other, r, now)
		if other.Endpoint != e.ID || !other.Live() && !told {
			continue
		}
		ahead := max(other.Mark, other.Since) // it tells what is behind this
		switch {
		case (since >= ahead && !told || since == other.Since) && until <= other.Until:
			return other, nil
		case since == other.Since:
			since = other.Until
		case !told && since < other.Until && until > ahead:
			return nil, kabar.Refuse(kabar.ReasonEndpointState, "since", "is about events of which the replay %s, which is %s, tells some: wait until it is done, or cancel it",
				es.o.Store.PublicReplay(int64(other.ID)), other.State)
		}
	}
	return &store.Replay{Account: e.Account, Number: e.Number, Endpoint: e.ID, Since: since, Until: until}, nil
}

// standsFor reports whether a replay that has ended stands for a request that comes now: one of the same kind, if its endpoint is as it was.
func (es *Endpoints) standsFor(other *store.Replay, r Range, now time.Time) bool {
	ago := now.Sub(other.Ended)
	return other.State == store.ReplayDone && ago >= 0 && ago < askedAgain && (r.Event != 0) == (other.Until == other.Since+1) &&
		es.touched[other.Endpoint].Before(other.Created)
}

// seqs are the bounds of a range in a number's log: from above since up to until.
func (es *Endpoints) seqs(ctx context.Context, n kabar.NumberID, r Range) (since, until int64, err error) {
	if r.Event != 0 {
		return r.Event - 1, r.Event, nil
	}
	if since, err = es.o.Store.SeqBefore(ctx, n, r.Since); err != nil {
		return 0, 0, err
	}
	if r.Until.IsZero() {
		until, err = es.o.Store.LastSeq(ctx, n)
	} else {
		until, err = es.o.Store.SeqBefore(ctx, n, r.Until)
	}
	return since, until, err
}

// RetryFailed has everything that waits for its back-off at an endpoint tried at once.
func (es *Endpoints) RetryFailed(ctx context.Context, id kabar.EndpointID) (Group, error) {
	g, err := es.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if !g.First().Active() {
		return nil, kabar.Refuse(kabar.ReasonEndpointState, "state", "is %s: activate the endpoint, which tries everything at once", stateOf(&g.First().EndpointConfig))
	}
	for _, e := range g {
		es.o.Retry(e.Number, e.ID)
	}
	return g, nil
}

func stateOf(c *kabar.EndpointConfig) kabar.EndpointState {
	return cmp.Or(c.State, kabar.EndpointActive)
}

// Replays returns the replays of an endpoint, oldest first.
func (es *Endpoints) Replays(ctx context.Context, g Group) ([]*store.Replay, error) {
	all := []*store.Replay{}
	for _, e := range g {
		some, err := es.o.Store.Replays(ctx, e.Number)
		if err != nil {
			return nil, store.Refusal(err)
		}
		for _, r := range some {
			if r.Endpoint == e.ID {
				all = append(all, r)
			}
		}
	}
	return all, nil
}

// cancel ends a replay that has not ended.
func (es *Endpoints) cancel(r *store.Replay) {
	if r.Live() {
		r.State, r.Ended = store.ReplayCancelled, es.o.Now()
	}
}

// GetReplay returns a replay by its ID.
func (es *Endpoints) GetReplay(ctx context.Context, id kabar.EndpointID) (*store.Replay, error) {
	r, err := es.o.Store.Replay(ctx, id)
	if store.IsNotFound(err) {
		return nil, kabar.Refuse(kabar.ReasonNotFound, "id", "there is no such replay")
	}
	return r, store.Refusal(err)
}

// ChangeReplay pauses a replay, has it go on, or cancels it. One that has ended is refused.
func (es *Endpoints) ChangeReplay(ctx context.Context, r *store.Replay, to store.ReplayState) (*store.Replay, error) {
	switch to {
	case store.ReplayRunning, store.ReplayPaused, store.ReplayCancelled:
	default:
		return nil, kabar.Refuse(kabar.ReasonInvalid, "state", "may be running, paused or cancelled")
	}
	err := es.write(ctx, func(tx *store.Tx) error {
		ended := false
		err := tx.ChangeReplay(r.Number, r.ID, func(r *store.Replay) {
			if ended = !r.Live(); ended {
				return
			}
			if r.State = to; to == store.ReplayCancelled {
				es.cancel(r)
			}
		})
		if err == nil && ended {
			err = kabar.Refuse(kabar.ReasonEndpointState, "state", "the replay has ended; begin another one")
		}
		tx.After(func() { es.o.Wake(r.Number) })
		return err
	})
	if err != nil {
		return nil, err
	}
	next, err := es.o.Store.Replay(ctx, r.ID)
	return next, store.Refusal(err)
}
