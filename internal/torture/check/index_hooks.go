package main

import (
	"cmp"
	"slices"

	"kabar/internal/torture/history"
)

// The statuses, and how far each is. failed has no rank.
const (
	sent, delivered, read, played = "sent", "delivered", "read", "played"
	failed                        = "failed"
)

func rank(status string) int { return slices.Index([]string{sent, delivered, read, played}, status) }

// hooks is what the sink was told.
type hooks struct {
	posts  map[string]*post // by webhook-id
	order  []*post          // as they came first
	event  map[eventKey]*event
	events []*event            // as they came first
	of     map[string][]*event // statuses by the message's id
}

// post is a webhook with all its attempts.
type post struct {
	attempts []int
	done     int // place of the first answer that counts as taken
}

// eventKey is what a consumer tells events apart by.
type eventKey struct{ id, status string }

// event is a message or a status, as told.
type event struct {
	history.Item
	posts []*post
	told  int // place of the first attempt to tell it
	index int // among the items of that
	twice int // place of a body that holds it twice
	done  int // place of the first answer that counts as taken
}

func newHooks() hooks {
	return hooks{posts: map[string]*post{}, event: map[eventKey]*event{}, of: map[string][]*event{}}
}

func (h *hooks) addHook(at int, rec *history.Record) {
	p := h.posts[rec.ID]
	if p == nil {
		p = &post{done: nowhere}
		h.posts[rec.ID], h.order = p, append(h.order, p)
	}
	if rec.Op == history.Answered {
		// A connection that was cut after the answer was out may have brought it.
		if p.done == nowhere && (rec.HTTP/100 == 2 || rec.HTTP == 0 && rec.Detail == history.CutAfter) {
			p.done = at
		}
		return
	}
	p.attempts = append(p.attempts, at)
	for i, item := range rec.Items {
		h.addItem(at, i, p, item)
	}
}

func (h *hooks) addItem(at, i int, p *post, item history.Item) {
	key := eventKey{item.ID, item.Status}
	e := h.event[key]
	switch {
	case e == nil:
		e = &event{Item: item, told: at, index: i, twice: nowhere, done: nowhere}
		h.event[key], h.events = e, append(h.events, e)
		if item.Status != "" {
			h.of[item.ID] = append(h.of[item.ID], e)
		}
	case e.told == at && e.index != i:
		e.twice = at
	}
	if !slices.Contains(e.posts, p) {
		e.posts = append(e.posts, p)
	}
}

// finishHooks notes when each event was taken, and puts the statuses of a message into the order in which they ought to be.
func (h *hooks) finishHooks() {
	for _, e := range h.events {
		for _, p := range e.posts {
			e.done = earlier(e.done, p.done)
		}
	}
	for _, all := range h.of {
		slices.SortStableFunc(all, func(a, b *event) int { return cmp.Compare(expected(a), expected(b)) })
	}
}

// expected is where a status belongs among those of its message: failed behind all others.
func expected(e *event) int {
	if e.Status == failed {
		return len(played)
	}
	return rank(e.Status)
}

// status returns that of a message, as told; nil if it never was.
func (h *hooks) status(id, status string) *event { return h.event[eventKey{id, status}] }

// final returns the event that says what has become of a message: nil while the sink has taken none.
func (h *hooks) final(id string) *event {
	for _, status := range []string{failed, delivered, read, played} {
		if e := h.status(id, status); e != nil && e.done != nowhere {
			return e
		}
	}
	return nil
}

// overtakes says that the second of two events of one lane was told before the first had been taken.
func overtakes(first, second *event) bool {
	if first.told == second.told {
		return second.index < first.index
	}
	return first.done == nowhere || second.told < first.done
}
