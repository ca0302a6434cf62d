package main

import (
	"fmt"
	"slices"

	"kabar/internal/torture/history"
)

const flatEndpoint = "kabar"

// log is what has happened, and what of it is to be told again.
type log struct {
	events []history.Record
	again  []history.Record
}

// happen makes an event, of which both endpoints are to be told. Some have nothing to do with messages.
func (p *perfect) happen(c *person, items ...history.Item) {
	for _, item := range items {
		c.events = append(c.events, item)
		p.enterLog(c, item)
	}
	if p.rng.IntN(9) == 0 {
		p.enterLog(c)
	}
}

func (p *perfect) enterLog(c *person, items ...history.Item) {
	seq := uint64(len(p.log.events) + 1)
	rec := history.Record{Op: history.Hook, Endpoint: flatEndpoint, ID: fmt.Sprintf("evt_%d", seq), Hash: fmt.Sprintf("event %d", seq), Items: items,
		Seq: seq, Happened: int64(len(p.records)) * 1e6, Customer: c.name}
	p.log.events, c.logged = append(p.log.events, rec), append(c.logged, rec)
}

// attempt tells the other endpoint of something, and reports whether that was taken.
func (p *perfect) attempt(rec history.Record) bool {
	p.write("sink", rec)
	status := []int{200, 200, 200, 503, 0}[p.rng.IntN(5)]
	p.write("sink", history.Record{Op: history.Answered, Endpoint: rec.Endpoint, ID: rec.ID, Replayed: rec.Replayed, HTTP: status})
	return status == 200
}

// tellLog makes an attempt to tell of the customer's next event.
func (p *perfect) tellLog(c *person) {
	if len(c.logged) > 0 && p.attempt(c.logged[0]) {
		c.logged = c.logged[1:]
	}
}

// tellAgain asks for something to be told again, or makes an attempt of what was asked for. A killed process goes on behind what it had
// noted: what it has not, it tells twice.
func (p *perfect) tellAgain() {
	if len(p.log.again) == 0 {
		p.askAgain()
		return
	}
	rec := p.log.again[0]
	rec.Replayed = true
	if p.attempt(rec) && p.rng.IntN(9) > 0 {
		p.log.again = p.log.again[1:]
	}
}

func (p *perfect) askAgain() {
	since := int64(p.rng.IntN(len(p.records))) * 1e6
	for done := false; !done; {
		done = p.rng.IntN(4) > 0
		p.write("torture", history.Record{Op: history.Again, Endpoint: flatEndpoint, Since: since})
		status := 0
		if done {
			status = 202
		}
		p.write("torture", history.Record{Op: history.Agreed, Endpoint: flatEndpoint, Since: since, HTTP: status})
	}
	p.log.again = slices.Clone(p.log.events)
	p.log.again = slices.DeleteFunc(p.log.again, func(r history.Record) bool { return r.Happened < since })
}

// ofOther are faults about the other endpoint.
func ofOther() []corruption {
	told := func(again bool) func([]history.Record, int) bool {
		return func(all []history.Record, at int) bool {
			return all[at].Op == history.Hook && all[at].Endpoint == flatEndpoint && all[at].Replayed == again
		}
	}
	refuse := func(again bool) func([]history.Record, int) []history.Record {
		return func(all []history.Record, at int) []history.Record {
			for i := range all {
				if all[i].Op == history.Answered && all[i].ID == all[at].ID && all[i].Replayed == again {
					all[i].HTTP = 503
				}
			}
			return all
		}
	}
	return []corruption{
		{"the other endpoint never takes an event", "loss", told(false), refuse(false)},
		{"the other endpoint is never told of an event", "loss", func(all []history.Record, at int) bool {
			return told(false)(all, at) && all[at].Seq > 1 && all[at].Seq < lastSeq(all)
		}, func(all []history.Record, at int) []history.Record {
			id := all[at].ID
			return slices.DeleteFunc(all, func(r history.Record) bool { return r.ID == id && r.Endpoint == flatEndpoint })
		}},
		{"the other endpoint is told under another webhook-id", "once", told(false), repeat(func(r *history.Record) { r.ID = "another" })},
		{"the other endpoint is told with other bytes", "once", told(false), repeat(func(r *history.Record) { r.Hash = "another" })},
		{"what is told again has other bytes", "once", told(true), edit(func(r *history.Record) { r.Hash = "another" })},
		{"what is told again has another webhook-id", "once", told(true), repeat(func(r *history.Record) { r.ID = "another" })},
		{"nobody has asked for what is told again", "invention", told(true), func(all []history.Record, _ int) []history.Record {
			return slices.DeleteFunc(all, func(r history.Record) bool { return r.Op == history.Again || r.Op == history.Agreed })
		}},
		{"what was to be told again never is", "replay", func(all []history.Record, at int) bool {
			return told(true)(all, at) && owed(all, at)
		}, refuse(true)},
	}
}

func lastSeq(all []history.Record) (last uint64) {
	for _, r := range all {
		if r.Op == history.Hook {
			last = max(last, r.Seq)
		}
	}
	return last
}

// owed says that what is told again at a place had been taken when that was asked for.
func owed(all []history.Record, at int) bool {
	for i := at; i >= 0; i-- {
		if all[i].Op != history.Again {
			continue
		}
		begun := slices.IndexFunc(all, func(r history.Record) bool { return r.Op == history.Again && r.Since == all[i].Since })
		return all[i].Since <= all[at].Happened && slices.ContainsFunc(all[:begun], func(r history.Record) bool {
			return r.Op == history.Answered && r.ID == all[at].ID && !r.Replayed && r.HTTP == 200
		})
	}
	return false
}
