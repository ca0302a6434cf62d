package engine

import (
	"context"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/store"
)

// ShowTyping shows the customer of a conversation that somebody writes. The signal is not stored and may be lost: a network that
// has none, or that does not take it now, is no fault of whoever asks.
func (e *Engine) ShowTyping(ctx context.Context, n kabar.NumberID, id kabar.ConversationID) error {
	l, err := e.line(n)
	if err != nil {
		return err
	}
	typist, ok := l.net.(network.Typist)
	if !ok {
		return nil
	}
	c, err := e.db.Conversation(ctx, n, id)
	if err != nil {
		return store.Refusal(err)
	}
	keys := l.net.Keys(&network.Outgoing{Purpose: network.PurposeReceipt, From: l.number, To: c.Customer, Now: e.now()})
	state, err := e.state(ctx, n, keys)
	if err != nil {
		return store.Refusal(err)
	}
	if err := typist.Typing(ctx, c.Customer, state); err != nil {
		e.log.DebugContext(ctx, "a typing signal was lost", "err", err)
	}
	return nil
}
