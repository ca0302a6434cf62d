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

// hooks is what one endpoint was told.
type hooks struct {
	endpoint string           // its name; empty: the first one of the number, that of the /v1 settings
	posts    map[string]*post // by webhook-id
	order    []*post          // as they came first
	event    map[eventKey]*event
	events   []*event            // as they came first
	of       map[string][]*event // statuses by the message's id

	asks  []*ask // to be told again, as they came first
	again []int  // places of what was told because of them
}

// post is a webhook with all its attempts.
type post struct {
	id       string
	attempts []int
	done     int // place of the first answer that counts as taken
	again    []int
	retaken  []int // places of the answers to those that count as taken

	// Of an event in the dialect kabar: its number and place in that one's log, when it happened, whom it is about.
	number   string
	seq      uint64
	happened int64
	customer string
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

func newHooks(endpoint string) hooks {
	return hooks{endpoint: endpoint, posts: map[string]*post{}, event: map[eventKey]*event{}, of: map[string][]*event{}}
}

func (h *hooks) addHook(at int, rec *history.Record) {
	p := h.posts[rec.ID]
	if p == nil {
		p = &post{id: rec.ID, done: nowhere, number: rec.Number, seq: rec.Seq, happened: rec.Happened, customer: rec.Customer}
		h.posts[rec.ID], h.order = p, append(h.order, p)
	}
	// A connection that was cut after the answer was out may have brought it.
	took := rec.HTTP/100 == 2 || rec.HTTP == 0 && rec.Detail == history.CutAfter
	switch answered := rec.Op == history.Answered; {
	case answered && rec.Replayed && took:
		p.retaken = append(p.retaken, at)
	case answered && took && !rec.Replayed && p.done == nowhere:
		p.done = at
	case answered: // it comes again
	case rec.Replayed:
		p.again, h.again = append(p.again, at), append(h.again, at)
	default:
		p.attempts = append(p.attempts, at)
		for i, item := range rec.Items {
			h.addItem(at, i, p, item)
		}
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
