package engine

import (
	"time"

	"kabar"
	"kabar/internal/store"
)

// templateOf returns the template that a message was made from; 0 when it was made from none.
func templateOf(c kabar.Content) kabar.TemplateID {
	if t, ok := c.(*kabar.Template); ok {
		return t.ID
	}
	return 0
}

// count counts what becomes of a message for its template.
func (e *Engine) count(tx *store.Tx, m *kabar.Message, now time.Time) error {
	id := templateOf(m.Content)
	if id == 0 {
		return nil
	}
	var u kabar.TemplateUse
	switch m.Status {
	case kabar.Accepted:
		u.Accepted = 1
	case kabar.Sent:
		u.Sent = 1
	case kabar.Delivered:
		u.Delivered = 1
	case kabar.Read:
		u.Read = 1
	case kabar.Failed:
		u.Failed = 1
	default: // nothing is counted of the others
		return nil
	}
	return tx.AddUse(m.Account, id, kabar.DayOf(now), u)
}

// tapped counts a tap on a quick reply of a template. What the customer calls so and is none is nothing: its text would stay.
func (d *delivery) tapped(tx *store.Tx, m *kabar.Message) error {
	b, ok := m.Content.(*kabar.Button)
	if !ok || m.Context.ReplyTo == 0 {
		return nil
	}
	asked, err := tx.Message(d.line.number.ID, m.Context.ReplyTo)
	if err != nil || templateOf(asked.Content) == 0 || !kabar.HasQuickReply(asked.Content, b.Text) {
		return ignoreMissing(err)
	}
	return tx.AddUse(asked.Account, templateOf(asked.Content), kabar.DayOf(d.now), kabar.TemplateUse{Clicked: map[string]int{b.Text: 1}})
}

// opened counts a tap on a link of a template. What is no link of a message to this customer, and what comes too often, is nothing.
func (d *delivery) opened(tx *store.Tx) error {
	m, err := d.sent(tx, d.u.Tapped.Message)
	if err != nil || m == nil {
		return err
	}
	link, place := kabar.LinkAt(m.Content, d.u.Tapped), d.u.Tapped.Place()
	if link == nil || templateOf(m.Content) == 0 || m.Taps[place] >= kabar.MaxLinkTaps {
		return nil
	}
	use := kabar.TemplateUse{Opened: map[string]int{link.Text: 1}}
	if m.Taps[place] == 0 {
		use.FirstOpened = use.Opened
	}
	if m.Taps == nil {
		m.Taps = map[int]int{}
	}
	m.Taps[place]++
	if err := tx.SetContent(m); err != nil {
		return err
	}
	if err := tx.AddRef(d.line.number, d.u.Ref, 0, d.now); err != nil {
		return err
	}
	return tx.AddUse(m.Account, templateOf(m.Content), kabar.DayOf(d.now), use)
}

// Which template a block is counted for: that of the newest message of the business, when it is one of a template and not
// older.
const (
	blamed    = 7 * 24 * time.Hour
	blameBack = 20 // messages that are looked at
)

// blocked notes that the customer has blocked the number, or no longer does. A block counts against the template that the
// customer has got last.
func (d *delivery) blocked(tx *store.Tx, now bool) error {
	was := d.conv.Blocked
	d.conv.Blocked = now
	if err := tx.SaveConversation(d.conv); err != nil || was || !now {
		return err
	}
	if err := d.disliked(tx); err != nil {
		return err
	}
	next := d.conv.LastMessage
	for range blameBack {
		if next == 0 {
			return nil
		}
		m, err := tx.Message(d.line.number.ID, next)
		if err != nil {
			return ignoreMissing(err)
		}
		if m.Direction == kabar.Outbound {
			return d.blame(tx, m)
		}
		next = m.Prev
	}
	return nil
}

// disliked notes that the customer has blocked the number, or reported it.
func (d *delivery) disliked(tx *store.Tx) error {
	return d.e.traffic(tx, d.conv, kabar.ClassInbound, kabar.Traffic{Blocked: 1}, d.now)
}

// reported counts a report, once.
func (d *delivery) reported(tx *store.Tx) error {
	if d.u.Ref != "" {
		if err := tx.AddRef(d.line.number, d.u.Ref, 0, d.now); err != nil {
			return err
		}
	}
	return d.disliked(tx)
}

// blame counts a block against the template of a message, and gives it its score.
func (d *delivery) blame(tx *store.Tx, m *kabar.Message) error {
	t, ok := m.Content.(*kabar.Template)
	if !ok || t.ID == 0 || d.now.Sub(m.At) > blamed {
		return nil
	}
	if err := tx.AddUse(m.Account, t.ID, kabar.DayOf(d.now), kabar.TemplateUse{Blocked: 1}); err != nil {
		return err
	}
	changes, err := d.e.rate(tx, store.UsedTemplate{Account: m.Account, Name: t.Name, Language: t.Language.Code})
	if err != nil || len(changes) == 0 {
		return err
	}
	return d.e.templates.tell(tx, m.Account, d.e.oldest(m.Account, d.line.number.ID), ActorQuality, changes)
}

// oldest returns the oldest attached number of an account: at least the one given.
func (e *Engine) oldest(a kabar.AccountID, n kabar.NumberID) kabar.NumberID {
	for _, other := range e.Numbers() {
		if other.Account == a && other.ID < n {
			n = other.ID
		}
	}
	return n
}

// paced holds a message back while it is found out how customers take its template, and reports whether it does.
func (s *sending) paced(tx *store.Tx, m *kabar.Message) (held bool, err error) {
	def := s.template(m)
	if def == nil || def.Life.Pace == nil {
		return false, nil
	}
	d, err := tx.FindTemplate(def.Account, def.Name, def.Language)
	if err != nil || d == nil {
		return false, err
	}
	return s.e.pacing(tx, d, m, s.now)
}

// pacing is paced for a template as it is in the commit.
func (e *Engine) pacing(tx *store.Tx, d *kabar.TemplateDef, m *kabar.Message, now time.Time) (held bool, err error) {
	if d.Life.Pace == nil {
		return false, nil
	}
	policy, err := tx.Policy(d.Account)
	if err != nil {
		return false, err
	}
	due := d.Due()
	if m.Held = d.Paced(now, policy); m.Held {
		tx.Hold(d.ID, m)
	}
	if !d.Due().Equal(due) {
		tx.After(e.templates.hurry)
	}
	return m.Held, tx.SaveTemplate(d)
}
