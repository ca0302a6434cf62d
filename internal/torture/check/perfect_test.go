package main

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"kabar/internal/torture/history"
)

// perfect is a product that keeps its promises, with everybody around it: clients, customers, phones, wire and sink, in one
// thread and without a byte of the product. What it does not know is forgetting.
type perfect struct {
	rng     *rand.Rand
	records []history.Record
	people  []*person
	account history.Account
	made    int // counts whatever needs a name
	log     log // of the number, as the endpoint of the dialect kabar reads it
}

// person is a customer, with all that goes to and fro.
type person struct {
	name      string
	closed    bool
	asked     map[string]int // messages, by client
	place     int
	lane      []outbound
	events    []history.Item
	logged    []history.Record // what the other endpoint is to be told
	held      *history.Record  // a webhook that has not been taken
	thread    []history.Shown
	out, back uint32 // numbers in the two ratchets
	seq       uint64
}

// prices are what messages cost in these histories.
func prices() map[string]history.Money {
	return map[string]history.Money{"text": 7, "image": 7, "template": 21}
}

type outbound struct{ token, id, kind, hash string }

func newPerfect(seed uint64) *perfect {
	p := &perfect{rng: rand.New(rand.NewPCG(seed, 0)), account: history.Account{Prices: prices()}}
	p.write("torture", history.Record{Op: history.Opened, Endpoint: flatEndpoint})
	p.draw(1000)
	for _, name := range []string{"A", "D", "E", "Z"} {
		p.people = append(p.people, &person{name: name, closed: name == "Z", asked: map[string]int{}})
	}
	return p
}

// live lets so many things happen, then comes to rest and looks at the phones.
func (p *perfect) live(steps int) []history.Record {
	for range steps {
		c := p.people[p.rng.IntN(len(p.people))]
		switch p.rng.IntN(10) {
		case 0:
			p.ask(c, []string{"c1", "c2"}[p.rng.IntN(2)])
		case 1:
			p.say(c)
		case 2, 3:
			p.send(c)
		case 4:
			p.tell(c)
		case 5:
			p.draw(history.Money(2000 + p.rng.IntN(9)))
		case 6, 7:
			p.tellLog(c)
		case 8:
			p.tellAgain()
		default:
			p.write("torture", history.Record{Op: history.Killed, Process: "server"})
		}
	}
	for _, c := range p.people {
		for len(c.lane) > 0 {
			p.send(c)
		}
		for len(c.events) > 0 || c.held != nil {
			p.tell(c)
		}
		for len(c.logged) > 0 {
			p.tellLog(c)
		}
	}
	for len(p.log.again) > 0 {
		p.tellAgain()
	}
	p.write("torture", history.Record{Op: history.Quiet})
	books := p.account
	books.Entries = slices.Clone(books.Entries)
	p.write("purse", history.Record{Op: history.Books, Books: &books})
	for _, c := range p.people {
		p.write("people", history.Record{Op: history.Thread, Customer: c.name, Shown: c.thread})
	}
	return p.records
}

func (p *perfect) write(by string, rec history.Record) {
	rec.By, rec.At = by, int64(len(p.records)+1)*1e6
	p.records = append(p.records, rec)
}

// draw sets the limit; now and then the answer is lost, and the limit holds or not.
func (p *perfect) draw(limit history.Money) {
	p.write("purse", history.Record{Op: history.Draw, Limit: limit})
	status := []int{200, 200, 0}[p.rng.IntN(3)]
	if status == 200 || p.rng.IntN(2) == 0 {
		p.enter(history.Entry{Kind: allocate, Amount: limit - p.account.Limit})
	}
	p.write("purse", history.Record{Op: history.Drew, HTTP: status})
}

// enter writes an entry of the ledger.
func (p *perfect) enter(e history.Entry) {
	a := &p.account
	switch e.Kind {
	case allocate:
		a.Limit += e.Amount
	case reserve:
		a.Reserved += e.Amount
	case settle:
		a.Reserved, a.Spent = a.Reserved-e.Amount, a.Spent+e.Amount
	case release:
		a.Reserved -= e.Amount
	}
	a.Available, a.Entries = a.Limit-a.Reserved-a.Spent, append(a.Entries, e)
}

func (p *perfect) name(kind string) string {
	p.made++
	return fmt.Sprintf("%s%d", kind, p.made)
}

// ask has a client ask until it is answered 201; now and then the answer is lost on the way.
func (p *perfect) ask(c *person, client string) {
	c.asked[client]++
	token := history.Token(client, c.name, c.asked[client])
	m := outbound{token: token, id: id(p.name("x")), kind: []string{"text", "image", "template"}[p.rng.IntN(3)]}
	rec := history.Record{Call: "message", Key: "m/" + token, To: c.name, Token: token, Kind: m.kind, Closed: c.closed, Hash: "body " + token}
	if m.kind == "image" {
		m.hash = "picture " + token
		p.write(client, history.Record{Op: history.Ask, Call: "media", Key: "u/" + token, To: c.name, Token: token, Hash: m.hash})
		p.write(client, history.Record{Op: history.Answer, Call: "media", Key: "u/" + token, To: c.name, Token: token, HTTP: 200, ID: p.name("medium")})
	}
	for {
		rec.Op, rec.HTTP, rec.ID = history.Ask, 0, ""
		p.write(client, rec)
		rec.Op = history.Answer
		if p.rng.IntN(4) > 0 {
			break
		}
		rec.HTTP = []int{0, 503}[p.rng.IntN(2)]
		p.write(client, rec)
	}
	rec.HTTP, rec.ID, rec.Hash = 201, m.id, "answer "+m.id
	p.write(client, rec)
	c.lane = append(c.lane, m)
	p.enter(history.Entry{Kind: reserve, Amount: prices()[m.kind], Message: m.id})
}

// send brings the next message to the phone, which confirms it.
func (p *perfect) send(c *person) {
	if len(c.lane) == 0 {
		return
	}
	m := c.lane[0]
	c.lane = c.lane[1:]
	if c.closed && m.kind != "template" {
		p.happen(c, history.Item{ID: m.id, Customer: c.name, Status: failed, Failure: codeClosed})
		p.enter(history.Entry{Kind: release, Amount: prices()[m.kind], Message: m.id})
		return
	}
	c.out++
	p.carry("B", c.name, messageOf(m.id)+"00000000000000", "out "+c.name, c.out, &c.seq)
	c.thread = append(c.thread, history.Shown{ID: m.id, Kind: m.kind, Token: m.token, Hash: m.hash, Status: delivered})
	p.enter(history.Entry{Kind: settle, Amount: prices()[m.kind], Message: m.id})
	c.back++
	p.carry(c.name, "B", p.name("receipt"), "back "+c.name, c.back, &c.seq)
	for _, status := range []string{sent, delivered, read} {
		p.happen(c, history.Item{ID: m.id, Customer: c.name, Status: status})
	}
}

// carry takes an envelope through the relay; it may be sent and delivered twice, as an acknowledgement is lost.
func (p *perfect) carry(from, to, envelope, ratchet string, number uint32, seq *uint64) {
	*seq++
	hash := "sealed " + envelope
	h := &history.Header{Ratchet: ratchet, Number: number}
	if number == 1 {
		h.Ephemeral, h.OneTime = "of "+ratchet, uint32(p.rng.IntN(1e6)+1)
		p.write("wire", history.Record{Op: history.Bundle, Device: from, To: to, OneTime: h.OneTime})
	}
	for range 1 + p.rng.IntN(2) {
		p.write("wire", history.Record{Op: history.Send, Device: from, To: to, Envelope: envelope, Hash: hash, Header: h})
	}
	p.write("wire", history.Record{Op: history.Stored, Device: from, Envelope: envelope})
	place := *seq + uint64(to[0])<<32 // mailboxes count by themselves; this one is shared
	for range 1 + p.rng.IntN(2) {
		p.write("wire", history.Record{Op: history.Deliver, Device: to, From: from, Envelope: envelope, Seq: place + uint64(from[0])<<40, Hash: hash})
	}
	p.write("wire", history.Record{Op: history.Ack, Device: to, Seqs: []uint64{place + uint64(from[0])<<40}})
}

// say has a customer write a message, which goes to the business at once.
func (p *perfect) say(c *person) {
	if c.closed {
		return
	}
	c.place++
	rec := history.Record{Op: history.Say, Customer: c.name, Token: history.Token(c.name, "B", c.place), Place: c.place, Kind: "text"}
	p.write("people", rec)
	c.back++
	p.carry(c.name, "B", p.name("said"), "back "+c.name, c.back, &c.seq)
	rec.Op, rec.HTTP, rec.ID = history.Said, 201, p.name("y")
	if p.rng.IntN(9) == 0 {
		rec.HTTP, rec.ID = 0, ""
	}
	p.write("people", rec)
	item := history.Item{ID: "of " + rec.Token, Customer: c.name, Kind: "text", Token: rec.Token}
	c.thread = append(c.thread, history.Shown{ID: item.ID, Mine: true, Kind: "text", Token: item.Token, Status: sent})
	p.happen(c, item)
}

// tell makes an attempt of the customer's next webhook, which holds up to three events.
func (p *perfect) tell(c *person) {
	if c.held == nil {
		n := min(len(c.events), 1+p.rng.IntN(3))
		if n == 0 {
			return
		}
		id := p.name("w")
		c.held = &history.Record{Op: history.Hook, ID: id, Hash: "body " + id, Items: c.events[:n]}
		c.events = c.events[n:]
	}
	p.write("sink", *c.held)
	status := []int{200, 200, 200, 503, 0}[p.rng.IntN(5)]
	p.write("sink", history.Record{Op: history.Answered, ID: c.held.ID, HTTP: status})
	if status == 200 {
		c.held = nil
	}
}
