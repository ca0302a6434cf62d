package engine

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"kabar"
	"kabar/internal/store"
)

// portion is how many recipients are read, and have their turn side by side, at a time.
const portion = 50

// foreseen is how far ahead is waited where nothing is to be done: whatever happens earlier wakes whoever waits.
const foreseen = 24 * time.Hour

// broadcaster has broadcasts run, for as long as the engine does: from their rows, whoever began them.
type broadcaster struct {
	*Engine
	paces map[kabar.NumberID]*pace

	mu    sync.Mutex
	going map[kabar.BroadcastID]bool
}

// broadcast runs broadcasts until ctx ends.
func (e *Engine) broadcast(ctx context.Context) error {
	r := &broadcaster{Engine: e, paces: map[kabar.NumberID]*pace{}, going: map[kabar.BroadcastID]bool{}}
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
	if r.paces[b.Number] == nil {
		r.paces[b.Number] = &pace{}
	}
	run := &broadcastRun{Engine: r.Engine, b: b, number: r.paces[b.Number]}
	g.Go(func() error {
		run.run(ctx)
		r.mu.Lock()
		delete(r.going, b.ID)
		r.mu.Unlock()
		r.broadcasts.hurry() // it may have been resumed meanwhile
		return ctx.Err()
	})
}

// broadcastRun is a broadcast that runs.
type broadcastRun struct {
	*Engine
	b      *kabar.Broadcast
	number *pace // of the number, which its broadcasts share
	own    pace
	after  int // the last row that was looked at
	walk   walk
}

// walk is what a walk through the list, from its first row on, has met.
type walk struct {
	mu      sync.Mutex
	others  bool     // somebody had their turn
	soonest *tooSoon // nil: it was too soon for nobody
}

// met notes how a turn has ended, and returns what has to stop the others.
func (w *walk) met(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	soon, ok := errors.AsType[*tooSoon](err)
	if !ok {
		w.others = true
		return err
	}
	if w.soonest == nil || soon.after < w.soonest.after {
		w.soonest = soon
	}
	return nil
}

// end ends the walk. Where it has met nobody but those for whom it is too soon, the next had better wait.
func (w *walk) end() (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.others && w.soonest != nil {
		err = &waits{w.soonest.error, w.soonest.after}
	}
	w.others, w.soonest = false, nil
	return err
}

// run gives recipients their turns until the broadcast is done or stopped.
func (r *broadcastRun) run(ctx context.Context) {
	for ctx.Err() == nil {
		stirred := r.stirred.next()
		done, err := r.step(ctx)
		if errors.Is(err, errHeld) {
			err = r.unpaced(ctx)
		}
		stop, halts := errors.AsType[*halt](err)
		pass, passes := errors.AsType[*waits](err)
		rest := pauseStore
		switch {
		case done, errors.Is(err, errStopped):
			return
		case err == nil, errors.Is(err, errOffline): // which the next step waits for
			continue
		case halts:
			if err = r.pauseFor(ctx, r.b, stop); err == nil {
				return
			}
		case passes:
			rest = pass.after
		}
		if ctx.Err() == nil {
			r.log.WarnContext(ctx, "a broadcast rests", "broadcast", r.b.ID, "error", err)
		}
		_ = r.untilOr(ctx, r.now().Add(rest), stirred) // it ends with ctx, as the loop does
	}
}

// step gives a portion of recipients their turns. done: there is nobody left.
func (r *broadcastRun) step(ctx context.Context) (done bool, err error) {
	l, err := r.connected(ctx)
	if err != nil {
		return false, err
	}
	all, err := r.db.WaitingRecipients(ctx, r.b.ID, r.after, portion)
	if err != nil {
		return false, err
	}
	if len(all) == 0 && r.after == 0 {
		return r.broadcasts.finish(ctx, r.b)
	}
	if len(all) == 0 { // those whose turn had to wait, or who have another one
		r.after = 0
		return false, r.walk.end()
	}
	def, err := r.db.SendableTemplate(ctx, r.b.Account, r.b.Template, r.b.Language)
	if store.IsNotFound(err) {
		return false, &halt{kabar.Refuse(kabar.ReasonTemplateMissing, "", "there is no template %q in %q any more", r.b.Template, r.b.Language)}
	}
	if err != nil {
		return false, err
	}
	if err := r.takeAll(ctx, l, def, all); err != nil {
		return false, err
	}
	r.after = all[len(all)-1].Row
	return false, nil
}

// takeAll gives a portion of recipients their turns, side by side.
func (r *broadcastRun) takeAll(ctx context.Context, l *line, def *kabar.TemplateDef, all []*kabar.BroadcastRecipient) error {
	g, until := errgroup.WithContext(ctx) // until one fails
	var err error
	for _, one := range all {
		if err = r.spaced(until); err != nil {
			break
		}
		g.Go(func() error { return r.walk.met(r.take(ctx, l, r.b, def, one)) })
	}
	return cmp.Or(g.Wait(), err)
}

// spaced books a seat for the next message, and waits until it may go out. A number that has lost its network books none.
func (r *broadcastRun) spaced(ctx context.Context) error {
	if err := r.flights.book(ctx, r.b.Number); err != nil {
		return err
	}
	now := r.now()
	at := r.number.reserve(now, r.pace(r.b.Number))
	if r.b.PerSecond > 0 {
		if own := r.own.reserve(now, r.b.PerSecond); own.After(at) {
			at = own
		}
	}
	err := r.Until(ctx, at)
	if up, _ := r.Link(r.b.Number); err == nil && !up {
		err = errOffline
	}
	if err != nil {
		r.flights.cancel(r.b.Number)
	}
	return err
}

// unpaced waits until it is known how customers take the template, or somebody has changed the broadcast.
func (r *broadcastRun) unpaced(ctx context.Context) error {
	for {
		stirred := r.stirred.next()
		d, err := r.db.Template(ctx, r.b.Account, r.b.Template, r.b.Language)
		if err != nil || d.Life.Pace == nil {
			return ignoreMissing(err) // without a template the next turn says so
		}
		b, err := r.db.Broadcast(ctx, r.b.Account, r.b.ID)
		if err != nil {
			return err
		}
		if b.State != kabar.BroadcastRunning {
			return errStopped
		}
		if err := r.untilOr(ctx, r.now().Add(foreseen), stirred); err != nil {
			return err
		}
	}
}

// connected waits until the number is connected: what is accepted before would stand in the way of everybody else afterwards.
func (r *broadcastRun) connected(ctx context.Context) (*line, error) {
	for {
		stirred := r.stirred.next()
		b, err := r.db.Broadcast(ctx, r.b.Account, r.b.ID)
		if err != nil {
			return nil, err
		}
		if b.State != kabar.BroadcastRunning {
			return nil, errStopped
		}
		l, err := r.line(r.b.Number)
		if err != nil {
			return nil, err
		}
		if up, _ := r.Link(r.b.Number); up {
			return l, nil
		}
		if err := r.untilOr(ctx, r.now().Add(foreseen), stirred); err != nil {
			return nil, err
		}
	}
}
