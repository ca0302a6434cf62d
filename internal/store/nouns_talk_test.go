package store_test

import (
	"errors"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// talkNouns are what is said in the conversation c, and the work it makes.
func talkNouns(t *testing.T, s *storetest.Env, n *kabar.Number, tag string, c *kabar.Conversation) []*noun {
	return []*noun{messageNoun(t, s, n, tag, c), jobNoun(t, s, n, tag, c), mediumNoun(t, s, n, tag), providerNoun(t, s, n, tag)}
}

func messageNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string, c *kabar.Conversation) *noun {
	m := &kabar.Message{}
	return &noun{name: "message",
		add: func(tx *store.Tx) error {
			*m = kabar.Message{Direction: kabar.Outbound, Status: kabar.Accepted, Content: &kabar.Text{Body: "text " + tag},
				Context:  kabar.Context{ReplyTo: 9, Forwarded: true, Referral: &kabar.Referral{Headline: "head " + tag}},
				IfClosed: &kabar.Template{Name: "template " + tag}, At: s.Now, Expires: s.Now.Add(time.Hour)}
			return tx.AppendMessage(c, m)
		},
		change: func(tx *store.Tx) error {
			m.Status, m.Failure, m.Attempts = kabar.Failed, kabar.ReasonExpired, 3
			if err := tx.SetStatus(m); err != nil {
				return err
			}
			m.Content, m.Taps = &kabar.Text{Body: "edited " + tag}, map[int]int{0: 1, 21: 100}
			stale := *m // SetContent must take nothing but what is sealed from what it is given
			stale.Status, stale.Failure, stale.Prev = kabar.Accepted, "", 12345
			return tx.SetContent(&stale)
		},
		inside: func(tx *store.Tx) (any, error) { m, err := tx.Message(n.ID, m.ID); return alone(m), err },
		read:   func() (any, error) { m, err := s.DB.Message(t.Context(), n.ID, m.ID); return alone(m), err },
		want:   func() any { return m }}
}

// alone is a message without its events, which come and go with another noun.
func alone(m *kabar.Message) *kabar.Message {
	if m != nil {
		m.Events = nil
	}
	return m
}

func jobNoun(t *testing.T, s *storetest.Env, n *kabar.Number, tag string, c *kabar.Conversation) *noun {
	j, gone := &store.Job{}, false
	return &noun{name: "job",
		add: func(tx *store.Tx) error {
			*j = store.Job{Account: n.Account, Number: n.ID, Conversation: c.ID, Kind: "send", Message: c.LastMessage}
			return tx.AddJob(j)
		},
		change: func(tx *store.Tx) error {
			j.Kind, j.Tries, j.Due, j.Body = "transmit", 2, s.Now, []byte("packet "+tag)
			return tx.SaveJob(j)
		},
		remove: func(tx *store.Tx) error { gone = true; return tx.RemoveJob(n.ID, j.ID) },
		inside: func(tx *store.Tx) (any, error) { return tx.Job(n.ID, j.ID) },
		read: func() (any, error) {
			all, err := s.DB.Lane(t.Context(), n.ID, c.ID, 10)
			if err != nil || len(all) == 0 {
				return nil, err
			}
			return s.DB.Job(t.Context(), n.ID, all[0])
		},
		want: func() any {
			if gone {
				return nil
			}
			return j
		}}
}

// readerNouns are the event log and its readers.
func readerNouns(t *testing.T, s *storetest.Env, n *kabar.Number, tag string, c *kabar.Conversation) []*noun {
	e := &kabar.Event{}
	p := &kabar.Endpoint{}
	d, removed := &store.Delivery{}, false
	return append([]*noun{
		{name: "event",
			add: func(tx *store.Tx) error {
				content, err := kabar.Snapshot(&kabar.Text{Body: "event " + tag})
				if err != nil {
					return err
				}
				*e = kabar.Event{Account: n.Account, Number: n.ID, Conversation: c.ID, Kind: kabar.EventMessage, At: s.Now,
					Customer: c.Customer, Message: c.LastMessage, Ref: s.DB.Ref(c.LastMessage), Content: content}
				return tx.AddEvent(e)
			},
			read: func() (any, error) { return s.DB.Event(t.Context(), n.ID, e.Seq) },
			want: func() any { return e }},
		{name: "endpoint",
			add: func(tx *store.Tx) error {
				*p = kabar.Endpoint{Account: n.Account, Number: n.ID, Wide: true, Dialect: kabar.Cloud, Mark: 1,
					EndpointConfig: kabar.EndpointConfig{URL: "https://x.example/" + tag, Origin: kabar.FromAPI, Filter: kabar.EventFilter{Types: []string{"message.*"}}}}
				return tx.AddEndpoint(p, s.Now)
			},
			change: func(tx *store.Tx) error {
				p.URL, p.Mark, p.Failing = "https://y.example/"+tag, 4, s.Now
				if err := errors.Join(tx.SetURL(n.ID, p.ID, p.URL), tx.SetFailing(n.ID, p.ID, s.Now)); err != nil {
					return err
				}
				if err := tx.Advance(n.ID, p.ID, 4); err != nil {
					return err
				}
				return tx.Advance(n.ID, p.ID, 2) // never lowers it
			},
			read: func() (any, error) {
				all, err := s.DB.Endpoints(t.Context(), n.ID)
				for _, e := range all {
					if e.ID == p.ID {
						return e, err
					}
				}
				return nil, err
			},
			want: func() any { return p }},
		{name: "delivery",
			add: func(tx *store.Tx) error {
				*d = store.Delivery{Endpoint: p.ID, Seq: e.Seq, Account: n.Account, Number: n.ID, Conversation: c.ID,
					State: store.Retrying, Attempts: 1, Due: s.Now.Add(time.Minute), Batch: e.Seq - 1, Body: []byte("tried " + tag)}
				return tx.SaveDelivery(d)
			},
			change: func(tx *store.Tx) error { d.State, d.Attempts, d.Batch = store.Parked, 2, 0; return tx.SaveDelivery(d) },
			remove: func(tx *store.Tx) error { removed = true; return tx.RemoveDelivery(n.ID, p.ID, e.Seq) },
			read: func() (any, error) {
				all, err := s.DB.Deliveries(t.Context(), n.ID, p.ID, d.State, 0, 10)
				if err != nil || len(all) != 1 {
					return nil, err
				}
				return all[0], nil
			},
			want: func() any {
				if removed {
					return nil
				}
				return d
			}},
	}, logNouns(t, s, n, tag, p, d)...)
}

// logNouns are what is remembered of deliveries to an endpoint of another noun.
func logNouns(t *testing.T, s *storetest.Env, n *kabar.Number, tag string, p *kabar.Endpoint, d *store.Delivery) []*noun {
	a, r := &store.Attempt{}, &store.Replay{}
	missed := []store.Expired{{Seq: 1, Type: "message.deleted", At: s.Now, Gone: s.Now.Add(time.Hour)}}
	taken := []store.Taken{{Seq: 2, At: s.Now, Took: 7 * time.Millisecond, Status: 200}, {Seq: 5, At: s.Now.Add(-time.Second), Status: 204, Failed: 3}}
	return []*noun{
		{name: "attempt",
			add: func(tx *store.Tx) error {
				*a = store.Attempt{N: 1, At: s.Now, Took: time.Second, Status: 500, AttemptAnswer: store.AttemptAnswer{Error: "answered 500",
					Header: map[string][]string{"Retry-After": {"7"}}, Body: []byte("no " + tag)}}
				return tx.LogAttempt(d, a)
			},
			read: func() (any, error) {
				all, err := s.DB.Attempts(t.Context(), n.ID, p.ID, d.Seq)
				if err != nil || len(all) != 1 {
					return nil, err
				}
				return &all[0], all[0].Broken
			},
			want: func() any { return a }},
		{name: "log of deliveries",
			add:  func(tx *store.Tx) error { return tx.LogTaken(n.Account, n.ID, p.ID, []store.Taken{taken[1], taken[0]}) },
			read: func() (any, error) { return s.DB.Taken(t.Context(), n.ID, p.ID, 0, 10) },
			want: func() any { return taken }},
		{name: "expired event",
			add:  func(tx *store.Tx) error { return tx.NoteExpired(n.ID, p.ID, missed[0]) },
			read: func() (any, error) { return s.DB.Expired(t.Context(), n.ID, p.ID, store.SpanAfter(0), 10) },
			want: func() any { return missed }},
		{name: "replay",
			add: func(tx *store.Tx) error {
				*r = store.Replay{Account: n.Account, Number: n.ID, Endpoint: p.ID, Since: 2, Until: 9}
				return tx.AddReplay(r, s.Now)
			},
			change: func(tx *store.Tx) error {
				r.Mark, r.State = 5, store.ReplayPaused
				if err := tx.Advance(n.ID, r.ID, 5); err != nil {
					return err
				}
				return tx.ChangeReplay(n.ID, r.ID, func(r *store.Replay) { r.State = store.ReplayPaused })
			},
			read: func() (any, error) { return s.DB.Replay(t.Context(), r.ID) },
			want: func() any { return r }},
	}
}
