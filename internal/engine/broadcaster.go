package engine

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"kabar"
)

// foreseen is how far ahead is waited where nothing is to be done: whatever happens earlier wakes whoever waits.
const foreseen = 24 * time.Hour

// broadcaster has broadcasts run, for as long as the engine does: from their rows, whoever began them.
type broadcaster struct {
	*Engine
	spacers map[kabar.NumberID]*spacer // look alone has them

	mu    sync.Mutex
	going map[kabar.BroadcastID]bool
}

// broadcast runs broadcasts until ctx ends.
func (e *Engine) broadcast(ctx context.Context) error {
	r := &broadcaster{Engine: e, spacers: map[kabar.NumberID]*spacer{}, going: map[kabar.BroadcastID]bool{}}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		for resumed := false; ; {
			next, err := time.Time{}, error(nil)
			if !resumed {
				err = r.resume(ctx)
				resumed = err == nil
			}
			if err == nil {
				next, err = r.look(ctx, g)
			}
			if err != nil && ctx.Err() == nil {
				e.log.WarnContext(ctx, "look after broadcasts", "error", err)
				next = e.now().Add(pauseStore)
			}
			if err := e.untilOr(ctx, next, e.broadcasts.wake); err != nil {
				return err
			}
		}
	})
	return g.Wait()
}

// resume takes up what an earlier process has left: lists that were not stored to their end go, and the messages that have not left yet
// have their seats.
func (r *broadcaster) resume(ctx context.Context) error {
	left, err := r.db.BroadcastsIn(ctx, kabar.BroadcastLoading, time.Time{})
	if err != nil {
		return err
	}
	for _, b := range left {
		if err := r.broadcasts.discard(ctx, b); err != nil {
			return err
		}
	}
	running, err := r.db.BroadcastsIn(ctx, kabar.BroadcastRunning, time.Time{})
	for _, b := range running {
		if err := r.board(ctx, b); err != nil {
			return err
		}
	}
	return err
}

// board gives seats to the messages of a broadcast that have not left yet; those of their number alone, until it is known whether it is
// connected. One that leaves meanwhile may have been missed.
func (r *broadcaster) board(ctx context.Context, b *kabar.Broadcast) error {
	flying, err := r.db.FlyingMessages(ctx, b.ID, r.flights.room)
	if err != nil {
		return err
	}
	for _, m := range flying {
		r.flights.board(m.Number, m.Conversation, m.Message)
		r.flights.wait(m.Conversation)
		if now, err := r.db.Message(ctx, m.Number, m.Message); err != nil || now.Status != kabar.Accepted {
			r.flights.land(m.Message)
		}
	}
	return nil
}

// look begins what is due, and says when to look again.
func (r *broadcaster) look(ctx context.Context, g *errgroup.Group) (next time.Time, err error) {
	due, err := r.db.BroadcastsIn(ctx, kabar.BroadcastScheduled, r.now())
	if err != nil {
		return next, err
	}
	for _, b := range due {
		if err := r.broadcasts.begin(ctx, b); err != nil {
			return next, err
		}
	}
	running, err := r.db.BroadcastsIn(ctx, kabar.BroadcastRunning, time.Time{})
	if err != nil {
		return next, err
	}
	for _, b := range running {
		if r.claim(b.ID) {
			r.start(ctx, g, b)
		}
	}
	next, err = r.db.NextBroadcast(ctx)
	if err == nil && next.IsZero() {
		next = r.now().Add(foreseen)
	}
	return next, err
}

// claim reports whether a broadcast does not go yet; from now on it does.
func (r *broadcaster) claim(id kabar.BroadcastID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.going[id] {
		return false
	}
	r.going[id] = true
	return true
}

func (r *broadcaster) start(ctx context.Context, g *errgroup.Group, b *kabar.Broadcast) {
	if r.spacers[b.Number] == nil {
		r.spacers[b.Number] = &spacer{}
	}
	run := &broadcastRun{Engine: r.Engine, b: b, number: r.spacers[b.Number]}
	g.Go(func() error {
		run.run(ctx)
		r.mu.Lock()
		delete(r.going, b.ID)
		r.mu.Unlock()
		r.broadcasts.hurry() // it may have been resumed meanwhile
		return ctx.Err()
	})
}
