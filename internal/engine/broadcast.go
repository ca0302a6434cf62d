package engine

import (
	"context"
	"sync"

	"kabar"
	"kabar/internal/store"
)

// Broadcasts are one template to many customers: to each exactly one message, whatever is killed meanwhile. A recipient's row changes in
// the commit that accepts the message, and the rows say who is left: so a broadcast goes on by itself after a restart. Messages go
// through the same rules as any other; few of them are on their way at a time, so that nobody else waits behind them. It is safe for
// concurrent use.
type Broadcasts struct {
	e       *Engine
	wake    chan struct{} // something has changed
	mu      sync.Mutex
	loading map[kabar.BroadcastID]bool // by this process
}

func newBroadcasts(e *Engine) *Broadcasts {
	return &Broadcasts{e: e, wake: make(chan struct{}, 1), loading: map[kabar.BroadcastID]bool{}}
}

// Broadcasts returns the broadcasts of the engine's numbers.
func (e *Engine) Broadcasts() *Broadcasts { return e.broadcasts }

func (b *Broadcasts) hurry() {
	select {
	case b.wake <- struct{}{}:
	default: // it is awake
	}
	b.e.stirred.fire()
}

// Create stores a broadcast, which begins when its time has come, and says what it will cost. Faults of the list are a *ListFaults, all
// of them at once; then nothing is stored.
func (b *Broadcasts) Create(ctx context.Context, in NewBroadcast) (*kabar.Broadcast, *BroadcastEstimate, error) {
	p, err := b.plan(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	estimate, err := b.estimate(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	made, err := b.store(context.WithoutCancel(ctx), p) // a list is stored whole, whether or not somebody waits for it
	return made, estimate, store.Refusal(err)
}

// storedAtOnce is how many recipients are stored in one commit, so that nobody waits long behind it.
const storedAtOnce = 500

// store stores a broadcast and its recipients; only with the last commit it is there.
func (b *Broadcasts) store(ctx context.Context, p *broadcastPlan) (*kabar.Broadcast, error) {
	made := &p.broadcast
	b.mu.Lock() // until the row is known: nobody takes it for one that was left behind
	err := b.e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.AddBroadcast(made) })
	b.loading[made.ID] = true
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.loading, made.ID)
		b.mu.Unlock()
	}()
	for from := 0; from < len(p.recipients) && err == nil; from += storedAtOnce {
		some := p.recipients[from:min(len(p.recipients), from+storedAtOnce)]
		err = b.e.db.Write(ctx, nil, func(tx *store.Tx) error {
			for i := range some {
				if err := tx.AddRecipient(made, &some[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err == nil {
		made.State = kabar.BroadcastScheduled
		err = b.e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.SaveBroadcast(made) })
	}
	if err != nil {
		return nil, err // the next start removes what was stored
	}
	b.hurry()
	return made, nil
}

// discard removes a broadcast whose list was not stored to its end: nobody was told of it.
func (b *Broadcasts) discard(ctx context.Context, left *kabar.Broadcast) error {
	b.mu.Lock()
	mine := b.loading[left.ID]
	b.mu.Unlock()
	if mine {
		return nil
	}
	for {
		n, err := b.e.db.RemoveRecipients(ctx, left.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return b.e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.RemoveBroadcast(left.Number, left.ID) })
		}
	}
}

// begin has a scheduled broadcast run.
func (b *Broadcasts) begin(ctx context.Context, one *kabar.Broadcast) error {
	return b.change(ctx, one, func(now *kabar.Broadcast) error {
		if now.State == kabar.BroadcastScheduled {
			now.State = kabar.BroadcastRunning
		}
		return nil
	})
}

// finish notes that everybody has had their turn.
func (b *Broadcasts) finish(ctx context.Context, one *kabar.Broadcast) error {
	at := b.e.now()
	return b.change(ctx, one, func(now *kabar.Broadcast) error {
		if now.State == kabar.BroadcastRunning {
			now.State, now.Ended = kabar.BroadcastDone, at
		}
		return nil
	})
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

// Get returns a broadcast of the account.
func (b *Broadcasts) Get(ctx context.Context, a kabar.AccountID, id kabar.BroadcastID) (*kabar.Broadcast, error) {
	one, err := b.e.db.Broadcast(ctx, a, id)
	if err == nil && one.State == kabar.BroadcastLoading {
		err = &store.NotFoundError{What: "broadcast"}
	}
	if err != nil {
		return nil, store.Refusal(err)
	}
	return one, nil
}

// MaxBroadcastPage is the most broadcasts, or recipients, of a page.
const MaxBroadcastPage = 100

// List returns a page of the account's broadcasts, newest first, from before the one given; zero: from the newest on. With a number only
// those of it.
func (b *Broadcasts) List(ctx context.Context, a kabar.AccountID, n kabar.NumberID, before kabar.BroadcastID, limit int) ([]*kabar.Broadcast, error) {
	all, err := b.e.db.Broadcasts(ctx, a, n, before, limit)
	return all, store.Refusal(err)
}

// Act executes an action on a broadcast of the account; one that its state does not allow is kabar.ReasonBroadcastState.
func (b *Broadcasts) Act(ctx context.Context, a kabar.AccountID, id kabar.BroadcastID, action kabar.BroadcastAction) (*kabar.Broadcast, error) {
	one, err := b.Get(ctx, a, id)
	if err != nil {
		return nil, err
	}
	act := func(now *kabar.Broadcast) error { return now.Act(action, b.e.now()) }
	if action == kabar.BroadcastRetry {
		trial := *one
		if err := act(&trial); err != nil {
			return nil, err
		}
		if err := b.retry(ctx, one); err != nil {
			return nil, store.Refusal(err)
		}
	}
	if err := b.change(ctx, one, act); err != nil {
		return nil, store.Refusal(err)
	}
	b.hurry()
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

// Recipients returns how it stands with a page of a broadcast's recipients, in the order of the list, behind the row given.
func (b *Broadcasts) Recipients(ctx context.Context, a kabar.AccountID, id kabar.BroadcastID, after, limit int) ([]store.RecipientState, error) {
	if _, err := b.Get(ctx, a, id); err != nil {
		return nil, err
	}
	all, err := b.e.db.RecipientStates(ctx, id, after, limit)
	return all, store.Refusal(err)
}

// BroadcastProgress is how far a broadcast is.
type BroadcastProgress struct {
	Pending   int                  `json:"pending"` // have not had their turn
	Accepted  int                  `json:"accepted"`
	Sent      int                  `json:"sent"`
	Delivered int                  `json:"delivered"`
	Read      int                  `json:"read"`
	Failed    map[kabar.Reason]int `json:"failed"`
	Collected int                  `json:"collected,omitzero"` // had a message that has outlived its time here

	Reserved kabar.Money `json:"reserved"`
	Spent    kabar.Money `json:"spent"`
}

// FailedCount is how many have failed, for whatever reason.
func (p *BroadcastProgress) FailedCount() (n int) {
	for _, some := range p.Failed {
		n += some
	}
	return n
}

// Progress says how far a broadcast is: it counts its recipients.
func (b *Broadcasts) Progress(ctx context.Context, id kabar.BroadcastID) (*BroadcastProgress, error) {
	counts, err := b.e.db.BroadcastCounts(ctx, id)
	if err != nil {
		return nil, store.Refusal(err)
	}
	p := &BroadcastProgress{Failed: map[kabar.Reason]int{}}
	for _, c := range counts {
		p.add(c)
	}
	return p, nil
}

func (p *BroadcastProgress) add(c store.BroadcastCount) {
	switch {
	case !c.Sent && c.Failure == "":
		p.Pending += c.Count
	case c.Failure != "":
		p.Failed[c.Failure] += c.Count
	case c.Status == kabar.Accepted:
		p.Accepted += c.Count
		p.Reserved = p.Reserved.Add(c.Amount)
	case c.Status == kabar.Sent:
		p.Sent += c.Count
		p.Reserved = p.Reserved.Add(c.Amount)
	case c.Status == kabar.Delivered:
		p.Delivered += c.Count
		p.Spent = p.Spent.Add(c.Amount)
	case c.Status == kabar.Received: // there is no row any more
		p.Collected += c.Count
	default: // read, or further
		p.Read += c.Count
		p.Spent = p.Spent.Add(c.Amount)
	}
}

// seconds is how long a broadcast takes at least, at the pace that it has now, rounded up.
func (b *Broadcasts) seconds(n kabar.NumberID, perSecond, recipients int) int64 {
	pace := b.e.pace(n)
	if perSecond > 0 {
		pace = min(pace, perSecond)
	}
	return int64((recipients + pace - 1) / pace)
}
