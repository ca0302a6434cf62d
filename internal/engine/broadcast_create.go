package engine

import (
	"context"
	"time"

	"kabar"
	"kabar/internal/store"
)

// CreatedBroadcast is what became of a request for a broadcast. Of one that was answered before there is the answer alone.
type CreatedBroadcast struct {
	*kabar.Broadcast
	Estimate *BroadcastEstimate
	Answer   *store.Answer // where NewBroadcast.Answer renders one
	Replayed bool          // it was answered before
}

// Create stores a broadcast, which begins when its time has come, and says what it will cost. Faults of the list are a *ListFaults, all
// of them at once; then nothing is stored. Of requests with the same Once one makes a broadcast, and the others get its answer; the same
// key for something else is kabar.ReasonKeyReused. A number that is not attached is kabar.ReasonNotReady; what is wrong with the rest says
// kabar.ReasonInvalid, ReasonMissing, ReasonNotRequired, ReasonTemplatePack, ReasonTemplateMissing, or why the template cannot be sent.
func (b *Broadcasts) Create(ctx context.Context, in NewBroadcast) (*CreatedBroadcast, error) {
	l, err := b.e.line(in.Number)
	if err != nil {
		return nil, err
	}
	if a, err := in.Once.early(ctx, b.e.db, l, b.e.now()); a != nil || err != nil {
		return &CreatedBroadcast{Answer: a, Replayed: true}, store.Refusal(err)
	}
	p, err := b.plan(ctx, in)
	if err != nil {
		return nil, err
	}
	estimate, err := b.estimate(ctx, p)
	if err != nil {
		return nil, err
	}
	made := &CreatedBroadcast{Broadcast: &p.broadcast, Estimate: estimate}
	ctx = context.WithoutCancel(ctx) // a list is stored whole, whether or not somebody waits for it
	err = b.store(ctx, p, made, in)
	if err != nil || made.Replayed {
		if left := b.discard(ctx, &p.broadcast); left != nil { // the next start removes it
			b.e.log.WarnContext(ctx, "remove what was stored of a broadcast", "broadcast", p.broadcast.ID, "error", left)
		}
	}
	b.hurry()
	if err != nil {
		return nil, store.Refusal(err)
	}
	return made, nil
}

// storedAtOnce is how many recipients are stored in one commit, so that nobody waits long behind it.
const storedAtOnce = 500

// store stores a broadcast and its recipients; only with the last commit it is there, and the request answered.
func (b *Broadcasts) store(ctx context.Context, p *broadcastPlan, made *CreatedBroadcast, in NewBroadcast) error {
	one := &p.broadcast
	b.mu.Lock() // until the row is known: nobody takes it for one that was left behind
	err := b.e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.AddBroadcast(one) })
	b.loading[one.ID] = true
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.loading, one.ID)
		b.mu.Unlock()
	}()
	for from := 0; from < len(p.recipients) && err == nil; from += storedAtOnce {
		some := p.recipients[from:min(len(p.recipients), from+storedAtOnce)]
		err = b.e.db.Write(ctx, func(tx *store.Tx) {
			for i := range some {
				tx.WantErasure(one.Account, some[i].Handle)
			}
		}, func(tx *store.Tx) error {
			for i := range some {
				if err := tx.AddRecipient(one, &some[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return err
	}
	return b.e.db.Write(ctx, func(tx *store.Tx) { in.Once.want(tx, p.line) }, func(tx *store.Tx) (err error) {
		now := b.e.now()
		if made.Answer, err = in.Once.replay(tx, p.line, now); err != nil || made.Answer != nil {
			made.Replayed = err == nil
			return err
		}
		made.Replayed = false // the writer may run an operation again
		one.State = kabar.BroadcastScheduled
		if err := tx.SaveBroadcast(one); err != nil || in.Answer == nil {
			return err
		}
		status, body, err := in.Answer(made)
		if err != nil {
			return err
		}
		made.Answer, err = in.Once.remember(tx, p.line, now, status, body, 0)
		return err
	})
}

// collect removes the broadcasts of a number that had ended by then, with their lists. The first commit hides one as if it were being stored,
// so that nobody acts on it any more, and the next start goes on with what the end of the process breaks off.
func (b *Broadcasts) collect(ctx context.Context, n kabar.NumberID, by time.Time) (removed int, err error) {
	for {
		ended, err := b.e.db.EndedBroadcasts(ctx, n, by, MaxBroadcastPage)
		if err != nil || len(ended) == 0 {
			return removed, err
		}
		for _, one := range ended {
			err := b.change(ctx, one, func(now *kabar.Broadcast) error {
				if !now.Ended.IsZero() { // it still has ended
					now.State = kabar.BroadcastLoading
				}
				return nil
			})
			if err == nil && one.State == kabar.BroadcastLoading {
				err = b.discard(ctx, one)
				removed++
			}
			if err != nil {
				return removed, err
			}
		}
	}
}

// discard removes a broadcast whose list was not stored to its end: nobody was told of it. One that is there after all stays.
func (b *Broadcasts) discard(ctx context.Context, left *kabar.Broadcast) error {
	b.mu.Lock()
	mine := b.loading[left.ID]
	b.mu.Unlock()
	if mine {
		return nil
	}
	there := false
	err := b.e.db.Write(ctx, nil, func(tx *store.Tx) error { // behind a commit whose answer was lost
		now, err := tx.Broadcast(left.Number, left.ID)
		there = err == nil && now.State != kabar.BroadcastLoading
		return err
	})
	if err != nil || there {
		return ignoreMissing(err)
	}
	for {
		n, err := b.e.db.RemoveRecipients(ctx, left.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return b.e.db.Write(ctx, nil, func(tx *store.Tx) error { return ignoreMissing(tx.RemoveBroadcast(left.Number, left.ID)) })
		}
	}
}
