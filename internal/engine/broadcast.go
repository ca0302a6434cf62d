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
	turns   sync.Mutex                 // held while recipients are given another turn, and while it is decided that nobody has one
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

// Find returns a broadcast of whichever account, or kabar.ReasonNotFound.
func (b *Broadcasts) Find(ctx context.Context, id kabar.BroadcastID) (*kabar.Broadcast, error) {
	return seen(b.e.db.FindBroadcast(ctx, id))
}

// Get returns a broadcast of the account; of another there is none, kabar.ReasonNotFound.
func (b *Broadcasts) Get(ctx context.Context, a kabar.AccountID, id kabar.BroadcastID) (*kabar.Broadcast, error) {
	return seen(b.e.db.Broadcast(ctx, a, id))
}

// seen hides a broadcast whose list is not stored whole.
func seen(one *kabar.Broadcast, err error) (*kabar.Broadcast, error) {
	if err == nil && one.State == kabar.BroadcastLoading {
		err = &store.NotFoundError{What: "broadcast"}
	}
	if err != nil {
		return nil, store.Refusal(err)
	}
	return one, nil
}

// MaxBroadcastPage is the most broadcasts, or recipients, of a page. List and Recipients return one more, which says that there are others.
const MaxBroadcastPage = 100

// ofPage is how many are returned where so many are asked for.
func ofPage(limit int) int {
	if limit <= 0 || limit > MaxBroadcastPage {
		return MaxBroadcastPage + 1
	}
	return limit
}

// List returns a page of the account's broadcasts, newest first, from before the one given; zero: from the newest on. With a number only
// those of it. Without a limit, or with a greater one, there are up to MaxBroadcastPage and one.
func (b *Broadcasts) List(ctx context.Context, a kabar.AccountID, n kabar.NumberID, before kabar.BroadcastID, limit int) ([]*kabar.Broadcast, error) {
	all, err := b.e.db.Broadcasts(ctx, a, n, before, ofPage(limit))
	return all, store.Refusal(err)
}

// Recipients returns how it stands with a page of a broadcast's recipients, in the order of the list, behind the row given; the
// limit is that of List. A broadcast of another account is kabar.ReasonNotFound.
func (b *Broadcasts) Recipients(ctx context.Context, a kabar.AccountID, id kabar.BroadcastID, after, limit int) ([]store.RecipientState, error) {
	if _, err := b.Get(ctx, a, id); err != nil {
		return nil, err
	}
	all, err := b.e.db.RecipientStates(ctx, id, after, ofPage(limit))
	return all, store.Refusal(err)
}
