package engine

import (
	"context"

	"kabar"
	"kabar/internal/msgid"
	"kabar/internal/network"
	"kabar/internal/store"
)

// marked is how many messages one receipt tells of at most, and walked how far back one commit looks for unread ones.
const (
	marked = 100
	walked = 1000
)

// MarkRead marks an inbound message and those before it as read, and has the customer told.
func (e *Engine) MarkRead(ctx context.Context, n kabar.NumberID, id kabar.MessageID) error {
	m, err := e.db.Message(ctx, n, id)
	if err == nil && m.Direction != kabar.Inbound {
		err = &store.NotFoundError{What: "inbound message"}
	}
	for err == nil && id != 0 {
		var older kabar.MessageID
		err = e.db.Write(ctx, func(tx *store.Tx) { tx.WantMessage(id) }, func(tx *store.Tx) error {
			var err error
			older, err = e.markChain(tx, n, id)
			return err
		})
		id = older
	}
	return store.Refusal(err)
}

// markChain marks a message and the unread ones before it, newest first, down to one that has been read, and adds the
// receipt. It returns the message to go on from when there is more than fits into one receipt; 0 when it is done.
func (e *Engine) markChain(tx *store.Tx, n kabar.NumberID, id kabar.MessageID) (older kabar.MessageID, err error) {
	m, err := tx.Message(n, id)
	if err != nil {
		return 0, err
	}
	newest, refs := m, []string(nil)
	for range walked {
		if m.Direction == kabar.Inbound {
			if !m.Status.Advance(kabar.Read) {
				return 0, e.tellRead(tx, newest, refs)
			}
			if len(refs) == marked {
				break
			}
			m.Status = kabar.Read
			if err := tx.SetStatus(m); err != nil {
				return 0, err
			}
			refs = append(refs, m.Wire)
		}
		if m.Prev == 0 {
			return 0, e.tellRead(tx, newest, refs)
		}
		older, err := tx.Message(n, m.Prev)
		if store.IsNotFound(err) {
			return 0, e.tellRead(tx, newest, refs) // it has been collected, and all before it
		}
		if err != nil {
			return 0, err
		}
		m = older
	}
	return m.ID, e.tellRead(tx, newest, refs)
}

// tellRead has the customer told what has been read.
func (e *Engine) tellRead(tx *store.Tx, m *kabar.Message, refs []string) error {
	if len(refs) == 0 {
		return nil
	}
	c, err := tx.Conversation(m.Number, m.Conversation)
	if err != nil {
		return err
	}
	return e.addJob(tx, c, jobReceipt, m.ID, kabar.Receipt{Status: kabar.Read, Refs: refs})
}

// Known reports for each handle whether the number's network knows it. A network without a directory knows everybody.
func (e *Engine) Known(ctx context.Context, n kabar.NumberID, handles []string) ([]bool, error) {
	l, err := e.line(n)
	if err != nil {
		return nil, err
	}
	directory, ok := l.net.(network.Directory)
	if !ok {
		all := make([]bool, len(handles))
		for i := range all {
			all[i] = true
		}
		return all, nil
	}
	return directory.Lookup(ctx, handles)
}

// Message returns a message of the number.
func (e *Engine) Message(ctx context.Context, n kabar.NumberID, id kabar.MessageID) (*kabar.Message, error) {
	m, err := e.db.Message(ctx, n, id)
	return m, store.Refusal(err)
}

// Identified returns the message of the number that an id of a dialect is about, by what such an id says: the direction, the digits
// of the other side (kabar.Number.Peer) and the stanza. A message that differs in anything is ReasonNotFound.
func (e *Engine) Identified(ctx context.Context, id kabar.NumberID, outbound bool, peer string, stanza []byte) (*kabar.Message, error) {
	none := kabar.Refuse(kabar.ReasonNotFound, "", "there is no message with this id")
	ref, ok := msgid.Ref(stanza)
	if !ok {
		return nil, none
	}
	n, err := e.Number(id)
	if err != nil {
		return nil, err
	}
	m, err := e.db.Message(ctx, id, e.db.Deref(ref))
	switch {
	case store.IsNotFound(err):
		return nil, none
	case err != nil:
		return nil, store.Refusal(err)
	case (m.Direction == kabar.Outbound) != outbound:
		return nil, none
	}
	c, err := e.db.Conversation(ctx, id, m.Conversation)
	if err != nil {
		return nil, store.Refusal(err)
	}
	// The business's own digits are in ids from the time before the customer's number was known.
	if peer != n.Digits && peer != n.Peer(c.Customer) {
		return nil, none
	}
	return m, nil
}

// Deref returns the key behind the public number of a message.
func (e *Engine) Deref(ref uint64) kabar.MessageID { return e.db.Deref(ref) }
