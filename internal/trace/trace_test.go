package trace_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
	"kabar/internal/trace"
)

const ana, budi = "34600111222", "34600111333"

// names are those of a dialect that says what it is asked. Another one puts "other:" before each id.
func names() trace.Names {
	return trace.Names{
		ID: func(outbound bool, n *kabar.Number, c kabar.Customer, ref uint64) string {
			return fmt.Sprintf("%v/%s/%s/%d", outbound, n.Digits, c.Handle(), ref)
		},
		Ref: func(id string) (ref uint64, ok bool) {
			_, err := fmt.Sscan(id[strings.LastIndex(id, "/")+1:], &ref)
			return ref, err == nil
		},
		Own:  func(id string) string { return strings.TrimPrefix(id, "other:") },
		Code: func(r kabar.Reason) int { return len(r) },
	}
}

// story has three messages with Ana and one with Budi in the store; it returns the ids in that order.
func story(t *testing.T, s *storetest.Env) (ids []string) {
	now := s.Now.UTC().Truncate(time.Second)
	s.Write(t, func(tx *store.Tx) error {
		ids = nil // the writer may run it again
		ep := &kabar.Endpoint{Account: s.A.Account, Number: s.A.ID, EndpointConfig: kabar.EndpointConfig{URL: "https://app.example/hook"}, Dialect: kabar.OnPrem}
		if err := tx.AddEndpoint(ep, now); err != nil {
			return err
		}
		withAna, err := tx.CreateConversation(s.A, kabar.Customer{WaID: ana})
		if err != nil {
			return err
		}
		withBudi, err := tx.CreateConversation(s.A, kabar.Customer{WaID: budi})
		if err != nil {
			return err
		}
		heard := &kabar.Message{Direction: kabar.Inbound, Status: kabar.Received, Content: &kabar.Text{Body: "hi"}, At: now}
		said := &kabar.Message{Direction: kabar.Outbound, Status: kabar.Delivered, Content: &kabar.Text{Body: "welcome"}, At: now.Add(time.Hour)}
		late := &kabar.Message{Direction: kabar.Outbound, Status: kabar.Failed, Failure: kabar.ReasonWindowClosed, Content: &kabar.Text{Body: "late"}, At: now.Add(25 * time.Hour)}
		first := &kabar.Message{Direction: kabar.Outbound, Status: kabar.Accepted, Content: &kabar.Reaction{Emoji: "👍"}, At: now}
		for _, step := range []struct {
			c        *kabar.Conversation
			m        *kabar.Message
			events   []kabar.Event
			delivery store.Delivery // of the last event
		}{
			{withAna, heard, []kabar.Event{{Kind: kabar.EventMessage}}, store.Delivery{State: store.Finished}},
			{withAna, said, []kabar.Event{{Kind: kabar.EventStatus, Status: kabar.Sent}, {Kind: kabar.EventStatus, Status: kabar.Delivered}},
				store.Delivery{State: store.Retrying, Attempts: 2, Answer: "500", Due: now.Add(time.Minute)}},
			{withAna, late, []kabar.Event{{Kind: kabar.EventStatus, Status: kabar.Failed}}, store.Delivery{State: store.Parked, Attempts: 9, Due: now.Add(time.Hour)}},
			{withBudi, first, nil, store.Delivery{}},
		} {
			if step.m == said {
				step.m.Context.ReplyTo = heard.ID
			}
			if err := tx.AppendMessage(step.c, step.m); err != nil {
				return err
			}
			ids = append(ids, names().ID(step.m.Direction == kabar.Outbound, s.A, step.c.Customer, step.m.Ref))
			var seq int64
			for _, ev := range step.events {
				ev.Account, ev.Number, ev.Conversation, ev.Message, ev.At = s.A.Account, s.A.ID, step.c.ID, step.m.ID, step.m.At
				if err := tx.AddEvent(&ev); err != nil {
					return err
				}
				seq = ev.Seq
			}
			if d := step.delivery; seq != 0 {
				d.Endpoint, d.Seq, d.Account, d.Number, d.Conversation = ep.ID, seq, s.A.Account, s.A.ID, step.c.ID
				if err := tx.SaveDelivery(&d); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return ids
}

// show writes what became of a message on one line.
func show(m *trace.Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %s", m.Direction, m.Type, m.Content, m.Status)
	if m.Judged.WindowOpen != nil {
		fmt.Fprintf(&b, " window %v", *m.Judged.WindowOpen)
	}
	if m.Judged.Code != 0 {
		fmt.Fprintf(&b, " code %d", m.Judged.Code)
	}
	for _, s := range m.Timeline {
		b.WriteString(" > " + s.Status)
	}
	for _, d := range m.Deliveries {
		if d.Endpoint == "https://app.example/hook" {
			fmt.Fprintf(&b, "; %s %s %d%s", d.What, d.State, d.Failures, d.Answer)
		}
	}
	return b.String()
}

// told is what the store has of the story, in the order of its ids.
func told() []string {
	return []string{
		`inbound text {"body":"hi"} received > received; message done 0`,
		`outbound text {"body":"welcome"} delivered window true > accepted > sent > delivered; status sent waiting 0; status delivered retrying 2500`,
		fmt.Sprintf(`outbound text {"body":"late"} failed window false code %d > accepted > failed; status failed parked 9`, len(kabar.ReasonWindowClosed)),
		`outbound reaction {"emoji":"👍"} accepted window false > accepted`,
	}
}

// TestMessage: what became of each message, as the store has it; of another's message nothing.
func TestMessage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		ids, tracer := story(t, s), trace.New(s.DB, names())
		for i, want := range told() {
			for _, of := range []trace.Of{{}, {Account: s.A.Account}, {Number: s.A.ID}} {
				for _, id := range []string{ids[i], "other:" + ids[i]} {
					m, err := tracer.Message(t.Context(), of, id)
					if err != nil {
						t.Fatal(err)
					}
					if got := show(m); got != want || m.ID != ids[i] {
						t.Errorf("%s\n got %s\nwant %s", m.ID, got, want)
					}
				}
			}
			for what, ask := range map[string]func() (*trace.Message, error){
				"another number": func() (*trace.Message, error) { return tracer.Message(t.Context(), trace.Of{Number: s.B.ID}, ids[i]) },
				"another account": func() (*trace.Message, error) {
					return tracer.Message(t.Context(), trace.Of{Account: s.B.Account}, ids[i])
				},
				"another id of the same row": func() (*trace.Message, error) { return tracer.Message(t.Context(), trace.Of{}, "x"+ids[i]) },
				"no id":                      func() (*trace.Message, error) { return tracer.Message(t.Context(), trace.Of{}, "x/y") },
			} {
				m, err := ask()
				if refused, ok := errors.AsType[*kabar.Error](err); !ok || refused.Reason != kabar.ReasonNotFound {
					t.Errorf("%s: %v, %v", what, m, err)
				}
			}
		}
		if m, err := tracer.Message(t.Context(), trace.Of{}, ids[1]); err != nil || m.ReplyTo != ids[0] {
			t.Errorf("the quoted message is %q, %v; want %q", m.ReplyTo, err, ids[0])
		}
	})
}

// TestList: pages, newest first, of a number and of a customer.
func TestList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		ids, tracer := story(t, s), trace.New(s.DB, names())
		of := trace.Of{Number: s.A.ID}
		for _, q := range []struct {
			query trace.Query
			want  string // indices of ids, a + where another page follows
			fault kabar.Reason
		}{
			{trace.Query{}, "3 2 1 0", ""},
			{trace.Query{Number: s.A.Digits, Limit: 3}, "3 2 1 +", ""},
			{trace.Query{Limit: 3, After: ids[1]}, "0", ""},
			{trace.Query{WaID: ana}, "2 1 0", ""},
			{trace.Query{WaID: ana, Limit: 2}, "2 1 +", ""},
			{trace.Query{WaID: ana, After: ids[1]}, "0", ""},
			{trace.Query{WaID: ana, After: "other:" + ids[1]}, "0", ""},
			{trace.Query{WaID: ana, After: ids[0]}, "", ""},
			{trace.Query{WaID: "34600999999"}, "", ""},
			{trace.Query{WaID: ana, After: ids[3]}, "", kabar.ReasonInvalid},
			{trace.Query{After: "x"}, "", kabar.ReasonInvalid},
			{trace.Query{Limit: trace.MaxList + 1}, "", kabar.ReasonInvalid},
			{trace.Query{Number: s.B.Digits}, "", kabar.ReasonNotFound},
		} {
			page, err := tracer.List(t.Context(), of, q.query)
			if refused, ok := errors.AsType[*kabar.Error](err); q.fault != "" || err != nil {
				if !ok || refused.Reason != q.fault {
					t.Errorf("%+v: %v, want %q", q.query, err, q.fault)
				}
				continue
			}
			var got []string
			for _, m := range page.Data {
				for i, id := range ids {
					if id == m.ID {
						got = append(got, fmt.Sprint(i))
						if seen := show(m); seen != told()[i] {
							t.Errorf("%+v\n got %s\nwant %s", q.query, seen, told()[i])
						}
					}
				}
			}
			if page.After != "" {
				got = append(got, "+")
			}
			if strings.Join(got, " ") != q.want {
				t.Errorf("%+v: %q, want %q", q.query, got, q.want)
			}
		}
		if _, err := tracer.List(t.Context(), trace.Of{}, trace.Query{}); err == nil {
			t.Error("of two numbers one was chosen")
		}
	})
}
