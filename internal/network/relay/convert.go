package relay

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"kabar"
	"kabar/internal/msgid"
	"kabar/internal/network"
	"kabar/internal/payload"
)

// messageOf turns a message of the business into what travels.
func messageOf(o *network.Outgoing) (*payload.Message, error) {
	content, err := payload.Strip(o.Message.Content)
	if err != nil {
		return nil, err
	}
	m := &payload.Message{ID: o.Ref, Kind: o.Message.Content.Kind(), Content: content, ReplyTo: o.ReplyTo, Target: o.Target,
		Forwarded: o.Message.Context.Forwarded}
	if o.Medium != nil {
		if m.Medium, err = located(o.Medium); err != nil {
			return nil, err
		}
	}
	for _, card := range o.Cards {
		medium, err := located(card)
		if err != nil {
			return nil, err
		}
		m.Cards = append(m.Cards, *medium)
	}
	return m, nil
}

// located says where a medium lies that was uploaded. The same bytes may go as different types.
func located(r *kabar.RemoteMedium) (*payload.Medium, error) {
	m := new(payload.Medium)
	if err := json.Unmarshal(r.Locator, m); err != nil {
		return nil, fmt.Errorf("read a locator: %w", err)
	}
	m.MIME = r.MIME
	return m, nil
}

// updateOf turns what a customer has said into an update. It trusts who said it and nothing else.
func updateOf(from string, p *payload.Payload) (kabar.Update, error) {
	u := kabar.Update{From: customer(from), At: time.UnixMilli(p.At).UTC(), Was: p.Was}
	u.From.Name = p.Name
	switch {
	case p.Message != nil:
		if len(p.Message.ID) != customerID { // the other lengths are the business's own
			return u, fmt.Errorf("message id %q of a customer", p.Message.ID)
		}
		in, err := incoming(p.Message)
		u.Ref, u.Message = p.Message.ID, in
		return u, err
	case p.Receipt != nil:
		u.Receipt = &kabar.Receipt{Status: p.Receipt.Rank(), Refs: p.Receipt.IDs}
	case p.Retry != nil:
		u.Retry = &kabar.Retry{Refs: messagesIn(p.Retry.IDs...)}
	case p.Deleted != nil:
		u.Deleted = p.Deleted.ID
	case p.Blocked != nil:
		u.Blocked = &p.Blocked.Blocked
	case p.Reported != nil:
		u.Reported = true
	case p.Asked != nil:
		if len(p.Asked.ID) != customerID {
			return u, fmt.Errorf("id %q of a question", p.Asked.ID)
		}
		u.Ref, u.Asked = p.Asked.ID, p.Asked
	case p.Tapped != nil:
		if len(p.Tapped.ID) != customerID {
			return u, fmt.Errorf("id %q of a tap", p.Tapped.ID)
		}
		u.Ref, u.Tapped = p.Tapped.ID, p.Tapped
	}
	return u, nil
}

// customerID is how many hex digits the id of a customer's message has.
const customerID = 32

// customer says who an account of the relay is: digits are a phone number, anything else a business-scoped user id.
func customer(account string) kabar.Customer {
	for _, c := range account {
		if c < '0' || c > '9' {
			return kabar.Customer{BSUID: account}
		}
	}
	return kabar.Customer{WaID: account}
}

func incoming(m *payload.Message) (*kabar.Incoming, error) {
	c, err := payload.Inbound(m)
	if err != nil {
		return nil, err
	}
	in := &kabar.Incoming{Content: c, ReplyTo: m.ReplyTo, Target: m.Target, Forwarded: m.Forwarded, Frequent: m.Frequent,
		Referral: payload.Referral(m), Product: m.Product}
	if kabar.MediumOf(c) != nil {
		if in.Medium, err = remote(m.Medium); err != nil {
			return nil, err
		}
	}
	if in.Referral != nil && in.Referral.Kind != "" {
		in.Picture, err = remote(m.Picture)
	}
	return in, err
}

// remote says where a medium lies; nil for none.
func remote(m *payload.Medium) (*kabar.RemoteMedium, error) {
	if m == nil {
		return nil, nil
	}
	locator, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("write a locator: %w", err)
	}
	return &kabar.RemoteMedium{Locator: locator, MIME: m.Type(), Size: m.Size, SHA256: m.SHA256}, nil
}

// messagesIn returns which messages of ours the envelopes with these ids held; envelopes that held something else are left
// out. See envelopeID.
func messagesIn(envelopes ...string) (refs []string) {
	const stanza = 2 * msgid.OutboundLen // hex digits
	for _, id := range envelopes {
		if len(id) > stanza && !strings.HasPrefix(id, "00") {
			refs = append(refs, id[:stanza])
		}
	}
	return refs
}

func hexID(id [16]byte) string { return hex.EncodeToString(id[:]) }
