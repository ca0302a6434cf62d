package engine

import (
	"kabar"
	"kabar/internal/store"
)

// checkTargets refuses to quote or react to what is not in the conversation.
func (s *sending) checkTargets(tx *store.Tx, c *kabar.Conversation, m *kabar.Message) error {
	for _, t := range []struct {
		field string
		id    kabar.MessageID
	}{{"context.message_id", m.Context.ReplyTo}, {"reaction.message_id", targetOf(m.Content)}} {
		if t.id == 0 {
			continue
		}
		other, err := tx.Message(c.Number, t.id)
		if store.IsNotFound(err) || (err == nil && other.Conversation != c.ID) {
			return kabar.Refuse(kabar.ReasonInvalid, t.field, "there is no such message in this conversation")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func targetOf(c kabar.Content) kabar.MessageID {
	if r, ok := c.(*kabar.Reaction); ok {
		return r.Target
	}
	return 0
}

// judge asks the rules about a message that is to be accepted. One that finds the window closed becomes its fallback, and is
// judged as that.
func (s *sending) judge(tx *store.Tx, c *kabar.Conversation, m *kabar.Message) (kabar.Verdict, kabar.Reason, error) {
	f := kabar.Facts{Content: m.Content, Conversation: c, Recipient: s.to.Handle(), Sender: s.line.number.Digits, Expires: m.Expires,
		Identity: withheld(s.line, c)}
	if err := s.e.agreed(tx, s.line, s.recipient(c), &f, s.now); err != nil {
		return kabar.Deny, "", err
	}
	verdict, reason := kabar.Judge(s.now, f)
	if reason != kabar.ReasonWindowClosed || !takeFallback(m) {
		return verdict, reason, nil
	}
	if s.r.TTL == 0 {
		m.Expires = s.now.Add(s.fallback.Lifetime())
	}
	f.Content, f.Expires = m.Content, m.Expires
	err := s.e.agreed(tx, s.line, s.recipient(c), &f, s.now)
	verdict, reason = kabar.Judge(s.now, f)
	return verdict, reason, err
}

// recipient is who the message goes to, with all that the conversation knows.
func (s *sending) recipient(c *kabar.Conversation) kabar.Customer {
	if c == nil {
		return s.to
	}
	return c.Customer
}

// template returns what the message that is sent was made from: nil unless it is a template.
func (s *sending) template(m *kabar.Message) *kabar.TemplateDef {
	switch {
	case m.Content.Kind() != kabar.KindTemplate:
		return nil
	case s.def != nil:
		return s.def
	}
	return s.fallback
}
