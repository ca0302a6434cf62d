package main

import (
	"cmp"
	"maps"
	"slices"
)

// threadOrder: a phone shows what one client asked for one after another in this order. Only what had to be encrypted again,
// since the phone could not read it, may stand behind what was sent meanwhile.
func threadOrder(r *run) (all []violation) {
	for _, at := range r.threads {
		last := map[string]*message{} // by client
		for _, s := range r.records[at].Shown {
			m := r.byToken[s.Token]
			if m == nil || s.Mine || r.excuse(m) != "" {
				continue
			}
			before := last[m.client]
			switch {
			case before == nil || before.number < m.number:
				last[m.client] = m
			case before != m && m.precedes(before) && len(r.envelopesOf(m.id)) < 2:
				all = append(all, broken("order", []int{m.settled, before.asked[0], at}, "%s is shown behind %s, which was asked for later", m.token, before.token))
			}
		}
	}
	return all
}

// precedes says that a message was answered for good before another was asked for.
func (m *message) precedes(next *message) bool {
	return m.settled != nowhere && len(next.asked) > 0 && m.settled < next.asked[0]
}

// sayingOrder: what a customer said is told in the order in which it was said, each when the one before has been taken. An image
// may come later than what follows it: its event waits for its bytes. So may what the server could not read, and asked for
// again in a fresh session.
func sayingOrder(r *run) (all []violation) {
	last := map[string]*saying{} // by customer
	for _, s := range r.inOrder() {
		if len(s.told) == 0 || r.excuseSaying(s) != "" {
			continue
		}
		before := last[s.customer]
		if before != nil && before.said != nowhere && before.said < s.say && overtakes(before.told[0], s.told[0]) {
			all = append(all, broken("order", []int{before.told[0].told, before.told[0].done, s.told[0].told}, "%s was told before %s had been taken", s.token, before.token))
		}
		if s.kind != "image" && !r.renewed(s) {
			last[s.customer] = s
		}
	}
	return all
}

// inOrder returns all sayings, those of a customer by place.
func (r *run) inOrder() []*saying {
	return slices.SortedFunc(maps.Values(r.sayings), func(a, b *saying) int {
		return cmp.Or(cmp.Compare(a.customer, b.customer), cmp.Compare(a.place, b.place), cmp.Compare(a.say, b.say))
	})
}

// Times around the beginning of a session, in nanoseconds.
const (
	unknown = 60e9 // it is begun, and a customer who writes does not know it yet
	atOnce  = 5e9  // two sides begin one each, as neither knows of the other's
)

// renewed says that a session took the place of another one while a saying was under way: it may have been unreadable. Of two that
// are begun at once neither does, unless a store was set back in between.
func (r *run) renewed(s *saying) bool {
	first, end := r.records[s.say].At-unknown, r.records[s.told[0].told].At
	known := r.sessions[pairOf(s.customer, s.to)]
	return slices.ContainsFunc(known, func(n session) bool {
		begun, at := r.records[known[0].at].At, r.records[n.at].At
		return at >= first && at <= end && (at > begun+atOnce || r.setBack(begun, at))
	})
}

// setBack says that an older copy took a store's place between two times.
func (r *run) setBack(after, before int64) bool {
	return slices.ContainsFunc(r.restored, func(i interval) bool { return i.at > after && i.at < before })
}

// sentOrder: what one client asked for one after another was told as sent in this order.
func sentOrder(r *run) (all []violation) {
	type way struct{ client, to string }
	last := map[way]*message{}
	for _, m := range r.messages {
		e := r.status(m.id, sent)
		if m.ok == nowhere || e == nil || r.excuse(m) != "" {
			continue
		}
		w := way{m.client, m.to}
		if before := last[w]; before != nil && before.precedes(m) {
			if first := r.status(before.id, sent); overtakes(first, e) {
				all = append(all, broken("order", []int{first.told, first.done, e.told}, "%s was told as sent before this had been taken of %s", m.token, before.token))
			}
		}
		last[w] = m
	}
	return all
}
