package main

import (
	"cmp"
	"slices"

	"kabar/internal/torture/history"
)

// run is a history, ordered by what its records are about. A place is the number of a record: records are in order of time,
// so that of two places the smaller one was earlier. nowhere is the place of what has not happened.
type run struct {
	records []history.Record

	messages []*message // in the order in which they were asked for first
	byToken  map[string]*message
	byID     map[string]*message // acknowledged ones
	sayings  map[string]*saying  // by token
	threads  map[string]int      // place of the record, by customer

	hooks  // of the first endpoint
	others map[string]*hooks
	wire

	restored []interval
	quiet    int   // place
	draws    []int // places
	books    int   // place of the last
}

const nowhere = -1

// message is one that a client asked for.
type message struct {
	token, key, to string
	client         string
	number         int // of the client's to this customer
	kind           string
	closed         bool

	begun    int   // place of the first attempt of anything for it, its upload included
	asked    []int // attempts
	answers  []int
	ok       int // first 2xx
	settled  int // first answer that is final
	id       string
	uploaded int // first 2xx of its upload
	upload   string
	shown    []appearance
}

// appearance is a message in a thread.
type appearance struct {
	history.Shown
	customer string
	thread   int // place
}

// saying is a message that a customer wrote.
type saying struct {
	token, customer, to, kind, hash string
	place                           int // among the customer's, not in the history
	say, said                       int // places
	http                            int
	told                            []*event
	failed                          bool // its phone shows so
}

// index orders a history.
func index(records []history.Record) *run {
	r := &run{
		records: records, byToken: map[string]*message{}, byID: map[string]*message{},
		sayings: map[string]*saying{}, threads: map[string]int{}, hooks: newHooks(""), others: map[string]*hooks{}, wire: newWire(), quiet: nowhere, books: nowhere,
	}
	for at := range records {
		switch rec := &records[at]; rec.Op {
		case history.Restored:
			r.restored = append(r.restored, interval{rec.Since, rec.At})
		case history.Quiet:
			r.quiet = at
		case history.Draw:
			r.draws = append(r.draws, at)
		case history.Books:
			r.books = at
		case history.Ask, history.Answer:
			r.addCall(at, rec)
		case history.Say, history.Said:
			r.addSaying(at, rec)
		case history.Thread:
			r.threads[rec.Customer] = at
		case history.Hook, history.Answered:
			r.told(rec.Endpoint).addHook(at, rec)
		case history.Opened, history.Again, history.Agreed:
			r.told(rec.Endpoint).addAsk(at, rec)
		case history.Send, history.Stored, history.Refused, history.Deliver, history.Ack, history.Bundle:
			r.wire.add(at, rec)
		case history.Begin, history.Started, history.Killed, history.Drew: // for those who read
		}
	}
	r.finishHooks()
	r.join()
	r.joinTold()
	return r
}

func (r *run) addCall(at int, rec *history.Record) {
	m := r.byToken[rec.Token]
	if m == nil {
		client, _, number, _ := history.ParseToken(rec.Token)
		m = &message{token: rec.Token, to: rec.To, client: client, number: number, begun: at, ok: nowhere, settled: nowhere, uploaded: nowhere}
		r.byToken[rec.Token] = m
	}
	good := rec.Op == history.Answer && rec.HTTP/100 == 2
	switch {
	case rec.Call == "media" && good && m.uploaded == nowhere:
		m.uploaded = at
	case rec.Call == "media" && rec.Op == history.Ask:
		m.upload = rec.Hash
	case rec.Call == "media": // what came of it is known, or unknown
	case rec.Op == history.Ask:
		if len(m.asked) == 0 {
			m.key, m.kind, m.closed = rec.Key, rec.Kind, rec.Closed
			r.messages = append(r.messages, m)
		}
		m.asked = append(m.asked, at)
	default:
		m.answers = append(m.answers, at)
		if m.settled == nowhere && isFinal(rec.HTTP) {
			m.settled = at
		}
		if good && m.ok == nowhere {
			m.ok, m.id = at, rec.ID
		}
		if good && r.byID[rec.ID] == nil {
			r.byID[rec.ID] = m
		}
	}
}

// isFinal says whether an answer ends a request.
func isFinal(http int) bool { return http/100 == 2 || http/100 == 4 && http != 408 && http != 429 }

func (r *run) addSaying(at int, rec *history.Record) {
	s := r.sayings[rec.Token]
	if s == nil {
		_, to, _, _ := history.ParseToken(rec.Token)
		s = &saying{token: rec.Token, customer: rec.Customer, to: to, kind: rec.Kind, hash: rec.Hash, place: rec.Place, say: at, said: nowhere}
		r.sayings[rec.Token] = s
	}
	if rec.Op == history.Said {
		s.said, s.http = at, rec.HTTP
	}
}

// join leads from messages to what phones show of them, and from sayings to whether they failed.
func (r *run) join() {
	for customer, at := range r.threads {
		for _, shown := range r.records[at].Shown {
			if m := r.byToken[shown.Token]; m != nil && !shown.Mine {
				m.shown = append(m.shown, appearance{shown, customer, at})
			}
			if s := r.sayings[shown.Token]; s != nil && shown.Mine {
				s.failed = shown.Status == failed
			}
		}
	}
}

// joinTold leads from sayings to what the endpoint was told of them.
func (r *run) joinTold() {
	for _, e := range r.events {
		if s := r.sayings[e.Token]; s != nil && e.Status == "" {
			s.told = append(s.told, e)
		}
	}
	for _, s := range r.sayings {
		slices.SortFunc(s.told, func(a, b *event) int { return cmp.Compare(a.told, b.told) })
	}
}

// accepted says that the phone answered that it has the message.
func (s *saying) accepted() bool { return s.http/100 == 2 }

// done is when the sink first took a saying.
func (s *saying) done() int {
	first := nowhere
	for _, e := range s.told {
		first = earlier(first, e.done)
	}
	return first
}

// open says that a message may exist although nobody has been told its id.
func (m *message) open(r *run) bool {
	if m.ok != nowhere {
		return false
	}
	refused := 0
	for _, at := range m.answers {
		if r.records[at].HTTP/100 == 4 {
			refused++
		}
	}
	return refused < len(m.asked)
}

// freeForm says that a message needs an open window.
func (m *message) freeForm() bool { return m.kind != "template" }

// earlier returns the smaller of two places of which one or both may be nowhere.
func earlier(a, b int) int {
	if a == nowhere || b != nowhere && b < a {
		return b
	}
	return a
}
