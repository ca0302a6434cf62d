package endpoint

import (
	"context"
	"errors"
	"slices"
	"time"

	"kabar"
	"kabar/internal/signature"
	"kabar/internal/store"
)

// Spread gives every endpoint that reads all numbers of an account a row of each number that is new, and a secret to every endpoint that has
// none, because it is from before there were any. It is for the start, and for when a number has been added.
func (es *Endpoints) Spread(ctx context.Context) error {
	es.changing.Lock()
	defer es.changing.Unlock()
	numbers, err := es.o.Store.Numbers(ctx)
	if err != nil {
		return store.Refusal(err)
	}
	byAccount := map[kabar.AccountID][]kabar.NumberID{}
	for _, n := range numbers {
		byAccount[n.Account] = append(byAccount[n.Account], n.ID)
	}
	var failed []error
	for account, all := range byAccount {
		groups, err := es.List(ctx, account)
		if err != nil {
			return err
		}
		for _, g := range groups {
			failed = append(failed, es.spread(ctx, g, all), es.equip(ctx, g))
		}
	}
	return errors.Join(failed...)
}

func (es *Endpoints) spread(ctx context.Context, g Group, numbers []kabar.NumberID) error {
	if !g.First().Wide {
		return nil
	}
	for _, n := range numbers {
		if slices.Contains(g.Numbers(), n) {
			continue
		}
		e := *g.First()
		e.ID, e.Number, e.Mark, e.Failing = 0, n, 0, time.Time{}
		err := es.write(ctx, func(tx *store.Tx) error {
			tx.After(func() { es.o.Wake(n) })
			return tx.AddEndpoint(&e, es.o.Now())
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// equip gives an endpoint its first secret.
func (es *Endpoints) equip(ctx context.Context, g Group) error {
	if len(g.First().Secrets) > 0 {
		return nil
	}
	secret := kabar.EndpointSecret{Value: signature.New()}
	_, err := es.replace(ctx, g, func(tx *store.Tx, e *kabar.Endpoint) error {
		return tx.ChangeEndpoint(e.Number, e.ID, func(c *kabar.EndpointConfig) error {
			c.Secrets = []kabar.EndpointSecret{secret}
			return nil
		})
	})
	return err
}
