package engine

import (
	"context"
	"maps"
	"slices"
	"time"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/store"
)

// Identity returns the identity of a customer. One of whom none is known is refused with ReasonNotFound.
func (e *Engine) Identity(ctx context.Context, n kabar.NumberID, handle string) (*kabar.Identity, error) {
	c, err := e.db.FindConversation(ctx, n, handle)
	if err != nil && !store.IsNotFound(err) {
		return nil, store.Refusal(err)
	}
	if err != nil || c.IdentityHash == "" {
		return nil, errNeverMet()
	}
	return c.Identity(), nil
}

func errNeverMet() error {
	return kabar.Refuse(kabar.ReasonNotFound, "", "the identity of this customer is not known yet")
}

// Acknowledge takes the customer's present identity as known: messages go to it again, first those that the identity before it
// may never have got. A hash that is not the present one is refused with ReasonInvalid.
func (e *Engine) Acknowledge(ctx context.Context, n kabar.NumberID, handle, hash string) error {
	return store.Refusal(e.db.Write(ctx, func(tx *store.Tx) { tx.WantHandle(n, handle) }, func(tx *store.Tx) error {
		c, err := tx.FindConversation(n, handle)
		if err != nil {
			return err
		}
		switch {
		case c == nil || c.IdentityHash == "":
			return errNeverMet()
		case c.IdentityHash != hash:
			return kabar.Refuse(kabar.ReasonInvalid, "hash", "is not that of the customer's present identity")
		case !c.IdentityPending:
			return nil
		}
		c.IdentityPending = false
		if err := tx.SaveConversation(c); err != nil {
			return err
		}
		return e.sendAgain(tx, c)
	}))
}

// sendAgain adds a job for each message that was sent and not delivered, the oldest first.
func (e *Engine) sendAgain(tx *store.Tx, c *kabar.Conversation) error {
	var lost []kabar.MessageID
	now, id := e.now(), c.LastMessage
	for range walked {
		if id == 0 {
			break
		}
		m, err := tx.Message(c.Number, id)
		if err != nil {
			return err
		}
		if m.Direction == kabar.Outbound && m.Status == kabar.Sent && now.Before(m.Expires) {
			lost = append(lost, m.ID)
		}
		id = m.Prev
	}
	for _, id := range slices.Backward(lost) {
		if err := e.addJob(tx, c, jobResend, id, nil); err != nil {
			return err
		}
	}
	return nil
}

// recognise notes whose keys the customer has. Another identity than before is told, and where the number asks for it the
// customer gets nothing until it is acknowledged. What the caller gets back changed is to be saved.
func (e *Engine) recognise(tx *store.Tx, l *line, c *kabar.Conversation, hash string, now time.Time) (changed bool, err error) {
	if hash == "" || hash == c.IdentityHash {
		return false, nil
	}
	first := c.IdentityHash == ""
	c.IdentityHash, c.IdentitySince = hash, now
	if first {
		return true, nil
	}
	c.IdentityPending = l.settings.ShowSecurity // nobody has to acknowledge what nobody was told
	c.ProfileSent = 0                           // a new installation knows nothing of us
	return true, e.addEvent(tx, l, &kabar.Event{Account: c.Account, Number: c.Number, Conversation: c.ID, Kind: kabar.EventIdentity, At: now,
		Customer: c.Customer, Hash: hash})
}

// withheld reports whether a customer gets no messages for now.
func withheld(l *line, c *kabar.Conversation) bool {
	return l.settings.ShowSecurity && c != nil && c.IdentityPending
}

// opened notes whose keys the driver has met in its change.
func (t *task) opened(tx *store.Tx, o *network.Outgoing, s network.State, change network.Change) error {
	net, ok := t.line.net.(network.Identified)
	if !ok {
		return nil
	}
	next := maps.Clone(s)
	for _, set := range change {
		if next[set.Key] = (network.Entry{Version: set.Version + 1, Value: set.Value}); set.Value == nil {
			delete(next, set.Key)
		}
	}
	c, err := tx.Conversation(t.job.Number, t.job.Conversation)
	if err != nil {
		return err
	}
	changed, err := t.e.recognise(tx, t.line, c, net.Identity(o.To, next), o.Now)
	if err != nil || !changed {
		return err
	}
	return tx.SaveConversation(c)
}
