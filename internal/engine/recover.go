package engine

import (
	"slices"

	"kabar"
	"kabar/internal/store"
)

// retry sends again what the customer could not decrypt: the same message id, in a fresh session, a few times at most.
// While the customer's new identity waits to be acknowledged nothing is: Acknowledge does.
func (d *delivery) retry(tx *store.Tx) error {
	for refs := range slices.Chunk(d.u.Retry.Again, joined) {
		if err := d.e.addJob(tx, d.conv, jobRetry, 0, kabar.Retry{Refs: refs}); err != nil {
			return err
		}
	}
	if withheld(d.line, d.conv) {
		return nil
	}
	for _, ref := range d.u.Retry.Refs {
		m, err := d.sent(tx, ref)
		if err != nil {
			return err
		}
		if m == nil || m.Status >= kabar.Delivered { // failed is above delivered
			continue
		}
		if m.Attempts >= kabar.MaxResends {
			if err := d.e.fail(tx, d.line, d.conv, m, kabar.ReasonUndeliverable, d.now); err != nil {
				return err
			}
			continue
		}
		m.Attempts++
		if err := tx.SetStatus(m); err != nil {
			return err
		}
		if err := d.e.addJob(tx, d.conv, jobResend, m.ID, nil); err != nil {
			return err
		}
	}
	return nil
}

// expired fails what the network has given up on.
func (d *delivery) expired(tx *store.Tx) error {
	for _, ref := range d.u.Expired.Refs {
		m, err := d.sent(tx, ref)
		if err != nil {
			return err
		}
		if m == nil {
			continue
		}
		if err := d.e.fail(tx, d.line, d.conv, m, kabar.ReasonExpired, d.now); err != nil {
			return err
		}
	}
	return nil
}

// garbled asks for what could not be decrypted.
func (d *delivery) garbled(tx *store.Tx) error {
	if err := tx.AddRef(d.line.number, d.u.Ref, 0, d.now); err != nil {
		return err
	}
	return d.e.addJob(tx, d.conv, jobRetry, 0, kabar.Retry{Refs: []string{d.u.Ref}})
}

// deleted tells that the customer has deleted a message; the message itself stays.
func (d *delivery) deleted(tx *store.Tx) error {
	id, ok, err := tx.Ref(d.line.number.ID, d.u.Deleted)
	if err != nil || !ok || id == 0 {
		return err
	}
	m, err := tx.Message(d.line.number.ID, id)
	if err != nil || m.Conversation != d.conv.ID {
		return ignoreMissing(err)
	}
	return d.e.addEvent(tx, d.line, &kabar.Event{Account: d.conv.Account, Number: d.conv.Number, Conversation: d.conv.ID,
		Kind: kabar.EventDeleted, At: d.at(), Customer: d.conv.Customer, Message: m.ID, Ref: m.Ref})
}
