package sim

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"kabar"
)

// model is what applications, customers and the network between them have seen, and the rules it is judged by. It never
// looks into the server. The numbers I1 to I14 are those of the invariants in docs/reliability.md.
//
// Times of events are decisions, counted from 1: what was decided earlier happened before.
type model struct {
	mu        sync.Mutex // of faults
	step      int
	now       time.Time
	messages  []*message
	ids       map[string]*message // by public id
	customers map[string]*customer
	hooks     map[string]*hook // by webhook-id
	faults    []string
}

func (m *model) fault(format string, args ...any) {
	m.mu.Lock() // the network finds faults, too, beside the driver
	defer m.mu.Unlock()
	m.faults = append(m.faults, fmt.Sprintf(format, args...))
}

// name gives a message the public id that it has been seen under (I4: never two messages).
func (m *model) name(msg *message, id string) {
	switch other := m.ids[id]; {
	case other != nil && other != msg:
		m.fault("I4: %s and %s are one message", msg.label, other.label)
	case msg.id != "" && msg.id != id:
		m.fault("I4: %s has become two messages", msg.label)
	}
	msg.id, m.ids[id] = id, msg
	for _, twin := range msg.twins.all {
		if twin != msg && twin.id != "" {
			m.fault("I4: %s and %s have one key and were both accepted", msg.label, twin.label)
		}
	}
}

// answered notes the answer to a request.
func (m *model) answered(msg *message, body string, refused kabar.Reason) {
	if refused != "" {
		if refused != kabar.ReasonKeyReused || len(msg.twins.all) < 2 || msg.id != "" {
			m.fault("I4: %s was refused: %s", msg.label, refused)
		}
		msg.refused = true
		return
	}
	if msg.answered == 0 {
		msg.answered, msg.answer = m.step, body
	}
	if msg.answer != body {
		m.fault("I4: %s was answered %s first, then %s", msg.label, msg.answer, body)
	}
	m.name(msg, body)
}

// sending judges a packet with a message on its way to the customer, when it is seen for the first time or again.
func (m *model) sending(msg *message, id, packet string, fresh bool) {
	m.name(msg, id)
	c := m.customers[msg.customer]
	switch {
	case msg.packets[packet]: // the same bytes again
	case fresh:
		if msg.resends++; msg.resends > min(msg.retries, kabar.MaxResends) {
			m.fault("I3: %s was encrypted anew %d times, asked for were %d", msg.label, msg.resends, msg.retries)
		}
	case msg.first == 0:
		if msg.first = m.step; msg.free && !c.open(m.now.Add(-time.Minute), func(*mail) bool { return true }) {
			m.fault("I11: %s left outside the window", msg.label)
		}
		if c.blocked > 0 && msg.begun > c.blocked {
			m.fault("I11: %s left although the customer has blocked the number", msg.label)
		}
	default:
		m.fault("I8: %s was encrypted twice", msg.label)
	}
	msg.packets[packet] = true
	if m.now.After(msg.expires.Add(time.Minute)) {
		m.fault("I11: %s left %s after its end", msg.label, m.now.Sub(msg.expires))
	}
}

// open reports whether the window is open at a time, by the customer's messages that the server is sure to know, or may know.
func (c *customer) open(at time.Time, known func(*mail) bool) bool {
	return slices.ContainsFunc(c.mail, func(x *mail) bool {
		return x.inbound != "" && known(x) && at.Before(x.u.At.Add(kabar.Window))
	})
}

// posting judges a webhook that an application is about to be sent, for the first time or again (I3).
func (m *model) posting(id, body string, t told) {
	switch h := m.hooks[id]; {
	case h == nil:
		m.hooks[id] = &hook{told: t, body: body}
	case h.body != body:
		m.fault("I3: a webhook was %s first, then %s", h.body, body)
	}
}

// posted notes that an application has taken a webhook; it may take it again.
func (m *model) posted(id string) (first bool) {
	h := m.hooks[id]
	if h.done {
		return false
	}
	h.done, h.at = true, m.now
	c := m.customers[h.customer]
	c.told = append(c.told, h.told)
	return true
}

// judge looks at the whole history at its end, when nothing is under way any more.
func (m *model) judge(names []string) {
	for _, name := range names {
		c := m.customers[name]
		m.walk(name, c)
		for _, x := range c.mail {
			if x.inbound != "" && !c.ticked[x.u.Ref] {
				m.fault("I7: %s wrote %s and got no tick", name, x.inbound)
			}
		}
	}
	for i, b := range m.messages {
		m.accounted(b)
		for _, a := range m.messages[:i] { // I5, for an application that sends one message after another
			if a.customer == b.customer && a.answered > 0 && a.answered < b.begun && a.first > b.first && b.first > 0 {
				m.fault("I5: %s was answered before %s was asked for, and left behind it", a.label, b.label)
			}
		}
	}
}

// accounted judges what has become of a message in the end (I1, I14: accepted = delivered + failed + pending, and nothing
// is pending now).
func (m *model) accounted(msg *message) {
	switch {
	case msg.shown > 1:
		m.fault("I3: %s was shown %d times", msg.label, msg.shown)
	case msg.refused && msg.id != "":
		m.fault("I4: %s was refused, and accepted", msg.label)
	case msg.id == "":
	case msg.status == kabar.Accepted || msg.status == kabar.Sent:
		m.fault("I1: %s has only come to %q", msg.label, msg.status)
	case msg.status != kabar.Failed && msg.shown == 0:
		m.fault("I2: %s is %q, and was never shown", msg.label, msg.status)
	}
}

// walk follows what an application was told of a customer. The customer's own mail is known in its order, so it predicts
// every event but two, "sent" and "failed", and its place among the others (I2, I5, I6, I7).
func (m *model) walk(name string, c *customer) {
	mail := c.mail
	for _, t := range c.told {
		if t.inbound == "" && m.advance(name, c, t) {
			continue
		}
		for len(c.expect) == 0 && len(mail) > 0 {
			c.expect, mail = m.effects(mail[0]), mail[1:]
		}
		if len(c.expect) == 0 || c.expect[0] != (told{inbound: t.inbound, id: t.id, status: t.status}) {
			m.fault("I5, I7: %s: told %s, and expected %v", name, m.text(t), m.texts(c.expect))
			return
		}
		if c.expect = c.expect[1:]; t.inbound == "" {
			m.ids[t.id].status = t.status
		}
	}
	for _, x := range mail {
		c.expect = append(c.expect, m.effects(x)...)
	}
	if len(c.expect) > 0 {
		m.fault("I7: %s: acknowledged and never told: %v", name, m.texts(c.expect))
	}
}

// advance judges a status, and moves the message on if it is one that the server comes to by itself.
func (m *model) advance(name string, c *customer, t told) (itself bool) {
	msg := m.ids[t.id]
	switch {
	case msg == nil:
		m.unknown(name, t)
		return true
	case !msg.status.Advance(t.status):
		m.fault("I6: %s was told %q behind %q", msg.label, t.status, msg.status)
		return true
	case t.status == kabar.Sent || t.status == kabar.Failed:
		m.explained(msg, c, t)
		msg.status = t.status
		return true
	case msg.status == kabar.Accepted:
		m.fault("I6: %s was told %q, and never sent", msg.label, t.status)
	}
	return false
}

// effects returns what an application must be told because of a mail, as the messages stand.
func (m *model) effects(x *mail) (all []told) {
	if x.inbound != "" {
		return []told{{inbound: x.inbound}}
	}
	if x.u.Receipt == nil {
		return nil
	}
	for _, id := range x.ids {
		for _, step := range []kabar.Status{kabar.Delivered, kabar.Read} { // who has read has received
			if step <= x.u.Receipt.Status && m.ids[id].status.Advance(step) {
				all = append(all, told{id: id, status: step})
			}
		}
	}
	return all
}

// explained judges whether there is a reason for what the server did by itself (I1, I2).
func (m *model) explained(msg *message, c *customer, t told) {
	if t.status == kabar.Sent {
		if msg.first <= c.sent { // it never left, or it left before one that was told before it
			m.fault("I2, I5: %s is told to be sent behind what left later", msg.label)
		}
		c.sent = msg.first
		return
	}
	ok := false
	switch t.code {
	case 410: // expired
		ok = msg.given || !t.at.Before(msg.expires)
	case 470: // outside the window
		ok = msg.free && c.closed(msg.asked, t.at)
	case 500: // undeliverable
		ok = msg.given || c.everBlock || msg.retries > kabar.MaxResends
	}
	if !ok {
		m.fault("I1: %s failed with %d without a reason", msg.label, t.code)
	}
}

// closed reports whether the window was closed at some time between two.
func (c *customer) closed(from, to time.Time) bool {
	shut := func(at time.Time) bool {
		return !c.open(at, func(x *mail) bool { return x.acked > 0 && !x.ackedAt.After(at) })
	}
	return shut(from) || slices.ContainsFunc(c.mail, func(x *mail) bool {
		end := x.u.At.Add(kabar.Window)
		return x.inbound != "" && !end.Before(from) && !end.After(to) && shut(end)
	})
}

// unknown judges a status of a message whose id nobody has heard of: of a request without a key whose answer was lost.
func (m *model) unknown(name string, t told) {
	for _, msg := range m.messages {
		if msg.customer == name && msg.id == "" && msg.twins.all == nil && t.status == kabar.Failed {
			m.name(msg, t.id)
			msg.status = kabar.Failed
			return
		}
	}
	m.fault("I2: %s: told %s", name, m.text(t))
}
