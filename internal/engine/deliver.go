package engine

import (
	"context"
	"encoding/hex"
	"slices"
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
	in.e.sends.HurryAll()
	in.e.fetches.HurryAll()
}

// Deliver implements network.Inbox: the update, what follows from it and the driver's change are one transaction.
func (in *inbox) Deliver(ctx context.Context, u kabar.Update, c network.Change) error {
	l, err := in.e.line(in.id)
	if err != nil {
		return err
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
	tx.WantSeq(n)
	if d.u.Ref != "" {
		tx.WantRef(n, d.u.Ref)
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
	if err := d.meet(tx); err != nil {
		return err
	}
	switch u := d.u; {
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
		d.conv.Blocked = *u.Blocked
		return tx.SaveConversation(d.conv)
	case u.Garbled:
		return d.garbled(tx)
	}
	return nil
}

// meet finds or starts the conversation and notes what the update tells about the customer.
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
	if d.conv == nil {
		if d.conv, err = tx.CreateConversation(d.line.number, d.u.From); err != nil {
			return err
		}
	}
	was := d.conv.Customer
	d.conv.Customer = kabar.Customer{WaID: orElse(d.u.From.WaID, was.WaID), BSUID: orElse(d.u.From.BSUID, was.BSUID), Name: orElse(d.u.From.Name, was.Name)}
	changed := was != d.conv.Customer
	if d.u.NewIdentity != "" && d.u.NewIdentity != d.conv.IdentityHash {
		if d.conv.IdentityHash != "" {
			d.conv.ProfileSent = 0 // a new installation knows nothing of us
			if err := d.identity(tx); err != nil {
				return err
			}
		}
		d.conv.IdentityHash = d.u.NewIdentity
		changed = true
	}
	if !changed {
		return nil
	}
	return tx.SaveConversation(d.conv)
}

func orElse(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

func (d *delivery) identity(tx *store.Tx) error {
	return d.e.addEvent(tx, d.line, &kabar.Event{Account: d.conv.Account, Number: d.conv.Number, Conversation: d.conv.ID,
		Kind: kabar.EventIdentity, At: d.now, Customer: d.conv.Customer, Hash: d.u.NewIdentity})
}

// message stores what the customer wrote. The event follows at once, or when the medium has been fetched; the receipt
// follows in any case.
func (d *delivery) message(tx *store.Tx) error {
	in := d.u.Message
	m := &kabar.Message{Direction: kabar.Inbound, Status: kabar.Received, Content: in.Content, At: d.u.At, Wire: d.u.Ref,
		Context: kabar.Context{Forwarded: in.Forwarded, Frequent: in.Frequent, Referral: in.Referral}}
	if m.At.After(d.now) {
		m.At = d.now // the window never counts from the future
	}
	if err := d.resolve(tx, m); err != nil {
		return err
	}
	if m.At.After(d.conv.LastInbound) {
		d.conv.LastInbound = m.At
	}
	if err := tx.AppendMessage(d.conv, m); err != nil {
		return err
	}
	if err := tx.AddRef(d.line.number, d.u.Ref, m.ID, d.now); err != nil {
		return err
	}
	if err := d.e.addJob(tx, d.conv, jobReceipt, m.ID, kabar.Receipt{Status: kabar.Delivered, Refs: []string{d.u.Ref}}); err != nil {
		return err
	}
	if in.Medium != nil && d.wanted(in.Content) {
		return d.e.addJob(tx, d.conv, jobFetch, m.ID, in.Medium)
	}
	return d.e.received(tx, d.line, d.conv, m, "")
}

// wanted reports whether the settings ask for this kind of medium to be downloaded.
func (d *delivery) wanted(c kabar.Content) bool {
	kind := string(c.Kind())
	if m := kabar.MediumOf(c); m != nil && m.Voice {
		kind = "voice"
	}
	return slices.Contains(d.line.settings.AutoDownload, kind)
}

// resolve turns the network's ids in a message into keys.
func (d *delivery) resolve(tx *store.Tx, m *kabar.Message) error {
	var err error
	if m.Context.ReplyTo, m.Context.Unknown, err = d.lookup(tx, d.u.Message.ReplyTo); err != nil {
		return err
	}
	if r, ok := m.Content.(*kabar.Reaction); ok {
		r.Target, r.Unknown, err = d.lookup(tx, d.u.Message.Target)
	}
	return err
}

// lookup returns the key of the message with a network id, or the id again if it is none of this conversation's.
func (d *delivery) lookup(tx *store.Tx, ref string) (kabar.MessageID, string, error) {
	if ref == "" {
		return 0, "", nil
	}
	id, ok := d.e.ours(ref)
	if !ok {
		var err error
		if id, ok, err = tx.Ref(d.line.number.ID, ref); err != nil {
			return 0, "", err
		}
	}
	if !ok {
		return 0, ref, nil
	}
	m, err := tx.Message(d.line.number.ID, id)
	if isMissing(err) || (err == nil && m.Conversation != d.conv.ID) {
		return 0, ref, nil
	}
	return id, "", err
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
	if isMissing(err) || (err == nil && (m.Conversation != d.conv.ID || m.Direction != kabar.Outbound)) {
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
		if m.Status == kabar.Accepted { // the receipt was faster than the end of our own sending
			m.Status = kabar.Sent
			if err := d.e.tell(tx, d.line, d.conv, m, d.at()); err != nil {
				return err
			}
		}
		m.Status = d.u.Receipt.Status
		if err := d.e.tell(tx, d.line, d.conv, m, d.at()); err != nil {
			return err
		}
	}
	return nil
}

// at is when the customer did what the update reports, but never later than now.
func (d *delivery) at() time.Time {
	if d.u.At.IsZero() || d.u.At.After(d.now) {
		return d.now
	}
	return d.u.At
}
