package phone

import (
	"context"
	"errors"
	"fmt"

	"kabar"
	"kabar/internal/payload"
	"kabar/internal/relayclient"
)

// MarkRead reads a message of the business, and with it every earlier one of that chat, as opening the chat does. The
// business is told if the customer's read receipts are on. Reading twice changes nothing.
func (p *Phone) MarkRead(ctx context.Context, handle, id string) error {
	return p.onMessage(ctx, handle, id, func(t *tx, c *customer, m *message) error {
		if m.mine || m.kind == KindRemark {
			return refuse(CodeConflict, "The message %s is the customer's own. Read one that the business has written.", id)
		}
		wires, err := list[string](ctx, t, `UPDATE messages SET status = ? WHERE customer = ? AND business = ? AND seq <= ? AND status = 0
			RETURNING wire`, kabar.Read, c.id, m.business, m.seq)
		if err != nil || len(wires) == 0 {
			return err
		}
		for _, wire := range wires {
			t.note(c, publicID(c, m.business, wire))
		}
		ch, err := t.chat(c, m.business)
		if err != nil || !c.readReceipts || ch.blocked {
			return err
		}
		return t.post(c, ch, receipts("read", wires)...)
	})
}

// onMessage runs an operation about one message of a customer.
func (p *Phone) onMessage(ctx context.Context, handle, id string, op func(t *tx, c *customer, m *message) error) error {
	return p.do(ctx, func(t *tx) error {
		c, err := customerByHandle(ctx, t, handle)
		if err != nil {
			return err
		}
		m, err := messageByID(ctx, t, c, id)
		if err != nil {
			return err
		}
		return op(t, c, m)
	})
}

// React puts an emoji on a message, or takes the last one back with an empty one. It returns the id of the reaction,
// which is a message of its own.
func (p *Phone) React(ctx context.Context, handle, id, emoji string) (reaction string, err error) {
	content := &kabar.Reaction{Emoji: emoji}
	if err := checkReaction(content); err != nil {
		return "", err
	}
	err = p.onMessage(ctx, handle, id, func(t *tx, c *customer, m *message) error {
		if m.deleted {
			return refuse(CodeConflict, "The message %s was deleted. React to another one.", id)
		}
		reaction, err = t.write(ctx, c, m.business, Draft{Content: content, Target: id})
		return err
	})
	return reaction, err
}

func checkReaction(r *kabar.Reaction) error {
	var fault *kabar.Error
	if err := (&kabar.Reaction{Target: 1, Emoji: r.Emoji}).Validate(); errors.As(err, &fault) {
		return refuse(CodeInvalid, "The emoji %s. Give one emoji, or an empty string to take the reaction back.", fault.Detail)
	}
	return nil
}

// Delete takes a message of the customer's back, on both sides. Deleting twice changes nothing.
func (p *Phone) Delete(ctx context.Context, handle, id string) error {
	return p.onMessage(ctx, handle, id, func(t *tx, c *customer, m *message) error {
		if !m.mine {
			return refuse(CodeConflict, "The message %s is the business's. A customer can delete only messages of their own.", id)
		}
		if m.deleted {
			return nil
		}
		if err := t.exec("UPDATE messages SET deleted = 1 WHERE seq = ?", m.seq); err != nil {
			return err
		}
		t.note(c, id)
		ch, err := t.chat(c, m.business)
		if err != nil {
			return err
		}
		return t.post(c, ch, posting{payload: &payload.Payload{Deleted: &payload.Deleted{ID: m.wire}}})
	})
}

// Reinstall gives the customer new keys, as installing the app anew does: every session is lost, and what the business
// sends in an old one is asked for again. What the handset has shown stays, so that a test can compare.
func (p *Phone) Reinstall(ctx context.Context, handle string) error {
	identity, err := newIdentity()
	if err != nil {
		return err
	}
	var c *customer
	err = p.do(ctx, func(t *tx) error {
		if c, err = customerByHandle(ctx, t, handle); err != nil {
			return err
		}
		t.note(c, "")
		err := t.exec("UPDATE customers SET old_identity = coalesce(old_identity, identity), identity = ? WHERE id = ?", identity, c.id)
		if err == nil {
			err = t.exec("DELETE FROM prekeys WHERE customer = ?", c.id)
		}
		if err == nil {
			err = t.exec("UPDATE chats SET peer = NULL, opened = 0 WHERE customer = ?", c.id)
		}
		if err == nil {
			err = t.unseal(c.id)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reinstall: %w", err)
	}
	p.disconnect(c.id)
	if c.online {
		p.reach(ctx, c.id)
	}
	return nil
}

// Typing shows every business of the customer's chats that the customer is writing. Nothing is stored, and an offline
// customer shows nothing.
func (p *Phone) Typing(ctx context.Context, handle string) error {
	c, err := customerByHandle(ctx, p.db.Read, handle)
	if err != nil {
		return err
	}
	n := p.line(c.id)
	if n == nil {
		return nil
	}
	chats, err := openChats(ctx, p.db.Read, c)
	if err != nil {
		return err
	}
	now := p.now()
	plain, err := payload.Encode(&payload.Payload{Typing: &payload.Typing{On: true}}, now)
	if err != nil {
		return err
	}
	for business, peer := range chats {
		// The state after a signal need not be kept: its sequence is the clock.
		signal, _, err := peer.SealSignal(plain, now)
		if err != nil {
			continue // no session that the business has answered in: there is nobody to show it to
		}
		if err := n.conn.Signal(ctx, relayclient.Address{Account: business}, signal); err != nil {
			return nil // the connection has ended, and with it the moment
		}
	}
	return nil
}
