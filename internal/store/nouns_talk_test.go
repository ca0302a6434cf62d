package store_test

import (
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
	return []*noun{
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
				*p = kabar.Endpoint{Account: n.Account, Number: n.ID, URL: "https://x.example/" + tag, Dialect: kabar.Cloud, Mark: 1}
				return tx.AddEndpoint(p, s.Now)
			},
			change: func(tx *store.Tx) error {
				p.URL, p.Mark = "https://y.example/"+tag, 4
				if err := tx.SetURL(n.ID, p.ID, p.URL); err != nil {
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
	}
}
