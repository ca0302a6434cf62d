package engine

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"kabar"
	"kabar/internal/store"
)

// Who owns what: the one broadcaster looks which broadcasts run, and has a goroutine for each, its broadcastRun, which alone reads the
// rows and says whose turn it is. Turns are had side by side (takeAll); a turn owns one row, from the seat that is booked for it in flights
// to the commit that changes the row (broadcast_send.go). Everybody else, requests above all, only changes rows and states in commits
// (broadcast_act.go) and fires stirred: whoever waits looks again, and acts on what is stored alone.

// portion is how many recipients are read, and have their turn side by side, at a time.
const portion = 50

// broadcastRun is a broadcast that runs.
type broadcastRun struct {
	*Engine
	b      *kabar.Broadcast
	number *spacer // of the number, which its broadcasts share
	own    spacer
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
			err = r.templateKnown(ctx)
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
	at := r.number.reserve(now, r.broadcastRate(r.b.Number))
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

// templateKnown waits until it is known how customers take the template, or somebody has changed the broadcast.
func (r *broadcastRun) templateKnown(ctx context.Context) error {
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
