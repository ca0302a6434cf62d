package engine

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"kabar"
	"kabar/internal/store"
)

// Rename puts a name of a number before the review of its account: kabar.Naming.Submit.
func (r *Reviews) Rename(ctx context.Context, id kabar.NumberID, name, actor string) error {
	if err := kabar.CheckName("name", name); err != nil {
		return err
	}
	return r.name(ctx, id, actor, func(tx *store.Tx, n *kabar.Number, g *kabar.Naming) ([]kabar.NameChange, error) {
		return r.submit(tx, n, g, name)
	})
}

func (r *Reviews) submit(tx *store.Tx, n *kabar.Number, g *kabar.Naming, name string) ([]kabar.NameChange, error) {
	policy, err := tx.Policy(n.Account)
	if err != nil {
		return nil, err
	}
	return g.Submit(r.now(), &n.Profile, name, policy), nil
}

// SetName gives a number a name that needs no review.
func (r *Reviews) SetName(ctx context.Context, id kabar.NumberID, name, actor string) error {
	if err := kabar.CheckName("name", name); err != nil {
		return err
	}
	return r.name(ctx, id, actor, func(_ *store.Tx, n *kabar.Number, g *kabar.Naming) ([]kabar.NameChange, error) {
		return g.Set(r.now(), &n.Profile, name), nil
	})
}

// JudgeName executes a ruling about a number's name: kabar.Naming.Decide.
func (r *Reviews) JudgeName(ctx context.Context, id kabar.NumberID, ruling kabar.Ruling, actor string) error {
	return r.name(ctx, id, actor, func(_ *store.Tx, n *kabar.Number, g *kabar.Naming) ([]kabar.NameChange, error) {
		return g.Decide(r.now(), &n.Profile, ruling)
	})
}

// Naming returns how far the review of a number's name is.
func (r *Reviews) Naming(ctx context.Context, id kabar.NumberID) (*kabar.Number, kabar.Naming, error) {
	n, s, err := r.db.Number(ctx, id)
	return n, s.Naming, store.Refusal(err)
}

// name changes what a number is called. Customers get another name with the next thing that is sent to them.
func (r *Reviews) name(ctx context.Context, id kabar.NumberID, actor string, do func(*store.Tx, *kabar.Number, *kabar.Naming) ([]kabar.NameChange, error)) error {
	r.setting.Lock()
	defer r.setting.Unlock()
	return store.Refusal(r.db.Write(ctx, nil, func(tx *store.Tx) error {
		n, s, err := tx.Number(id)
		if err != nil {
			return err
		}
		name, was := n.Profile.Name, s.Naming
		changes, err := do(tx, n, &s.Naming)
		if err != nil || len(changes) == 0 && s.Naming == was {
			return err
		}
		if n.Profile.Name != name {
			n.ProfileVersion++
		}
		tx.After(func() {
			r.changed(n, s)
			r.hurry()
		})
		if err := tx.SaveNumber(n, s); err != nil {
			return err
		}
		return errors.Join(r.tell(tx, n, changes), r.enter(tx, n, actor, changes))
	}))
}

// tell has the number's endpoints told what has become of names.
func (r *Reviews) tell(tx *store.Tx, n *kabar.Number, changes []kabar.NameChange) error {
	for _, c := range changes {
		err := tx.AddEvent(&kabar.Event{Account: n.Account, Number: n.ID, Kind: kabar.EventName, At: r.now(), Name: c.Name, Outcome: c.Outcome, Declined: c.Reason})
		if err != nil {
			return err
		}
	}
	return nil
}

// enter writes in the audit log what has become of names.
func (r *Reviews) enter(tx *store.Tx, n *kabar.Number, actor string, changes []kabar.NameChange) error {
	for _, c := range changes {
		detail, err := json.Marshal(c)
		if err != nil {
			return err
		}
		if err := tx.AddAudit(&store.Audit{Account: n.Account, At: r.now(), Actor: actor, Action: "name." + strings.ToLower(string(c.Outcome)),
			Subject: "number/" + n.Digits, Detail: string(detail)}); err != nil {
			return err
		}
	}
	return nil
}

// hurry has whoever waits for the next decision look again.
func (r *Reviews) hurry() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// reviewEvery bounds how long a decision waits that could not be stored.
const reviewEvery = time.Hour

// timeReviews has names decided upon that the automatic review decides later, as long as the engine runs.
func (e *Engine) timeReviews(ctx context.Context) error {
	for {
		next := e.now().Add(reviewEvery)
		for id, l := range e.attached() {
			due := l.settings.Naming.Due
			if due.IsZero() {
				continue
			}
			if e.now().Before(due) {
				next = earlier(next, due)
				continue
			}
			err := e.reviews.name(ctx, id, ActorReview, func(_ *store.Tx, n *kabar.Number, g *kabar.Naming) ([]kabar.NameChange, error) {
				return g.Tick(e.now(), &n.Profile), nil
			})
			if err != nil && ctx.Err() == nil {
				e.log.Warn("review a name", "err", err)
				next = earlier(next, e.now().Add(pauseStore))
			}
		}
		if err := e.untilOr(ctx, next, e.reviews.wake); err != nil {
			return err
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
