package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Of endpoints that are told in the dialect kabar each event is known by its place in the number's log, so that more can be said of
// them than by what is inside.

// inLog returns the webhooks that were told as events of the logs, one log behind another, each in its order.
func (h *hooks) inLog() []*post {
	all := slices.DeleteFunc(slices.Clone(h.order), func(p *post) bool { return p.seq == 0 || len(p.attempts) == 0 })
	slices.SortStableFunc(all, func(a, b *post) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.seq, b.seq))
	})
	return all
}

// place says where an event is: in which log, and where there.
func (p *post) place() string { return strings.TrimSpace(fmt.Sprint(p.number, " ", p.seq)) }

// oneID: an event has one webhook-id, whoever tells it and how often.
func oneID(r *run) (all []violation) {
	first := map[string]*post{} // by place
	for _, p := range r.order {
		if p.seq == 0 {
			continue
		}
		other := first[p.place()]
		if other == nil {
			first[p.place()] = p
			continue
		}
		all = append(all, broken("once", []int{other.first(), p.first()}, "event %s was told under two webhook-ids, %s and %s", p.place(), other.id, p.id))
	}
	return all
}

// first is the place where a webhook was told for the first time.
func (p *post) first() int { return slices.Min(slices.Concat(p.attempts, p.again)) }

// logOrder: events of one customer are told in the order of the log, each when the one before has been taken.
func logOrder(r *run) (all []violation) {
	type lane struct{ number, customer string }
	last := map[lane]*post{}
	for _, p := range r.inLog() {
		if p.customer == "" {
			continue
		}
		in := lane{p.number, p.customer}
		before := last[in]
		last[in] = p
		if before == nil || before.done != nowhere && before.done < p.attempts[0] || r.lost(before.attempts[0], p.attempts[0]) != "" {
			continue
		}
		all = append(all, broken("order", []int{before.attempts[0], before.done, p.attempts[0]}, "event %s of %s was told before %d had been taken", p.place(), p.customer, before.seq))
	}
	return all
}

// skipped: the endpoint is told, and takes, every event of a log, from the first one of it that it was told of.
func skipped(r *run) (all []violation) {
	var before *post
	for _, p := range r.inLog() {
		if before != nil && p.number == before.number && p.seq > before.seq+1 && !r.cutOff(before, p) {
			all = append(all, broken("loss", []int{before.attempts[0], p.attempts[0]}, "events between %s and %d were never told", before.place(), p.seq))
		}
		if before = p; p.done == nowhere && r.lost(p.attempts[0], nowhere) == "" {
			all = append(all, broken("loss", p.attempts[:1], "event %s was never taken", p.place()))
		}
	}
	return all
}

// cutOff says that what was between two events of the log may have gone when a store was set back: the first one had happened by then, and
// the second one was told since the copy was made.
func (r *run) cutOff(first, second *post) bool {
	return slices.ContainsFunc(r.restored, func(i interval) bool {
		return first.happened <= i.at && r.records[second.attempts[0]].At >= i.since
	})
}
