package engine

import (
	"context"
	"time"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/store"
)

// reaches reports whether a message that leaves reaches the customer outside the window, where that is counted. A message that was
// held back or replaced by a template counts as what it is when it leaves.
func (t *task) reaches(c *kabar.Conversation, now time.Time) bool {
	return t.msg != nil && t.job.Kind == jobSend && t.line.settings.Limits.Tier != 0 && t.msg.Content.Kind() == kabar.KindTemplate && !c.WindowOpen(now)
}

// wantReach announces what reach will ask for.
func (t *task) wantReach(tx *store.Tx, now time.Time) {
	if t.reaches(t.conv, now) {
		tx.WantReach(t.conv.Account, t.conv.Customer.Handle())
	}
}

// reach holds a message to the account's tier, in the commit after which it leaves.
func (t *task) reach(tx *store.Tx, c *kabar.Conversation, now time.Time) error {
	if !t.reaches(c, now) {
		return nil
	}
	customers, counts, err := tx.Reach(c.Account, c.Customer.Handle())
	if err != nil {
		return err
	}
	if !counts && !t.line.settings.Limits.Tier.Allows(customers) {
		return &network.Refused{Reason: kabar.ReasonTier}
	}
	return tx.AddReach(t.line.number, c.Customer.Handle(), now)
}

// arrived notes that a template has come to the customer whom it may have reached outside the window.
func arrived(tx *store.Tx, l *line, c *kabar.Conversation, m *kabar.Message, now time.Time) error {
	if m.Status != kabar.Delivered || l.settings.Limits.Tier == 0 || m.Content.Kind() != kabar.KindTemplate {
		return nil
	}
	return tx.ReachDelivered(c.Account, c.Customer.Handle(), m.At, now)
}

// makeRoom has those count no longer who were reached long enough ago, when there would be no room for the message otherwise.
func (t *task) makeRoom(ctx context.Context, now time.Time) error {
	if !t.reaches(t.conv, now) {
		return nil
	}
	customers, err := t.e.db.Reached(ctx, t.conv.Account)
	if err != nil || t.line.settings.Limits.Tier.Allows(customers) {
		return err
	}
	return t.e.unreach(ctx, t.conv.Account, now)
}

func (e *Engine) unreach(ctx context.Context, a kabar.AccountID, now time.Time) error {
	for more := true; more; {
		var err error
		if more, err = e.db.Unreach(ctx, a, now.Add(-kabar.TierSpan), now.Add(-kabar.TierMonth)); err != nil {
			return err
		}
	}
	return nil
}

// sweepReach is unreach for all accounts.
func (e *Engine) sweepReach(ctx context.Context) error {
	all, err := e.db.Reaching(ctx)
	for _, a := range all {
		if err := e.unreach(ctx, a, e.now()); err != nil {
			return err
		}
	}
	return err
}

// Reach returns how many customers an account has reached outside their windows. More than the highest tier has are not told apart.
func (e *Engine) Reach(ctx context.Context, a kabar.AccountID) (r kabar.Reach, err error) {
	now := e.now()
	for _, span := range []struct {
		of    time.Duration
		into  *int
		count func(context.Context, kabar.AccountID, time.Time, int) (int, error)
	}{{kabar.TierSpan, &r.Day, e.db.ReachedSince}, {kabar.TierWeek, &r.Week, e.db.ReachedSince}, {kabar.TierMonth, &r.Delivered, e.db.DeliveredSince}} {
		if *span.into, err = span.count(ctx, a, now.Add(-span.of), int(kabar.Tier100K)); err != nil {
			return r, store.Refusal(err)
		}
	}
	return r, nil
}
