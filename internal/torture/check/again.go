package main

import (
	"cmp"
	"slices"

	"kabar/internal/torture/history"
)

// A history has replays of one number's log alone. What is told again cannot be seen to belong to one replay or another, and a request to
// replay that was not answered may have begun one or not. So it is not judged how often an event comes again, nor whether more comes than was
// asked for, as long as something was.

// ask is a request that an endpoint be told again of what has happened since a time. It is made with the same time until it is answered.
type ask struct {
	since  int64
	tries  []int // places
	agreed int   // place of the first 2xx
}

func (h *hooks) addAsk(at int, rec *history.Record) {
	if rec.Op == history.Opened {
		return
	}
	i := slices.IndexFunc(h.asks, func(a *ask) bool { return a.since == rec.Since })
	if i < 0 {
		i, h.asks = len(h.asks), append(h.asks, &ask{since: rec.Since, agreed: nowhere})
	}
	switch a := h.asks[i]; {
	case rec.Op == history.Again:
		a.tries = append(a.tries, at)
	case rec.HTTP/100 == 2 && a.agreed == nowhere:
		a.agreed = at
	}
}

// uninvited: nothing is told again before somebody has asked for it.
func uninvited(r *run) (all []violation) {
	for _, at := range r.hooks.again {
		if len(r.asks) == 0 || at < r.asks[0].tries[0] {
			all = append(all, broken("invention", []int{at}, "webhook %s was told again, and nobody had asked for it", r.records[at].ID))
		}
	}
	return all
}

// replayedOnly: what is told again is told as it happens, too. A replay that moved the endpoint's own mark would have it left out.
func replayedOnly(r *run) (all []violation) {
	for _, p := range r.order {
		if len(p.again) > 0 && p.done == nowhere && r.lost(p.again[0], nowhere) == "" {
			all = append(all, broken("loss", p.again[:1], "webhook %s was told again, and was never taken when it was told as it happened", p.id))
		}
	}
	return all
}

// notRepeated: what had been taken when somebody asked to be told again, and had happened since the time that was named, is told again, and
// taken. A store that is set back afterwards may have lost the replay.
func notRepeated(r *run) (all []violation) {
	// What the log has. A store that was set back may have lost the others.
	known := slices.DeleteFunc(slices.Clone(r.order), func(p *post) bool { return p.happened == 0 || r.lost(p.first(), nowhere) != "" })
	slices.SortFunc(known, func(a, b *post) int { return cmp.Compare(a.happened, b.happened) })
	since := func(t int64) int {
		i, _ := slices.BinarySearchFunc(known, t, func(p *post, t int64) int { return cmp.Compare(p.happened, t) })
		return i
	}
	// What customers have written has their time, and may come later in the log than what happened after it.
	begins := func(t int64) (first uint64) {
		for _, p := range known[since(t):] {
			if first == 0 || p.seq < first {
				first = p.seq
			}
		}
		return first
	}
	for i, a := range r.asks {
		if a.agreed == nowhere {
			continue
		}
		// One that begins with the same event and is under way has told it already: then only the rest is told.
		at := a.tries[0]
		from := at
		for _, earlier := range r.asks[:i] {
			if begins(earlier.since) == begins(a.since) {
				from = min(from, earlier.tries[0])
			}
		}
		for _, p := range known[since(a.since):] {
			if p.done == nowhere || p.done > at || slices.ContainsFunc(p.retaken, func(at int) bool { return at > from }) {
				continue
			}
			all = append(all, broken("replay", []int{p.done, at, a.agreed}, "event %d (%s) had been taken, and was not told again although that was asked for", p.seq, p.id))
		}
	}
	return all
}

// way is how far a customer has been told again.
type way struct {
	at    *post
	since int // place of the attempt that came to it
	turns int // how often it has begun anew
}

// replayOrder: a customer's events are told again in the order of the log, each when the one before has been taken. It begins anew with
// every replay, of which there is one at a time, and from the mark when the server was killed.
func replayOrder(r *run) (all []violation) {
	ways := map[string]*way{}
	for _, at := range r.hooks.again {
		p := r.posts[r.records[at].ID]
		if p.seq == 0 || p.customer == "" {
			continue
		}
		w := ways[p.customer]
		if w == nil {
			w = &way{p, at, 0}
			ways[p.customer] = w
		}
		if w.at == p {
			continue
		}
		before, since := w.at, w.since
		w.at, w.since = p, at
		if r.lost(since, at) != "" {
			w.turns = 0 // replays that had ended may go on
			continue
		}
		back := p.seq < before.seq && !r.killed("server", since, at)
		if back {
			w.turns++
		}
		taken := slices.ContainsFunc(before.retaken, func(done int) bool { return done > since && done < at })
		switch {
		case p.seq > before.seq && !taken, back && !taken:
			all = append(all, broken("order", []int{since, at}, "event %d of %s was told again before %d had been taken", p.seq, p.customer, before.seq))
		case back && w.turns > r.asked(at):
			all = append(all, broken("order", []int{since, at}, "event %d of %s was told again behind %d, and no replay had begun", p.seq, p.customer, before.seq))
		}
	}
	return all
}

// killed says that a process was killed between two places.
func (r *run) killed(process string, after, before int) bool {
	for at := before - 1; at > after; at-- {
		if rec := &r.records[at]; rec.Op == history.Killed && rec.Process == process {
			return true
		}
	}
	return false
}

// asked is how many attempts to ask for a replay had been made before a place: each may have begun one.
func (h *hooks) asked(before int) (n int) {
	for _, a := range h.asks {
		for _, at := range a.tries {
			if at < before {
				n++
			}
		}
	}
	return n
}
