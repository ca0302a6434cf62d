package engine

import (
	"kabar"
	"kabar/internal/store"
)

// move takes the conversation of a customer who has changed number over to the new one. The customer says so with the first
// message from there, and is believed only with the identity that the conversation knows: nobody else has its key.
//
// Who has written under the new number before has a conversation there already. It goes on, and the earlier one ends.
//
// Who had hidden the number until now shows it in the same way, and keeps the BSUID. That is no change to be told of.
func (d *delivery) move(tx *store.Tx) error {
	was, now, n := d.u.Was, d.u.From.WaID, d.line.number.ID
	if was == "" || now == "" || was == now {
		return nil
	}
	c, err := tx.FindConversation(n, was)
	if err != nil || c == nil || c.Customer.Handle() != was || c.IdentityHash == "" || c.IdentityHash != d.u.NewIdentity {
		return err
	}
	before, hidden := c.Customer, c.Customer.WaID == ""
	other, err := tx.FindConversation(n, now)
	if err != nil {
		return err
	}
	if other == nil {
		if c.Customer.WaID = now; !hidden {
			c.Customer.Former = orElse(before.Former, was)
		}
		if err := tx.SaveConversation(c); err != nil {
			return err
		}
	}
	if hidden {
		return nil
	}
	if err := tx.Unlead(n, was); err != nil {
		return err
	}
	if err := d.carryConsent(tx, c.Account, was, now); err != nil {
		return err
	}
	return d.e.addEvent(tx, d.line, &kabar.Event{Account: c.Account, Number: n, Conversation: c.ID, Kind: kabar.EventNumber, At: d.at(),
		Customer: before, NewWaID: now})
}
