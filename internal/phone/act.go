package phone

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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

// Choice says what a customer taps; one of the fields is set.
type Choice struct {
	Button string `json:"button"` // id of a reply button; payload or text of a template's quick reply
	Row    string `json:"row"`    // id of a row in a list
	URL    string `json:"url"`    // text or address of a template's link
	Call   string `json:"call"`   // accept or reject, to a business that asks whether it may call
}

// Tapped is what came of a tap: a message to the business, or a link that the handset opens.
type Tapped struct {
	ID  string `json:"id,omitempty"`
	URL string `json:"url,omitempty"`
}

// Tap answers an interactive or template message.
func (p *Phone) Tap(ctx context.Context, handle, id string, choice Choice) (out Tapped, err error) {
	err = p.onMessage(ctx, handle, id, func(t *tx, c *customer, m *message) error {
		if m.deleted || m.mine {
			return refuse(CodeConflict, "The message %s has nothing to tap on: it was deleted, or the customer wrote it. Tap on one of the business.", id)
		}
		content, link, err := choice.of(m.content, p.now())
		if err != nil || content == nil {
			out.URL = link
			return err
		}
		out.ID, err = t.write(ctx, c, m.business, Draft{Content: content, ReplyTo: id})
		return err
	})
	return out, err
}

// of finds what the choice means in a message: an answer, or a link.
func (choice Choice) of(content kabar.Content, now time.Time) (answer kabar.Content, link string, err error) {
	var known []string
	switch c := content.(type) {
	case *kabar.Interactive:
		if c.Type == kabar.InteractivePermission {
			answer, known = choice.permission(now)
		} else {
			answer, link, known = choice.inInteractive(c)
		}
	case *kabar.Template:
		if c.Rendered != nil && c.Rendered.Permission && choice.Call != "" {
			answer, known = choice.permission(now)
			break
		}
		answer, link, known = choice.inTemplate(c)
	}
	if answer == nil && link == "" {
		return nil, "", choice.unknown(known)
	}
	return answer, link, nil
}

func (choice Choice) inInteractive(c *kabar.Interactive) (answer kabar.Content, link string, known []string) {
	buttons, links := slices.Clone(c.Action.Buttons), []*kabar.Link{c.Action.Link}
	for n := range c.Action.Cards {
		buttons, links = append(buttons, c.Action.Cards[n].Buttons...), append(links, c.Action.Cards[n].Link)
	}
	for _, b := range buttons {
		known = append(known, fmt.Sprintf("button %q", b.ID))
		if matches(choice.Button, b.ID) {
			return &kabar.Reply{Type: kabar.ButtonReply, ID: b.ID, Title: b.Title}, "", nil
		}
	}
	for _, l := range links {
		if l == nil {
			continue
		}
		known = append(known, fmt.Sprintf("url %q", l.Text))
		if matches(choice.URL, l.Text, l.URL) {
			return nil, l.URL, nil
		}
	}
	for _, s := range c.Action.Sections {
		for _, r := range s.Rows {
			known = append(known, fmt.Sprintf("row %q", r.ID))
			if matches(choice.Row, r.ID) {
				return &kabar.Reply{Type: kabar.ListReply, ID: r.ID, Title: r.Title, Description: r.Description}, "", nil
			}
		}
	}
	return nil, "", known
}

// permitted is how long a business may call once a customer has allowed it.
const permitted = 7 * 24 * time.Hour

// permission answers a business that asks whether it may call.
func (choice Choice) permission(now time.Time) (answer kabar.Content, known []string) {
	c := &kabar.CallPermission{Response: choice.Call, Source: "user_action"}
	switch choice.Call {
	case kabar.CallAccepted:
		c.Expires = now.Add(permitted).Unix()
	case kabar.CallRejected:
	default:
		return nil, []string{fmt.Sprintf("call %q", kabar.CallAccepted), fmt.Sprintf("call %q", kabar.CallRejected)}
	}
	return &kabar.Reply{Type: kabar.CallReply, Call: c}, nil
}

func (choice Choice) inTemplate(c *kabar.Template) (answer kabar.Content, link string, known []string) {
	if c.Rendered == nil {
		return nil, "", nil
	}
	buttons := slices.Clone(c.Rendered.Buttons)
	for _, card := range c.Rendered.Cards {
		buttons = append(buttons, card.Buttons...)
	}
	for _, b := range buttons {
		switch b.Type {
		case kabar.ButtonQuickReply:
			known = append(known, fmt.Sprintf("button %q", b.Payload))
			if matches(choice.Button, b.Payload, b.Text) {
				return &kabar.Button{Text: b.Text, Payload: b.Payload}, "", nil
			}
		case kabar.ButtonURL:
			known = append(known, fmt.Sprintf("url %q", b.Text))
			if matches(choice.URL, b.Text, b.URL) {
				return nil, b.URL, nil
			}
		default: // a telephone number calls; it answers nothing
		}
	}
	return nil, "", known
}

// matches says whether want names something that has these names.
func matches(want string, names ...string) bool { return want != "" && slices.Contains(names, want) }

func (choice Choice) unknown(known []string) error {
	if len(known) == 0 {
		return refuse(CodeConflict, "The message has nothing to tap on. Tap on an interactive message or a template with buttons.")
	}
	return refuse(CodeNotFound, "The message has no such choice. It has %s.", strings.Join(known, ", "))
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
