package engine

import (
	"context"

	"kabar"
	"kabar/internal/store"
)

// reach counts the recipient against the account's tier when the message is accepted, and not only when it leaves: so a broadcast pauses
// at the tier, to the customer, and no message is accepted to fail there.
func (t *turn) reach(tx *store.Tx) error {
	m, tier := t.message, t.line.settings.Limits.Tier
	if tier == 0 || m.Status != kabar.Accepted {
		return nil
	}
	c, err := tx.Conversation(m.Number, m.Conversation)
	if err != nil || c.WindowOpen(t.now) {
		return err
	}
	customers, counts, err := tx.Reach(c.Account, c.Customer.Handle())
	if err != nil {
		return err
	}
	if !counts && !tier.Allows(customers) {
		return kabar.Refuse(kabar.ReasonTier, "", "the account has reached %d customers in 24 hours, which is all that its tier allows", customers)
	}
	return tx.AddReach(t.line.number, c.Customer.Handle(), t.now)
}

// reachedPage is how many customers who count are read at a time.
const reachedPage = 1000

// overTier returns how many of some customers are more than a number's tier has room for now, those counted already aside.
func (e *Engine) overTier(ctx context.Context, l *line, handles []string) (int, error) {
	tier, account := l.settings.Limits.Tier, l.number.Account
	customers, err := e.db.Reached(ctx, account)
	if err != nil || tier.Allows(customers+len(handles)-1) {
		return 0, err
	}
	if err := e.unreach(ctx, account, e.now()); err != nil {
		return 0, err
	}
	fresh := make(map[string]bool, len(handles))
	for _, h := range handles {
		fresh[h] = true
	}
	customers = 0
	for after := ""; ; {
		page, err := e.db.CountedCustomers(ctx, account, after, reachedPage)
		if err != nil {
			return 0, err
		}
		if len(page) == 0 {
			return max(0, len(fresh)-max(0, int(tier)-customers)), nil
		}
		for _, h := range page {
			delete(fresh, h)
		}
		customers += len(page)
		after = page[len(page)-1]
	}
}
