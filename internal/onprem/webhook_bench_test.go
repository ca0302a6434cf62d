package onprem

import (
	"fmt"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
)

// status10 are the events of ten customers whose messages were delivered.
func status10(n *kabar.Number) []*kabar.Event {
	at := time.Date(2031, 5, 2, 10, 15, 0, 0, time.UTC)
	all := make([]*kabar.Event, 10)
	for i := range all {
		all[i] = &kabar.Event{Account: n.Account, Number: n.ID, Seq: int64(i + 1), Kind: kabar.EventStatus, At: at,
			Customer: kabar.Customer{WaID: fmt.Sprint(34600111222 + i)}, Message: kabar.MessageID(i + 1), Ref: uint64(i) + 1,
			Status: kabar.Delivered, Billing: int64(i) + 1, Expires: at.Add(24 * time.Hour), Category: kabar.CategoryService}
	}
	return all
}

// BenchmarkWebhook makes the body of a status, and of a batch of ten; an op is an event.
func BenchmarkWebhook(b *testing.B) {
	e := newEnv(b)
	events, settings := status10(e.a), kabar.Settings{DeliveredEvents: true}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			if _, _, err := e.api.Render(events[i%10], e.a, settings); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("batch", func(b *testing.B) {
		b.ReportAllocs()
		bodies := make([][]byte, 0, 10)
		for i := range b.N {
			body, _, err := e.api.Render(events[i%10], e.a, settings)
			if err != nil {
				b.Fatal(err)
			}
			if bodies = append(bodies, body); len(bodies) < 10 {
				continue
			}
			if _, err := e.api.Join(bodies); err != nil {
				b.Fatal(err)
			}
			bodies = bodies[:0]
		}
	})
}

// BenchmarkEvents reads a page of the log back, as a reader of it does; an op is an event.
func BenchmarkEvents(b *testing.B) {
	e := newEnv(b)
	c := &kabar.Conversation{}
	must(b, e.db.Write(b.Context(), nil, func(tx *store.Tx) (err error) {
		if c, err = tx.CreateConversation(e.a, kabar.Customer{WaID: ana}); err != nil {
			return err
		}
		for i := range 128 {
			ev := status10(e.a)[i%10]
			ev.Conversation = c.ID
			if err := tx.AddEvent(ev); err != nil {
				return err
			}
		}
		return nil
	}))
	b.ReportAllocs()
	for n := 0; n < b.N; n += 128 {
		if all, err := e.db.Events(b.Context(), e.a.ID, 0, 128); err != nil || len(all) != 128 {
			b.Fatal(len(all), err)
		}
	}
}
