package engine

import (
	"cmp"
	"context"
	"time"

	"kabar"
	"kabar/internal/store"
)

// traffic counts what has become of a message with a customer, for the account's figures.
func (e *Engine) traffic(tx *store.Tx, c *kabar.Conversation, class kabar.Category, t kabar.Traffic, now time.Time) error {
	t.Account, t.Number, t.Slot, t.Class, t.Country = c.Account, c.Number, kabar.SlotOf(now), string(class), e.country(c.Customer)
	return tx.AddTraffic(t)
}

// moved counts a message of the business that has come further, and what that has cost. A reaction is none that anybody pays for.
func (e *Engine) moved(tx *store.Tx, c *kabar.Conversation, m *kabar.Message, class kabar.Category, cost kabar.Money, now time.Time) error {
	if m.Content.Kind() == kabar.KindReaction {
		return nil
	}
	switch m.Status {
	case kabar.Sent:
		return e.traffic(tx, c, class, kabar.Traffic{Sent: 1}, now)
	case kabar.Delivered:
		t := kabar.Traffic{Delivered: 1, Cost: cost}
		switch cmp.Or(m.Pricing, class.Pricing()) {
		case kabar.PricingFreeWindow:
			t.FreeWindow = 1
		case kabar.PricingFreeEntry:
			t.FreeEntry = 1
		case kabar.PricingRegular:
		}
		return e.traffic(tx, c, class, t, now)
	case kabar.Read:
		return e.traffic(tx, c, class, kabar.Traffic{Read: 1}, now)
	default: // nothing is counted of the others
		return nil
	}
}

// Traffic returns what is counted of the messages of an account's attached numbers, from the slot of one time up to that of another.
func (e *Engine) Traffic(ctx context.Context, a kabar.AccountID, from, to time.Time) (all []kabar.Traffic, err error) {
	for _, n := range e.Numbers() {
		if n.Account != a {
			continue
		}
		more, err := e.db.Traffic(ctx, a, n.ID, kabar.SlotOf(from), kabar.SlotOf(to))
		if err != nil {
			return nil, store.Refusal(err)
		}
		all = append(all, more...)
	}
	return all, nil
}

// Quality says how customers take a number, by its traffic of the last days.
func (e *Engine) Quality(ctx context.Context, n *kabar.Number) (kabar.TemplateScore, error) {
	now := e.now()
	all, err := e.db.Traffic(ctx, n.Account, n.ID, kabar.SlotOf(now.Add(-kabar.TemplateDays*24*time.Hour)), kabar.SlotOf(now))
	if err != nil {
		return kabar.ScoreUnknown, store.Refusal(err)
	}
	return kabar.QualityOf(all), nil
}
