package engine

import (
	"context"

	"kabar"
	"kabar/internal/store"
)

// begin has a scheduled broadcast run.
func (b *Broadcasts) begin(ctx context.Context, one *kabar.Broadcast) error {
	return b.change(ctx, one, func(now *kabar.Broadcast) error {
		if now.State == kabar.BroadcastScheduled {
			now.State = kabar.BroadcastRunning
		}
		return nil
	})
}

// finish notes that everybody has had their turn, unless somebody has been given another one meanwhile.
func (b *Broadcasts) finish(ctx context.Context, one *kabar.Broadcast) (done bool, err error) {
	b.turns.Lock()
	defer b.turns.Unlock()
	waiting, err := b.e.db.WaitingRecipients(ctx, one.ID, 0, 1)
	if err != nil || len(waiting) > 0 {
		return false, err
	}
	at := b.e.now()
	err = b.change(ctx, one, func(now *kabar.Broadcast) error {
		if now.State == kabar.BroadcastRunning {
			now.State, now.Ended = kabar.BroadcastDone, at
		}
		return nil
	})
	return err == nil, err
}

// change changes a broadcast as it is in the commit.
func (b *Broadcasts) change(ctx context.Context, one *kabar.Broadcast, do func(*kabar.Broadcast) error) error {
	return b.e.db.Write(ctx, func(tx *store.Tx) { tx.WantBroadcast(one.ID) }, func(tx *store.Tx) error {
		now, err := tx.Broadcast(one.Number, one.ID)
		if err != nil {
			return err
		}
		if err := do(now); err != nil {
			return err
		}
		*one = *now
		return tx.SaveBroadcast(now)
	})
}

// Act executes an action on a broadcast of the account: of another there is none, kabar.ReasonNotFound. What its state does not allow is
// kabar.ReasonBroadcastState.
func (b *Broadcasts) Act(ctx context.Context, a kabar.AccountID, id kabar.BroadcastID, action kabar.BroadcastAction) (*kabar.Broadcast, error) {
	one, err := b.Get(ctx, a, id)
	if err != nil {
		return nil, err
	}
	act := func(now *kabar.Broadcast) error { return now.Act(action, b.e.now()) }
	if action == kabar.BroadcastRetry {
		b.turns.Lock() // it is not done before they have their turn
		defer b.turns.Unlock()
	}
	err = b.change(ctx, one, act)
	if err == nil && action == kabar.BroadcastRetry { // in this order: who is given a turn has it, whatever ends here
		err = b.retry(ctx, one)
	}
	b.hurry()
	if err != nil {
		return nil, store.Refusal(err)
	}
	return one, nil
}

// retry gives another turn to whoever has no message, or one that has failed: that is the end of a message, so nobody gets two.
func (b *Broadcasts) retry(ctx context.Context, one *kabar.Broadcast) error {
	for after := 0; ; {
		failed, err := b.e.db.FailedRecipients(ctx, one.ID, after, storedAtOnce)
		if err != nil || len(failed) == 0 {
			return err
		}
		after = failed[len(failed)-1].Row
		err = b.e.db.Write(ctx, func(tx *store.Tx) {
			for _, f := range failed {
				tx.WantRecipient(one.ID, f.Row)
				if f.Message != 0 {
					tx.WantMessage(f.Message)
				}
			}
		}, func(tx *store.Tx) error {
			for _, f := range failed {
				if err := again(tx, one, f.Row); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// again gives a recipient another turn, unless there is a message that has not failed.
func again(tx *store.Tx, b *kabar.Broadcast, row int) error {
	r, err := tx.Recipient(b.Number, b.ID, row)
	if err != nil {
		return ignoreMissing(err) // the customer has been erased
	}
	if r.Message != 0 {
		m, err := tx.Message(b.Number, r.Message)
		if err != nil || m.Status != kabar.Failed {
			return ignoreMissing(err)
		}
	}
	r.Message, r.Failure = 0, ""
	return tx.SaveRecipient(b.Number, r)
}
