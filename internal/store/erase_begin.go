package store

import (
	"context"
	"slices"
	"time"

	"kabar"
)

// BeginErasure commits that a customer of an account is being erased, with the record of the request or command in ctx: see
// Tx.BeginErasure.
func (db *DB) BeginErasure(ctx context.Context, p *Person, last *Erasure, entries func(handle string) []string, now time.Time) (begun *Erasure, err error) {
	numbers, err := db.numbersOf(ctx, p.Account)
	if err != nil {
		return nil, err
	}
	listed, err := db.listed(ctx, p)
	if err != nil {
		return nil, err
	}
	err = db.Write(ctx, nil, func(tx *Tx) (err error) {
		if begun, err = tx.BeginErasure(p, last, numbers, entries, now); err != nil {
			return err
		}
		for _, at := range listed { // with the first commit, so that no broadcast writes to somebody new meanwhile
			if err := tx.recipients.del(at); err != nil {
				return err
			}
		}
		return nil
	})
	return begun, err
}

// BeginErasure stores that a customer of an account with these numbers is being erased. From then on no handle leads to the conversations:
// who is called so and writes again is somebody new. Consent, what the network has said of the handles and the driver's entries about
// them, which entries names, are gone. An opt-out stays, under the pseudonym. What is left to do of the last erasing of the same
// customer, which may be nil, is taken over.
func (tx *Tx) BeginErasure(p *Person, last *Erasure, numbers []*kabar.Number, entries func(handle string) []string, now time.Time) (*Erasure, error) {
	before, err := tx.NewKey()
	if err != nil {
		return nil, err
	}
	e := &Erasure{Account: p.Account, Pseudonym: tx.b.db.Pseudonym(p.Account, p.Handles[0]), Began: now,
		rest: rest{Handles: p.Handles, Talks: slices.Clone(p.Talks), Before: before}}
	if last != nil {
		e.rest.Traces = slices.Concat(last.rest.Handles, last.rest.Traces)
	}
	tx.about(int64(p.Account), subjectOfCustomer(e.Pseudonym))
	for _, n := range numbers {
		for _, h := range p.Handles {
			if err := tx.forgetHandle(e, n, h, entries(h)); err != nil {
				return nil, err
			}
		}
	}
	for _, h := range p.Handles {
		if err := tx.forgetConsent(p.Account, h); err != nil {
			return nil, err
		}
		if err := tx.forgetReach(int64(p.Account), h, e.Pseudonym); err != nil {
			return nil, err
		}
	}
	if err := tx.traces(e); err != nil {
		return nil, err
	}
	return e, tx.saveErasure(e)
}

// forgetHandle removes what a number keeps under a handle, and notes the conversation that it led to.
func (tx *Tx) forgetHandle(e *Erasure, n *kabar.Number, handle string, entries []string) error {
	k := named{int64(n.ID), handle}
	led, err := tx.handles.see(k)
	if err != nil {
		return err
	}
	if led != nil {
		if t := (Talk{n.ID, kabar.ConversationID(led.conversation)}); !slices.Contains(e.rest.Talks, t) {
			e.rest.Talks = append(e.rest.Talks, t) // it has begun since the person was looked for
		}
	}
	for _, name := range entries {
		if err := tx.states.del(named{int64(n.ID), name}); err != nil {
			return err
		}
	}
	if err := tx.handles.del(k); err != nil {
		return err
	}
	return tx.contacts.del(k)
}

// forgetConsent removes where the ledger has led for a handle. That it was to an opt-out is kept under the pseudonym.
func (tx *Tx) forgetConsent(a kabar.AccountID, handle string) error {
	c, err := tx.Consent(a, handle)
	if err != nil {
		return err
	}
	if err := tx.consents.del(customerKey{int64(a), handle}); err != nil {
		return err
	}
	c.Handle = tx.b.db.Pseudonym(a, handle)
	if c.State != kabar.ConsentOut {
		return tx.consents.del(customerKey{int64(a), c.Handle})
	}
	c.Span, c.Count = time.Time{}, 0
	return tx.SaveConsent(c)
}

// traces notes what lies open in the conversations, and has their other handles lead nowhere.
func (tx *Tx) traces(e *Erasure) error {
	for _, t := range e.rest.Talks {
		row, err := tx.conversations.see(int64(t.Conversation))
		if err != nil {
			return err
		}
		if row == nil {
			continue
		}
		for _, text := range []string{row.waID, row.bsuid, row.former, row.identity} {
			if text != "" && !slices.Contains(e.rest.Traces, text) {
				e.rest.Traces = append(e.rest.Traces, text)
			}
		}
		for _, h := range []string{row.waID, row.bsuid} {
			led, err := tx.handles.see(named{row.number, h})
			if err != nil {
				return err
			}
			if led == nil || led.conversation != row.id {
				continue
			}
			if err := tx.handles.del(named{row.number, h}); err != nil {
				return err
			}
		}
	}
	return nil
}
