package engine

import (
	"slices"

	"kabar"
	"kabar/internal/store"
)

// message stores what the customer wrote. The event follows at once, or when the medium has been fetched; the receipt
// follows in any case.
func (d *delivery) message(tx *store.Tx) error {
	in := d.u.Message
	m := &kabar.Message{Direction: kabar.Inbound, Status: kabar.Received, Content: in.Content, At: d.u.At, Wire: d.u.Ref,
		Context: kabar.Context{Forwarded: in.Forwarded, Frequent: in.Frequent, Referral: in.Referral, Product: in.Product}}
	if m.At.After(d.now) {
		m.At = d.now // the window never counts from the future
	}
	err := d.resolve(tx, m)
	if err != nil {
		return err
	}
	if m.At.After(d.conv.LastInbound) {
		d.conv.LastInbound = m.At
	}
	if err := tx.AppendMessage(d.conv, m); err != nil {
		return err
	}
	if d.conv.Refer(m.Context.Referral, m.At) {
		if err := tx.SaveConversation(d.conv); err != nil {
			return err
		}
	}
	if err := tx.AddRef(d.line.number, d.u.Ref, m.ID, d.now); err != nil {
		return err
	}
	if err := d.tapped(tx, m); err != nil {
		return err
	}
	if err := d.e.traffic(tx, d.conv, kabar.ClassInbound, kabar.Traffic{Received: 1}, d.now); err != nil {
		return err
	}
	if err := d.e.addJob(tx, d.conv, jobReceipt, m.ID, kabar.Receipt{Status: kabar.Delivered, Refs: []string{d.u.Ref}}); err != nil {
		return err
	}
	if f := d.fetching(); f != (fetching{}) {
		err = d.e.addJob(tx, d.conv, jobFetch, m.ID, f)
	} else {
		err = d.e.received(tx, d.line, d.conv, m, "")
	}
	if err != nil {
		return err
	}
	tx.After(func() { d.e.meters.count(d.line, d.now) })
	if err := d.preference(tx, m); err != nil {
		return err
	}
	return d.away(tx, m)
}

// fetching says which media of the message are to be downloaded.
func (d *delivery) fetching() (f fetching) {
	in := d.u.Message
	if in.Medium != nil && d.wanted(in.Content) {
		f.Content = in.Medium
	}
	if in.Referral != nil && !d.line.settings.SkipReferral {
		f.Picture = in.Picture
	}
	return f
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
	if store.IsNotFound(err) || (err == nil && m.Conversation != d.conv.ID) {
		return 0, ref, nil
	}
	return id, "", err
}
