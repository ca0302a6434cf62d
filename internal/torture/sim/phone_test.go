package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/network/networktest"
)

// phone is a customer's. It shows what it can decrypt, each message once, and ticks what it has shown.
type phone struct {
	w            *world
	name, handle string
	index        int
	mailbox      []networktest.Packet // at the network, on their way to the phone
	mail         []*mail              // at the network, on their way to the server
	past         []*mail              // acknowledged by the server
	handing      bool                 // the server has the first of mail, or its acknowledgement is under way
	shown        []string             // public ids
	ticks        map[string]kabar.Status
	refs         map[string]string // by public id
	said, posted int
	heard        atomic.Int64 // number of the last mail that the server has acknowledged
	blocking     bool
}

// mail is an update on its way to the server.
type mail struct {
	from     *phone
	u        kabar.Update
	inbound  string   // what the customer has written
	ids      []string // public ids of the messages of ours that it is about
	number   int      // of the phone's mails, for the ratchet
	again    bool     // the network brings it once more, long after
	handings int

	handed, acked int // when
	ackedAt       time.Time
}

func (m *mail) String() string {
	switch {
	case m.inbound != "":
		return m.inbound
	case m.u.Receipt != nil:
		return fmt.Sprint(m.u.Receipt.Status, m.labels())
	case m.u.Retry != nil:
		return fmt.Sprint("again", m.labels())
	case m.u.Expired != nil:
		return fmt.Sprint("expired", m.labels())
	}
	return fmt.Sprint("block ", *m.u.Blocked)
}

func (m *mail) labels() []string {
	var all []string
	for _, id := range m.ids {
		all = append(all, m.from.w.model.ids[id].label)
	}
	return all
}

// post gives a mail to the network.
func (p *phone) post(m *mail) {
	p.posted++
	m.from, m.number = p, p.posted
	m.u.From = kabar.Customer{WaID: p.handle, Name: p.name}
	if m.u.At.IsZero() {
		m.u.At = time.Now()
	}
	p.mail = append(p.mail, m)
}

// say writes to the business; the message is as old as age, or nearly.
func (p *phone) say(age time.Duration) {
	p.said++
	label := fmt.Sprintf("%s~%d", p.name, p.said)
	p.post(&mail{inbound: label, u: kabar.Update{At: p.w.slotBefore(p, time.Now().Add(-age)),
		Ref: fmt.Sprintf("%02x%030x", p.index, p.said), Message: &kabar.Incoming{Content: &kabar.Text{Body: label}}}})
}

// fetch takes the next packet from the network. With chance it may be garbled, or the network may have given it up.
func (p *phone) fetch(chance *rand.Rand) string {
	packet := p.mailbox[0]
	p.mailbox = p.mailbox[1:]
	switch packet.Purpose {
	case network.PurposeMessage:
	case network.PurposeReceipt:
		for _, ref := range packet.Receipt.Refs {
			p.w.model.customers[p.name].ticked[ref] = true
		}
		return "ticks"
	case network.PurposeProfile, network.PurposeRetry:
		return string(packet.Purpose)
	}
	id, msg := publicID(packet.To, packet.Ref), p.w.messageIn(packet.Content)
	p.refs[id] = packet.Ref
	refs, ids := []string{packet.Ref}, []string{id}
	switch {
	case slices.Contains(p.shown, id):
		return msg.label + " once more"
	case msg.hopeless || chance != nil && chance.IntN(8) == 0:
		p.post(&mail{ids: ids, u: kabar.Update{Retry: &kabar.Retry{Refs: refs}}})
		return msg.label + " garbled"
	case chance != nil && chance.IntN(25) == 0:
		p.post(&mail{ids: ids, u: kabar.Update{Expired: &kabar.Expired{Refs: refs}}})
		return msg.label + " expired"
	}
	p.shown = append(p.shown, id)
	msg.shown++
	return msg.label
}

// unticked returns what has been shown and not yet been ticked as far as can be.
func (p *phone) unticked() (ids []string) {
	for _, id := range p.shown {
		if p.ticks[id] < kabar.Read {
			ids = append(ids, id)
		}
	}
	return ids
}

// tick says how far messages have come. Nobody keeps a phone from saying it twice, or in the wrong order.
func (p *phone) tick(s kabar.Status, ids ...string) {
	r := &kabar.Receipt{Status: s}
	for _, id := range ids {
		r.Refs = append(r.Refs, p.refs[id])
		p.ticks[id] = max(p.ticks[id], s)
	}
	p.post(&mail{ids: ids, u: kabar.Update{Receipt: r}})
}

// block blocks the number, or no longer.
func (p *phone) block() {
	p.blocking = !p.blocking
	blocked := p.blocking
	p.post(&mail{u: kabar.Update{Blocked: &blocked}})
}

// hand has the network hand its first mail to the server.
func (p *phone) hand() string {
	m := p.mail[0]
	p.handing = true
	m.handings++
	p.w.model.handed(m)
	p.w.server.line.deliver(m)
	if p.w.mutant == acknowledgedEarly && m.handings == 1 && !m.again {
		p.acked(m)
	}
	return fmt.Sprint("hands in ", m)
}

// acked notes that the server has acknowledged its first mail.
func (p *phone) acked(m *mail) {
	if len(p.mail) > 0 && p.mail[0] == m {
		p.mail = p.mail[1:]
		p.past = append(p.past, m)
		p.heard.Store(max(p.heard.Load(), int64(m.number)))
		p.w.model.acked(m)
	}
}

// repeat has the network bring a mail once more that it has brought already.
func (p *phone) repeat(m *mail) {
	again := *m
	again.again, again.handed = true, 0
	p.mail = append(p.mail, &again)
}
