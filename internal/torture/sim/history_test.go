package sim

import (
	"fmt"
	"time"

	"kabar"
)

// This file is what the model keeps of the history; model_test.go judges it.

// message is what an application wants to be sent, however often it asks for it.
type message struct {
	label, customer string
	free            bool // allowed in the window only
	hopeless        bool // the phone will never be able to decrypt it
	expires         time.Time
	twins           *twins // who share its idempotency key

	begun, answered int // of the first request, and of the first 2xx
	asked           time.Time
	id, answer      string
	first           int             // when its first packet was first seen
	packets         map[string]bool // all that were seen
	resends         int             // those that were encrypted anew
	retries         int             // how often the server has been handed a request of the customer for one
	shown           int             // times
	refused, given  bool            // by the network, at once or later
	status          kabar.Status
}

// twins are the messages that are asked for with one idempotency key: one of them is sent. Without a key there are none.
type twins struct{ all []*message }

// customer is one customer's side, and what an application was told of it.
type customer struct {
	mail      []*mail // in the order in which it was handed to the server
	told      []told  // in the order of the first 200
	ticked    map[string]bool
	blocked   int // since when the server knows that it is blocked; 0: it is not
	everBlock bool
	expect    []told // what the mail that was walked last leads to
	sent      int    // when the last one left that was told to be sent
}

// told is one event of a webhook: a customer's message, or a status of one of ours.
type told struct {
	customer, inbound string
	id                string
	status            kabar.Status
	code              int
	at                time.Time
}

// hook is a webhook that has been POSTed.
type hook struct {
	told
	body string
	done bool
}

func newModel() *model {
	return &model{ids: map[string]*message{}, customers: map[string]*customer{}, hooks: map[string]*hook{}}
}

// begin notes a request.
func (m *model) begin(msg *message) {
	if msg.begun == 0 {
		msg.begun, msg.asked = m.step, m.now
		m.messages = append(m.messages, msg)
	}
}

// handed notes that the network hands a mail to the server, not for the first time perhaps.
func (m *model) handed(x *mail) {
	c := m.customers[x.from.name]
	if x.handed == 0 {
		if x.handed = m.step; !x.again {
			c.mail = append(c.mail, x)
		}
	}
	for _, id := range x.ids {
		switch msg := m.ids[id]; {
		case x.u.Retry != nil:
			msg.retries++
		case x.u.Expired != nil:
			msg.given = true
		}
	}
	if x.u.Blocked != nil {
		c.everBlock = c.everBlock || *x.u.Blocked
		c.blocked = 0 // until the server has acknowledged it, nothing is promised
	}
}

// acked notes that the server has acknowledged a mail.
func (m *model) acked(x *mail) {
	if x.acked, x.ackedAt = m.step, m.now; x.u.Blocked != nil && *x.u.Blocked {
		m.customers[x.from.name].blocked = m.step
	}
}

// text names an event for people.
func (m *model) text(t told) string {
	if t.inbound != "" {
		return t.inbound
	}
	label := "of unknown id"
	if msg := m.ids[t.id]; msg != nil {
		label = msg.label
	}
	if t.status == kabar.Failed {
		return fmt.Sprintf("%s failed %d", label, t.code)
	}
	return fmt.Sprintf("%s %s", label, t.status)
}

func (m *model) texts(all []told) (texts []string) {
	for _, t := range all {
		texts = append(texts, m.text(t))
	}
	return texts
}
