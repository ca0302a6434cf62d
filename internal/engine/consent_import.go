package engine

import (
	"context"

	"kabar"
	"kabar/internal/store"
)

// ConsentLine is an entry of a list that is to be recorded.
type ConsentLine struct {
	CustomerConsent
	Timed bool // the list says when the customer said so
}

// ConsentPlan is what recording a list would come to. Nothing is recorded by making one.
type ConsentPlan struct {
	New    []CustomerConsent // in order
	Lines  []int             // of the list, one for each of New
	Known  int               // how many say what is recorded already
	Faults map[int]error     // by line of the list
}

// Plan goes through a list in order, as Record would: each of its entries was Checked.
func (c *Consents) Plan(ctx context.Context, a kabar.AccountID, list []ConsentLine) (*ConsentPlan, error) {
	type customer struct {
		consent *kabar.Consent
		history []kabar.ConsentEntry
	}
	customers := map[string]*customer{}
	p := &ConsentPlan{Faults: map[int]error{}}
	for i := range list {
		l := &list[i]
		of := customers[l.Customer]
		if of == nil {
			consent, history, err := c.Get(ctx, a, l.Customer)
			if err != nil {
				return nil, store.Refusal(err)
			}
			copied := *consent // what the store keeps is not ours to change
			of = &customer{&copied, history}
			customers[l.Customer] = of
		}
		if l.Repeats(l.Timed, of.consent.State, of.history) {
			p.Known++
			continue
		}
		if _, err := of.consent.Take(&l.ConsentEntry); err != nil {
			p.Faults[i] = err
			continue
		}
		of.history = append(of.history, l.ConsentEntry)
		p.New, p.Lines = append(p.New, l.CustomerConsent), append(p.Lines, i)
	}
	return p, nil
}
