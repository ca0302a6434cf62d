package engine

import (
	"time"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/store"
)

// monthForm is how the months are written in which a number has messages free.
const monthForm = "2006-01"

// wantPrice announces what quote will ask for.
func (e *Engine) wantPrice(tx *store.Tx, l *line, c kabar.Content, now time.Time) {
	tx.WantCredit(l.account.ID)
	tx.WantRateUse(l.number.ID, now.In(l.zone).Format(monthForm), kabar.ClassOf(c))
}

// quote says what a message that is being accepted costs, and notes it in the message: an entry that reserves it, for charge to store
// once the message has its key; nil: nothing. A reason says that the account cannot pay for it.
func (e *Engine) quote(tx *store.Tx, l *line, c *kabar.Conversation, m *kabar.Message, now time.Time) (*kabar.LedgerEntry, kabar.Reason, error) {
	class := kabar.ClassOf(m.Content)
	if m.Content.Kind() == kabar.KindReaction { // nobody pays for one
		return nil, "", nil
	}
	there := now.In(l.zone)
	rate := e.accounts.Rates().At(there, l.account.Currency, e.country(c.Customer), class)
	cost, pricing := rate.Price(kabar.PricingFacts{Window: c.WindowOpen(now), Entry: c.EntryPointOpen(now)})
	if cost != 0 && rate.Free > 0 {
		used, err := tx.RateUse(l.number, there.Format(monthForm), class, 1)
		if err != nil {
			return nil, "", err
		}
		if used < rate.Free {
			cost, pricing = 0, kabar.PricingFreeWindow
		}
	}
	if pricing != "" && pricing != class.Pricing() {
		m.Pricing = pricing
	}
	if cost == 0 {
		return nil, "", nil
	}
	return e.reserve(tx, l, m, kabar.LedgerEntry{Account: l.account.ID, Number: l.number.ID, At: now, Kind: kabar.LedgerReserve, Amount: cost,
		Currency: l.account.Currency, Rate: rate.ID()})
}

// reserve takes what an entry names from what is available.
func (e *Engine) reserve(tx *store.Tx, l *line, m *kabar.Message, entry kabar.LedgerEntry) (*kabar.LedgerEntry, kabar.Reason, error) {
	credit, err := tx.Credit(entry.Account)
	if err != nil {
		return nil, "", err
	}
	covered := credit.Covers(entry.Amount)
	if covered {
		credit.Reserved += entry.Amount
	}
	if err := e.warn(tx, l, credit, !covered, entry.At); err != nil {
		return nil, "", err
	}
	if !covered {
		return nil, kabar.ReasonPayment, nil
	}
	if entry.ID, err = tx.NewKey(); err != nil {
		return nil, "", err
	}
	m.Charge = entry.ID
	return &entry, "", nil
}

// charge stores what quote has said, now that the message has its key.
func charge(tx *store.Tx, entry *kabar.LedgerEntry, m *kabar.Message) error {
	if entry == nil {
		return nil
	}
	entry.Message = m.ID
	return tx.AddLedger(entry)
}

// reprice charges a message anew that goes out as something else than it was accepted as, in the place of what was reserved for that.
func (e *Engine) reprice(tx *store.Tx, l *line, c *kabar.Conversation, m *kabar.Message, now time.Time) error {
	if m.Charge != 0 {
		if _, err := endCharge(tx, m, kabar.LedgerRelease, now); err != nil {
			return err
		}
	}
	m.Charge, m.Pricing = 0, ""
	entry, reason, err := e.quote(tx, l, c, m, now)
	if err != nil {
		return err
	}
	if reason != "" {
		return &network.Refused{Reason: reason}
	}
	return charge(tx, entry, m)
}

// warn tells how much of the line of credit is used, unless that was told, and stores the line.
func (e *Engine) warn(tx *store.Tx, l *line, c *kabar.Credit, refused bool, now time.Time) error {
	percent := c.Warn(refused)
	if err := tx.SaveCredit(c); err != nil || percent == 0 {
		return err
	}
	return e.addEvent(tx, l, &kabar.Event{Account: c.Account, Number: l.number.ID, Kind: kabar.EventCredit, At: now,
		Credit: &kabar.CreditAlert{Percent: percent, Limit: c.Limit, Available: c.Available(), Currency: l.account.Currency}})
}

// settle ends what was reserved for a message that has come to its status: it was delivered, or has failed. Each happens to a message
// at most once, since statuses only move forward. It returns what the message has cost by that.
func settle(tx *store.Tx, m *kabar.Message, now time.Time) (cost kabar.Money, err error) {
	if m.Charge == 0 {
		return 0, nil
	}
	switch m.Status {
	case kabar.Delivered:
		return endCharge(tx, m, kabar.LedgerSettle, now)
	case kabar.Failed:
		_, err = endCharge(tx, m, kabar.LedgerRelease, now)
		return 0, err
	default: // what costs is the delivery
		return 0, nil
	}
}

// endCharge moves what was reserved for a message to where the kind of the new entry says, and returns how much that was.
func endCharge(tx *store.Tx, m *kabar.Message, kind kabar.LedgerKind, now time.Time) (kabar.Money, error) {
	entry, err := tx.Ledger(m.Account, m.Charge)
	if err != nil {
		return 0, err
	}
	credit, err := tx.Credit(m.Account)
	if err != nil {
		return 0, err
	}
	credit.Reserved -= entry.Amount
	if kind == kabar.LedgerSettle {
		credit.Spent += entry.Amount
	}
	if err := tx.SaveCredit(credit); err != nil {
		return 0, err
	}
	entry.ID, entry.Kind, entry.At = 0, kind, now
	return entry.Amount, tx.AddLedger(entry)
}

// covered refuses, just before a message leaves, what costs while the line of credit is overdrawn: its limit was lowered meanwhile. What
// has left once, and is asked for again, goes on.
func (t *task) covered(tx *store.Tx) error {
	if t.msg == nil || t.msg.Charge == 0 || t.job.Kind != jobSend {
		return nil
	}
	credit, err := tx.Credit(t.msg.Account)
	if err != nil {
		return err
	}
	if credit.Overdrawn() {
		return &network.Refused{Reason: kabar.ReasonPayment}
	}
	return nil
}
