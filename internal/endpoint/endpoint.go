// Package endpoint is the management of webhook endpoints: what there is, what may be set, whose it is, how a secret is replaced, and what
// is told once more. Delivering is package webhook's; it learns of every change through Options.Wake.
//
// An endpoint is a group of rows, one a number (kabar.Endpoint), which differ in their marks alone: whatever changes one changes all, in
// one commit. One that reads all numbers of an account gets a row of each number that is added to it (Spread).
//
// All methods are safe for concurrent use. Errors are refusals (kabar.Refuse) or the store's, as store.Refusal has them.
package endpoint

import (
	"context"
	"sync"
	"time"

	"kabar"
	"kabar/internal/signature"
	"kabar/internal/store"
)

// Limits.
const (
	maxEndpoints = 1000 // of an account
	maxSecrets   = 4    // that sign at a time
)

// MaxOverlapHours is for how long an old secret may sign beside a new one.
const MaxOverlapHours = 7 * 24

// Options are what the package works with. All but Prove are required.
type Options struct {
	Store    *store.DB
	Now      func() time.Time
	CheckURL func(url string) error                           // refuses what nothing may be sent to
	Prove    func(ctx context.Context, url, tok string) error // the challenge of the Cloud API; nil: none is asked
	Wake     func(kabar.NumberID)                             // something has changed about a number's endpoints
	Retry    func(kabar.NumberID, kabar.EndpointID)           // what waits for its back-off is to be tried at once
	Customer func(written string) (kabar.Customer, error)     // reads a wa_id, a phone number in a usual writing, or a BSUID
}

// Endpoints are all endpoints of a server.
type Endpoints struct {
	o        Options
	changing sync.Mutex                     // held while the rows of a group change
	touched  map[kabar.EndpointID]time.Time // under it: when a row was changed last in this process
}

// New returns them.
func New(o Options) *Endpoints { return &Endpoints{o: o, touched: map[kabar.EndpointID]time.Time{}} }

// Group is an endpoint with all its rows, the oldest number's first.
type Group []*kabar.Endpoint

// First stands for all of it: what can be configured is the same everywhere.
func (g Group) First() *kabar.Endpoint { return g[0] }

// Numbers returns the numbers that it reads.
func (g Group) Numbers() []kabar.NumberID {
	all := make([]kabar.NumberID, len(g))
	for i, e := range g {
		all[i] = e.Number
	}
	return all
}

// List returns the endpoints of an account, oldest first.
func (es *Endpoints) List(ctx context.Context, a kabar.AccountID) ([]Group, error) {
	rows, err := es.o.Store.AccountEndpoints(ctx, a)
	if err != nil {
		return nil, store.Refusal(err)
	}
	var all []Group
	place := map[kabar.EndpointID]int{}
	for _, e := range rows {
		i, known := place[e.Group]
		if !known {
			place[e.Group], all = len(all), append(all, Group{e})
			continue
		}
		all[i] = append(all[i], e)
	}
	return all, nil
}

// Get returns an endpoint by its ID, or by that of one of its rows.
func (es *Endpoints) Get(ctx context.Context, id kabar.EndpointID) (Group, error) {
	row, err := es.o.Store.Endpoint(ctx, id)
	if err != nil {
		return nil, missing(err)
	}
	all, err := es.List(ctx, row.Account)
	if err != nil {
		return nil, err
	}
	for _, g := range all {
		if g.First().Group == row.Group {
			return g, nil
		}
	}
	return nil, missing(&store.NotFoundError{What: "endpoint"}) // removed in this moment
}

// missing says that there is no such endpoint.
func missing(err error) error {
	if store.IsNotFound(err) {
		return kabar.Refuse(kabar.ReasonNotFound, "endpoint", "there is no such endpoint; GET /kabar/v1/endpoints lists those there are")
	}
	return store.Refusal(err)
}

// Wanted is an endpoint that is to be made.
type Wanted struct {
	Account kabar.AccountID
	Number  kabar.NumberID // 0: all of the account's
	Dialect kabar.Dialect
	kabar.EndpointConfig
}

// Add makes an endpoint, which is told of what happens from now on. It has one secret, made here if the configuration has none; one
// of the Cloud API has to answer the challenge first.
func (es *Endpoints) Add(ctx context.Context, w Wanted) (Group, error) {
	w.Origin = kabar.FromAPI
	if len(w.Secrets) == 0 {
		w.Secrets = []kabar.EndpointSecret{{Value: signature.New()}}
	}
	if err := es.tidy(&w.Filter); err != nil {
		return nil, err
	}
	if err := es.check(ctx, w.Dialect, &w.EndpointConfig, ""); err != nil {
		return nil, err
	}
	es.changing.Lock()
	defer es.changing.Unlock()
	numbers, err := es.numbers(ctx, w.Account, w.Number)
	if err != nil {
		return nil, err
	}
	if all, err := es.List(ctx, w.Account); err != nil {
		return nil, err
	} else if len(all) >= maxEndpoints {
		return nil, kabar.Refuse(kabar.ReasonEndpointState, "endpoint", "an account has %d endpoints at most; remove one that is not needed", maxEndpoints)
	}
	now := es.o.Now()
	var group Group
	err = es.write(ctx, func(tx *store.Tx) error {
		group = nil // the writer may run an operation again
		for _, n := range numbers {
			head, err := tx.Head(n)
			if err != nil {
				return err
			}
			e := &kabar.Endpoint{Account: w.Account, Number: n, Dialect: w.Dialect, Wide: w.Number == 0, Mark: head, EndpointConfig: w.EndpointConfig}
			if len(group) > 0 {
				e.Group = group.First().ID
			}
			e.Since = now
			if err := tx.AddEndpoint(e, now); err != nil {
				return err
			}
			group = append(group, e)
		}
		tx.After(func() { es.wake(numbers) })
		return nil
	})
	return group, err
}

// numbers are those that an endpoint is to read.
func (es *Endpoints) numbers(ctx context.Context, a kabar.AccountID, n kabar.NumberID) ([]kabar.NumberID, error) {
	if n != 0 {
		return []kabar.NumberID{n}, nil
	}
	all, err := es.o.Store.Numbers(ctx)
	if err != nil {
		return nil, store.Refusal(err)
	}
	var mine []kabar.NumberID
	for _, number := range all {
		if number.Account == a {
			mine = append(mine, number.ID)
		}
	}
	if len(mine) == 0 {
		return nil, kabar.Refuse(kabar.ReasonEndpointState, "number", "the account has no number yet whose events could be told; add one first: kabar number add --help")
	}
	return mine, nil
}

func (es *Endpoints) wake(numbers []kabar.NumberID) {
	for _, n := range numbers {
		es.o.Wake(n)
	}
}

func (es *Endpoints) write(ctx context.Context, do func(*store.Tx) error) error {
	return store.Refusal(es.o.Store.Write(ctx, nil, do))
}
