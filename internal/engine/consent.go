package engine

import (
	"time"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/store"
)

// agreed fills in what the recipient of a message has agreed to. It is looked for only where that matters: a text asks nothing.
func (e *Engine) agreed(tx *store.Tx, l *line, who kabar.Customer, f *kabar.Facts, now time.Time) error {
	p := &l.settings.Consent
	if !kabar.AsksConsent(f.Content, p) {
		return nil
	}
	c, err := consentOf(tx, l.number.Account, who)
	if err != nil {
		return err
	}
	f.Consent, f.Required, f.Capped = c.State, p.Required, p.Capped(c, e.country(who), now)
	return nil
}

// consentOf returns where the ledger has led for a customer. What was said under the BSUID counts as well as what was said under the
// number, whichever was later; what is counted is counted under the handle.
func consentOf(tx *store.Tx, a kabar.AccountID, who kabar.Customer) (*kabar.Consent, error) {
	c, err := tx.Consent(a, who.Handle())
	if err != nil || who.WaID == "" || who.BSUID == "" {
		return c, err
	}
	other, err := tx.Consent(a, who.BSUID)
	if err == nil && other.At.After(c.At) {
		c.State, c.At, c.Own = other.State, other.At, other.Own
	}
	return c, err
}

// consented asks the rules once more about a template, in the commit after which it leaves: an opt-out is obeyed by what has waited,
// too. Marketing is counted here, once for each message.
func (t *task) consented(tx *store.Tx, c *kabar.Conversation, now time.Time) error {
	p := &t.line.settings.Consent
	if t.msg == nil || t.job.Kind != jobSend || !kabar.AsksConsent(t.msg.Content, p) {
		return nil
	}
	f := kabar.Facts{Content: t.msg.Content, Conversation: c, Recipient: c.Customer.Handle(), Sender: t.line.number.Digits,
		Expires: t.msg.Expires}
	if err := t.e.agreed(tx, t.line, c.Customer, &f, now); err != nil {
		return err
	}
	if _, reason := kabar.Judge(now, f); reason != "" {
		return &network.Refused{Reason: reason}
	}
	tm, _ := t.msg.Content.(*kabar.Template)
	if !tm.IsMarketing() || c.WindowOpen(now) || !p.Caps(t.e.country(c.Customer)) {
		return nil
	}
	counted, err := tx.Consent(c.Account, c.Customer.Handle())
	if err != nil {
		return err
	}
	counted.Market(now)
	return tx.SaveConsent(counted)
}

// preference notes that the customer opts out of marketing with a message, or in again: by a word, or by a quick reply that says it.
// Who says it again says nothing new. An opt-out holds from when it arrives, whatever the customer's clock shows.
func (d *delivery) preference(tx *store.Tx, m *kabar.Message) error {
	said, word := d.line.settings.Consent.Heard(saidIn(m.Content))
	if said == kabar.ConsentUnknown {
		return nil
	}
	c, err := consentOf(tx, d.conv.Account, d.conv.Customer)
	if err != nil {
		return err
	}
	entry := &kabar.ConsentEntry{State: said, For: "marketing", At: d.now, How: "word " + word, Proof: "message " + m.Wire, By: kabar.ByCustomer,
		Recorded: d.now}
	if said == kabar.ConsentIn && !c.Own { // it may have been on its way while the business recorded an opt-out
		entry.At = m.At
	}
	if changed, err := c.Take(entry); err != nil || !changed {
		return err
	}
	if err := tx.SaveConsent(c); err != nil {
		return err
	}
	if err := tx.AddConsentEntry(c.Account, c.Handle, entry); err != nil {
		return err
	}
	detail := "User requested to resume marketing messages"
	if said == kabar.ConsentOut {
		detail = "User requested to stop marketing messages"
	}
	return d.e.addEvent(tx, d.line, &kabar.Event{Account: c.Account, Number: d.conv.Number, Conversation: d.conv.ID, Kind: kabar.EventConsent,
		At: m.At, Customer: d.conv.Customer, Consent: said, Detail: detail})
}

// saidIn is what a customer says with a message that may be about consent.
func saidIn(c kabar.Content) string {
	switch c := c.(type) {
	case *kabar.Text:
		return c.Body
	case *kabar.Button:
		return c.Text
	}
	return ""
}

// carryConsent has what a customer has agreed to follow to another number, unless more is known there.
func (d *delivery) carryConsent(tx *store.Tx, a kabar.AccountID, was, now string) error {
	before, err := tx.Consent(a, was)
	if err != nil || before.State == kabar.ConsentUnknown {
		return err
	}
	after, err := tx.Consent(a, now)
	if err != nil || after.At.After(before.At) {
		return err
	}
	entry := &kabar.ConsentEntry{State: before.State, For: "marketing", At: before.At, How: "number changed", Proof: "was " + was, By: kabar.ByCustomer,
		Recorded: d.now}
	after.State, after.At, after.Own = before.State, before.At, before.Own
	if err := tx.SaveConsent(after); err != nil {
		return err
	}
	return tx.AddConsentEntry(a, now, entry)
}
