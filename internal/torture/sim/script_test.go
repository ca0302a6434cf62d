package sim

import (
	"fmt"
	"time"

	"kabar"
)

// option is something that could be decided next, and how likely it is beside the others.
type option struct {
	weight int
	do     func()
}

// live makes n decisions, then lets everything come to its end and judges it.
func (w *world) live(n int) {
	w.rest()
	for range n {
		if len(w.model.faults) > 0 {
			break
		}
		w.step()
	}
	if len(w.model.faults) == 0 {
		w.settle()
		w.model.judge(names[:len(w.phones)])
	}
	w.gates.kill(w.server) // nothing waits any more, unless a fault has ended it early
	w.must(w.server.stop())
	w.must(w.media.Close())
}

func (w *world) step() {
	all := w.options()
	sum := 0
	for _, o := range all {
		sum += o.weight
	}
	at := w.rng.IntN(sum)
	for _, o := range all {
		if at -= o.weight; at < 0 {
			o.do()
			return
		}
	}
}

// options lists what could be decided now, always in the same order.
func (w *world) options() (all []option) {
	add := func(weight int, do func()) { all = append(all, option{weight, do}) }
	if w.server.queued() > 0 {
		add(40, w.commit)
	} else {
		add(6, w.wait)
		add(7, w.hours)
	}
	for _, g := range w.gates.list() {
		if g.kind != "post" || w.sinkIs != hanging {
			add(12, func() { w.open(g, w.chance(g)) })
		}
	}
	for _, p := range w.phones {
		all = append(all, w.phoneOptions(p)...)
	}
	add(12, w.ask)
	for _, o := range w.orders {
		switch {
		case o.repeatable() && o.unknown:
			add(8, func() { w.call(o) })
		case o.repeatable() && o.phone.index == w.model.step%len(w.phones): // not all of them, there are many
			add(1, func() { w.call(o) })
		}
	}
	add(2, w.network_)
	add(2, w.application)
	if w.stats.Crashes < 3 {
		add(1+len(w.gates.list())/2, w.kill)
	}
	return all
}

// phoneOptions lists what could happen to a phone.
func (w *world) phoneOptions(p *phone) (all []option) {
	tell := func(weight int, do func() string) {
		all = append(all, option{weight, func() {
			w.decide()
			w.note("%s: %s", p.name, do())
			w.rest()
		}})
	}
	if len(p.mail) > 0 && !p.handing && !w.offline {
		tell(14, p.hand)
	}
	if len(p.mailbox) > 0 {
		tell(10, func() string { return "fetches " + p.fetch(w.rng) })
	}
	if ids := p.unticked(); len(ids) > 0 {
		tell(8, func() string { return w.tick(p, ids) })
	}
	if len(p.shown) > 0 { // a tick that comes late or twice
		tell(3, func() string { return w.tick(p, p.shown) })
	}
	tell(3, func() string { p.say(w.age()); return "writes" })
	if p.said == 0 {
		tell(6, func() string { p.say(w.age()); return "writes first" })
	}
	if len(p.past) > 0 {
		if m := p.past[w.rng.IntN(len(p.past))]; m.u.Blocked == nil { // of a block the last one counts
			tell(1, func() string { p.repeat(m); return fmt.Sprint("is repeated: ", m) })
		}
	}
	if p.blocking || w.rng.IntN(8) == 0 {
		tell(1, func() string { p.block(); return fmt.Sprint("blocks: ", p.blocking) })
	}
	return all
}

// tick says of one message that is shown, or of all, that it has been delivered or read.
func (w *world) tick(p *phone, ids []string) string {
	s := []kabar.Status{kabar.Delivered, kabar.Read}[w.rng.IntN(2)]
	if w.rng.IntN(3) > 0 {
		i := w.rng.IntN(len(ids))
		ids = ids[i : i+1]
	}
	p.tick(s, ids...)
	return fmt.Sprint("ticks ", p.mail[len(p.mail)-1])
}

// age is how old a message is when it gets to the network: most are new, a few have waited nearly as long as a window.
func (w *world) age() time.Duration {
	switch w.rng.IntN(4) {
	case 0:
		return kabar.Window - time.Duration(w.rng.IntN(8*60))*time.Minute
	case 1:
		return kabar.Window - time.Duration(w.rng.IntN(60))*time.Minute
	default:
		return 0
	}
}

// ask has an application want a new message.
func (w *world) ask() {
	p := w.phones[w.rng.IntN(len(w.phones))]
	o := w.newOrder(p, w.rng.IntN(4) > 0)
	if w.rng.IntN(5) > 0 {
		o.key = "key of " + o.label
		o.twins.all = []*message{o.message}
		for _, other := range w.orders {
			if other.repeatable() && other.phone == p && w.rng.IntN(24) == 0 { // another message with the key of an earlier one
				o.key, o.twins = other.key, other.twins
				o.twins.all = append(o.twins.all, o.message)
				break
			}
		}
	}
	w.call(o)
}

func (w *world) newOrder(p *phone, free bool) *order {
	o := &order{phone: p, message: &message{label: fmt.Sprintf("#%d", len(w.orders)+1), customer: p.name, free: free, packets: map[string]bool{},
		twins: &twins{}, status: kabar.Accepted}}
	least := []time.Duration{time.Minute, 20 * time.Minute, 3 * time.Hour, 30 * 24 * time.Hour}[w.rng.IntN(4)]
	o.hopeless = w.rng.IntN(25) == 0
	o.expires = w.slotAfter(p, time.Now().Add(least))
	w.orders = append(w.orders, o)
	w.byLabel[o.label] = o
	w.stats.Messages++
	return o
}

// call makes a request for an order.
func (w *world) call(o *order) {
	w.decide()
	c := o.do(w)
	w.note("ask for %s to %s, free-form: %t, key: %q", c.name, o.customer, o.free, o.key)
	w.rest()
}

// wait lets a few seconds go by, in which nothing else is decided: what hangs, hangs.
func (w *world) wait() {
	for _, g := range w.gates.list() {
		if g.kind == "send" && time.Since(g.at) > slice/2 {
			return // a network that answers so late is another one's test
		}
	}
	w.decide()
	d := time.Duration(1+w.rng.IntN(5)) * 5 * time.Second
	w.note("%s pass", d)
	time.Sleep(d)
	w.stats.Passed += d
	w.rest()
}

// hours lets more time go by.
func (w *world) hours() {
	w.decide()
	d := []time.Duration{10 * time.Minute, time.Hour, 3 * time.Hour}[w.rng.IntN(3)]
	if w.offline {
		d = 10 * time.Minute * time.Duration(1+w.rng.IntN(3)) // lanes look twice a minute whether the network is back
	}
	w.note("%s pass", d)
	w.serve()
	w.pass(d)
}

// network_ has the network's line break, or come back.
func (w *world) network_() {
	w.decide()
	w.offline = !w.offline
	w.note("offline: %t", w.offline)
	w.network.SetOffline(w.offline)
	w.rest()
}

// application changes how the application answers webhooks.
func (w *world) application() {
	w.decide()
	if w.sinkIs != well {
		w.sinkIs = well
	} else {
		w.sinkIs = []string{down, hanging, flaky, w.phones[w.rng.IntN(len(w.phones))].name}[w.rng.IntN(4)]
	}
	w.note("the application is %s", w.sinkIs)
}

// idle is how long nothing must happen until nothing will: longer than any back-off.
const idle = 20 * time.Minute

// patience is how many decisions may be needed until nothing happens any more: several times as many as are.
const patience = 3000

// settle makes everything good, and goes on until nothing is left to do.
func (w *world) settle() {
	w.sinkIs = well
	if w.offline {
		w.network_()
	}
	end := w.stats.Decisions + patience
	for quiet := time.Duration(0); quiet < idle; {
		if w.stats.Decisions > end {
			w.model.fault("I14: it does not come to rest")
			return
		}
		if w.serve() || w.finish() {
			quiet = 0
			continue
		}
		time.Sleep(slice)
		w.stats.Passed += slice
		quiet += slice
		w.rest()
	}
}

// finish has somebody do one thing that is left.
func (w *world) finish() bool {
	for _, o := range w.orders {
		if o.unknown && o.repeatable() {
			w.call(o)
			return true
		}
	}
	for _, p := range w.phones {
		what := ""
		switch ids := p.unticked(); {
		case len(p.mail) > 0 && !p.handing:
			w.decide()
			what = p.hand()
		case len(p.mailbox) > 0:
			w.decide()
			what = "fetches " + p.fetch(nil)
		case len(ids) > 0:
			w.decide()
			p.tick(kabar.Read, ids...)
			what = "ticks the rest"
		default:
			continue
		}
		w.note("%s: %s", p.name, what)
		w.rest()
		return true
	}
	return false
}
