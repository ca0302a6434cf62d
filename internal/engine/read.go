package engine

import (
	"context"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/store"
)

// marked is how many messages one call marks as read at most; they are told in one receipt.
const marked = 100

// walked is how far back the unread ones are looked for.
const walked = 1000

// MarkRead marks an inbound message and those before it as read, and has the customer told.
func (e *Engine) MarkRead(ctx context.Context, n kabar.NumberID, id kabar.MessageID) error {
	return refusal(e.db.Write(ctx, func(tx *store.Tx) { tx.WantMessage(id) }, func(tx *store.Tx) error {
		m, err := tx.Message(n, id)
		if err != nil {
			return err
		}
		if m.Direction != kabar.Inbound {
			return &store.NotFoundError{What: "inbound message"}
		}
		c, err := tx.Conversation(n, m.Conversation)
		if err != nil {
			return err
		}
		refs, err := markChain(tx, m)
		if err != nil || len(refs) == 0 {
			return err
		}
		return e.addJob(tx, c, jobReceipt, m.ID, kabar.Receipt{Status: kabar.Read, Refs: refs})
	}))
}

// markChain marks m and the unread messages before it, newest first, down to one that has been read, and returns the
// network's ids of those it has marked.
func markChain(tx *store.Tx, m *kabar.Message) (refs []string, err error) {
	for range walked {
		if m.Direction == kabar.Inbound {
			if m.Status == kabar.Read || len(refs) == marked {
				break
			}
			m.Status = kabar.Read
			if err := tx.SetStatus(m); err != nil {
				return nil, err
			}
			refs = append(refs, m.Wire)
		}
		if m.Prev == 0 {
			break
		}
		if m, err = tx.Message(m.Number, m.Prev); err != nil {
			return nil, err
		}
	}
	return refs, nil
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
	return m, refusal(err)
}

// Deref returns the key behind the public number of a message.
func (e *Engine) Deref(ref uint64) kabar.MessageID { return e.db.Deref(ref) }
