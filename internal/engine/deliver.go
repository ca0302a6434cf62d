package engine

import (
	"context"
	"encoding/hex"
	"time"

	"kabar"
	"kabar/internal/msgid"
	"kabar/internal/network"
	"kabar/internal/store"
)

// inbox is the engine as the driver of one number sees it.
type inbox struct {
	e  *Engine
	id kabar.NumberID
}

// State implements network.Inbox.
func (in *inbox) State(ctx context.Context, keys ...string) (network.State, error) {
	return in.e.state(ctx, in.id, keys)
}

// Ready implements network.Inbox.
func (in *inbox) Ready() {
	in.e.hurryAll()
	in.e.stirred.fire()
}

// Deliver implements network.Inbox: the update, what follows from it and the driver's change are one transaction.
func (in *inbox) Deliver(ctx context.Context, u kabar.Update, c network.Change) error {
	l, err := in.e.line(in.id)
	if err != nil {
		return err
	}
	if u.Message != nil {
		in.e.note(Note{Number: in.id, Fact: FactArrived})
	}
	d := &delivery{e: in.e, line: l, u: &u, now: in.e.now()}
	return conflict(in.e.db.Write(ctx, func(tx *store.Tx) {
		wantChange(tx, in.id, c)
		d.hint(tx)
	}, func(tx *store.Tx) error {
		if err := apply(tx, l.number, c); err != nil {
			return err
		}
		return d.commit(tx)
	}))
}

// delivery is one update on its way through the writer.
type delivery struct {
	e    *Engine
	line *line
	u    *kabar.Update
	now  time.Time
	conv *kabar.Conversation
}

func (d *delivery) hint(tx *store.Tx) {
	n := d.line.number.ID
	tx.WantHandle(n, d.u.From.Handle())
	if d.u.Was != "" {
		tx.WantHandle(n, d.u.Was)
	}
	tx.WantSeq(n)
	if d.u.Ref != "" {
		tx.WantRef(n, d.u.Ref)
	}
	if d.u.Tapped != nil {
		if id, ok := d.e.ours(d.u.Tapped.Message); ok {
			tx.WantMessage(id)
		}
	}
	if d.u.Receipt != nil {
		for _, ref := range d.u.Receipt.Refs {
			if id, ok := d.e.ours(ref); ok {
				tx.WantMessage(id)
			}
		}
	}
}

func (d *delivery) commit(tx *store.Tx) error {
	d.conv = nil // the writer may run an operation again
	if d.u.From.Handle() == "" {
		return nil // a change of the driver's own state
	}
	if d.u.Ref != "" {
		if _, seen, err := tx.Ref(d.line.number.ID, d.u.Ref); seen || err != nil {
			return err
		}
	}
	if err := d.move(tx); err != nil {
		return err
	}
	if err := d.meet(tx); err != nil || d.conv == nil {
		return err
	}
	switch u := d.u; {
	case !d.conv.Barred.IsZero() && (u.Message != nil || u.Garbled || u.Asked != nil || u.Tapped != nil):
		return d.drop(tx)
	case u.Message != nil:
		return d.message(tx)
	case u.Receipt != nil:
		return d.receipt(tx)
	case u.Retry != nil:
		return d.retry(tx)
	case u.Expired != nil:
		return d.expired(tx)
	case u.Deleted != "":
		return d.deleted(tx)
	case u.Blocked != nil:
		return d.blocked(tx, *u.Blocked)
	case u.Reported:
		return d.reported(tx)
	case u.Garbled:
		return d.garbled(tx)
	case u.Asked != nil:
		return d.asked(tx)
	case u.Tapped != nil:
		return d.opened(tx)
	}
	return nil
}

// meet finds or starts the conversation and notes what the update tells about the customer. A receipt starts none.
func (d *delivery) meet(tx *store.Tx) error {
	var err error
	for _, h := range []string{d.u.From.WaID, d.u.From.BSUID} {
		if h == "" || d.conv != nil {
			continue
		}
		if d.conv, err = tx.FindConversation(d.line.number.ID, h); err != nil {
			return err
		}
	}
	if d.conv == nil && d.u.Receipt != nil {
		return nil // of messages that are gone: the customer has been erased since they were sent, and is not met anew by that
	}
	if d.conv == nil {
		if d.conv, err = tx.CreateConversation(d.line.number, d.u.From); err != nil {
			return err
		}
	}
	was := d.conv.Customer
	d.conv.Customer = kabar.Customer{WaID: orElse(d.u.From.WaID, was.WaID), BSUID: orElse(d.u.From.BSUID, was.BSUID), Name: orElse(d.u.From.Name, was.Name),
		Former: was.Former}
	changed := was != d.conv.Customer
	other, err := d.e.recognise(tx, d.line, d.conv, d.u.NewIdentity, d.now)
	if err != nil || !changed && !other {
		return err
	}
	return tx.SaveConversation(d.conv)
}

func orElse(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

// ours returns the key in the network's id of a message of ours. Whether there is such a message is another question.
func (e *Engine) ours(ref string) (kabar.MessageID, bool) {
	stanza, err := hex.DecodeString(ref)
	if err != nil {
		return 0, false
	}
	hidden, ok := msgid.Ref(stanza)
	if !ok {
		return 0, false
	}
	return e.db.Deref(hidden), true
}

// sent returns one of our messages to this customer by the network's id; nil if it is none.
func (d *delivery) sent(tx *store.Tx, ref string) (*kabar.Message, error) {
	id, ok := d.e.ours(ref)
	if !ok {
		return nil, nil
	}
	m, err := tx.Message(d.line.number.ID, id)
	if store.IsNotFound(err) || (err == nil && (m.Conversation != d.conv.ID || m.Direction != kabar.Outbound)) {
		return nil, nil
	}
	return m, err
}

func (d *delivery) receipt(tx *store.Tx) error {
	for _, ref := range d.u.Receipt.Refs {
		m, err := d.sent(tx, ref)
		if err != nil {
			return err
		}
		if m == nil || !m.Status.Advance(d.u.Receipt.Status) {
			continue
		}
		for _, step := range append(implied(m.Status, d.u.Receipt.Status), d.u.Receipt.Status) {
			m.Status = step
			if err := d.e.tell(tx, d.line, d.conv, m, d.at()); err != nil {
				return err
			}
		}
	}
	return nil
}

// implied are the statuses between two that nobody has reported: a receipt may be faster than the end of our own sending, and
// what is read as it arrives is reported as read alone.
func implied(from, to kabar.Status) []kabar.Status {
	var steps []kabar.Status
	for _, step := range []kabar.Status{kabar.Sent, kabar.Delivered} {
		if from < step && step < to {
			steps = append(steps, step)
		}
	}
	return steps
}

// at is when the customer did what the update reports, but never later than now.
func (d *delivery) at() time.Time {
	if d.u.At.IsZero() || d.u.At.After(d.now) {
		return d.now
	}
	return d.u.At
}
