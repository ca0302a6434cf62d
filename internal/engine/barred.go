package engine

import (
	"context"
	"time"

	"kabar"
	"kabar/internal/store"
)

// MaxBarred is how many customers a number can block (contract Cloud API, section 4).
const MaxBarred = 64_000

// barredAtOnce is how many customers are blocked in one commit, so that nobody waits long behind it.
const barredAtOnce = 1000

// Barring is what became of a customer who was to be blocked, or no longer to be.
type Barring struct {
	Input    string         // as the application calls the customer
	Customer kabar.Customer // empty when the input names nobody
	Refused  *kabar.Error   // nil: it is done
}

// Bar has a number block customers who have written to it within the window: what they write is dropped, and what is sent to
// them fails with ReasonBarred, also what waits already. most is MaxBarred. One list is changed by one request at a time: another
// one is refused with ReasonBlockBusy.
func (e *Engine) Bar(ctx context.Context, n kabar.NumberID, users []string, most int) ([]Barring, error) {
	return e.changeBars(ctx, n, users, func(count int) func(*store.Tx, *Barring) error {
		return func(tx *store.Tx, b *Barring) error {
			c, err := tx.FindConversation(n, b.Customer.Handle())
			switch {
			case err != nil:
				return err
			case c == nil || c.Barred.IsZero() && !c.WindowOpen(e.now()):
				b.Refused = kabar.Refuse(kabar.ReasonWindowClosed, "", "only who has written in the last 24 hours can be blocked")
				return nil
			case !c.Barred.IsZero():
				b.Customer = c.Customer
				return nil
			case count >= most:
				b.Refused = kabar.Refuse(kabar.ReasonBlockLimit, "", "the number has blocked %d customers, the limit is %d", count, most)
				return nil
			}
			count++
			c.Barred, b.Customer = e.now(), c.Customer
			return tx.SaveConversation(c)
		}
	})
}

// Unbar has a number no longer block customers. Who is not blocked is none the worse.
func (e *Engine) Unbar(ctx context.Context, n kabar.NumberID, users []string) ([]Barring, error) {
	return e.changeBars(ctx, n, users, func(int) func(*store.Tx, *Barring) error {
		return func(tx *store.Tx, b *Barring) error {
			c, err := tx.FindConversation(n, b.Customer.Handle())
			if err != nil || c == nil || c.Barred.IsZero() {
				return err
			}
			c.Barred, b.Customer = time.Time{}, c.Customer
			return tx.SaveConversation(c)
		}
	})
}

// Barred returns a page of the conversations whose customers the number has blocked: see store.DB.Barred.
func (e *Engine) Barred(ctx context.Context, n kabar.NumberID, after, before kabar.ConversationID, limit int) ([]*kabar.Conversation, bool, error) {
	all, more, err := e.db.Barred(ctx, n, after, before, limit)
	return all, more, store.Refusal(err)
}

// changeBars changes a number's block list, a thousand customers a commit. change makes what is done with each of a commit from
// the length that the list has before it.
func (e *Engine) changeBars(ctx context.Context, n kabar.NumberID, users []string, change func(count int) func(*store.Tx, *Barring) error) ([]Barring, error) {
	if !e.claimBars(n) {
		return nil, &kabar.Error{Reason: kabar.ReasonBlockBusy, Detail: "another request changes the block list of this number", After: time.Second}
	}
	defer e.releaseBars(n)
	all := make([]Barring, len(users))
	for i, user := range users {
		all[i].Input = user
		who, err := ParseRecipient(user)
		if err != nil {
			all[i].Refused = kabar.Refuse(kabar.ReasonInvalid, "user", "is neither a phone number with its country code nor a BSUID")
		}
		all[i].Customer = who
	}
	for rest := all; len(rest) > 0; rest = rest[min(len(rest), barredAtOnce):] {
		if err := e.commitBars(ctx, n, rest[:min(len(rest), barredAtOnce)], change); err != nil {
			return nil, store.Refusal(err)
		}
	}
	return all, nil
}

func (e *Engine) commitBars(ctx context.Context, n kabar.NumberID, some []Barring, change func(count int) func(*store.Tx, *Barring) error) error {
	count, err := e.db.CountBarred(ctx, n)
	if err != nil {
		return err
	}
	done := make([]Barring, len(some))
	err = e.db.Write(ctx, func(tx *store.Tx) {
		for i := range some {
			tx.WantHandle(n, some[i].Customer.Handle())
		}
	}, func(tx *store.Tx) error {
		copy(done, some) // the writer may run an operation again
		one := change(count)
		for i := range done {
			if done[i].Refused != nil {
				continue
			}
			if err := one(tx, &done[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		copy(some, done)
	}
	return err
}

func (e *Engine) claimBars(n kabar.NumberID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.bars[n] {
		return false
	}
	e.bars[n] = true
	return true
}

func (e *Engine) releaseBars(n kabar.NumberID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.bars, n)
}

// drop takes a message or a question of a blocked customer from the network and keeps nothing of it: the customer sees it sent, never
// delivered.
func (d *delivery) drop(tx *store.Tx) error {
	d.e.log.Debug("a message of a blocked customer is dropped", "number", d.line.number.ID, "conversation", d.conv.ID)
	if d.u.Ref == "" {
		return nil
	}
	return tx.AddRef(d.line.number, d.u.Ref, 0, d.now)
}
