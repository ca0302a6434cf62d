package store_test

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// BenchmarkAccept is what accepting a message costs the store: message, job and conversation, committed and synced, asked
// for by 64 goroutines over 1,000 customers.
func BenchmarkAccept(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(database, func(b *testing.B) {
			s := storetest.Open(b, database)
			var batches atomic.Int64
			s.Options.Observe = func(int, time.Duration) { batches.Add(1) }
			s.Reopen(b)
			const customers, goroutines = 1000, 64
			ids := make([]kabar.ConversationID, customers)
			s.Write(b, func(tx *store.Tx) error {
				for i := range ids {
					c, err := tx.CreateConversation(s.A, kabar.Customer{WaID: fmt.Sprintf("49%d", i)})
					if err != nil {
						return err
					}
					ids[i] = c.ID
				}
				return nil
			})
			var next atomic.Int64
			b.SetParallelism(max(1, goroutines/runtime.GOMAXPROCS(0)))
			b.ReportAllocs()
			b.ResetTimer()
			batches.Store(0)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := accept(b, s, ids[next.Add(1)%customers]); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
			b.ReportMetric(float64(batches.Load())/float64(b.N), "commits/msg")
		})
	}
}

func accept(b *testing.B, s *storetest.Env, id kabar.ConversationID) error {
	return s.DB.Write(b.Context(), func(tx *store.Tx) { tx.WantConversation(id) }, func(tx *store.Tx) error {
		c, err := tx.Conversation(s.A.ID, id)
		if err != nil {
			return err
		}
		m := &kabar.Message{Direction: kabar.Outbound, Status: kabar.Accepted, Content: &kabar.Text{Body: "Your parcel arrives today."}, At: s.Now}
		if err := tx.AppendMessage(c, m); err != nil {
			return err
		}
		return tx.AddJob(&store.Job{Account: c.Account, Number: c.Number, Conversation: c.ID, Kind: "send", Message: m.ID})
	})
}

// BenchmarkLane asks for the oldest hundred of a lane of 10,000 jobs, most of which are not kept in memory.
func BenchmarkLane(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(database, func(b *testing.B) {
			s := storetest.Open(b, database)
			s.Options.Keep = 100
			s.Reopen(b)
			const jobs = 10_000
			s.Write(b, func(tx *store.Tx) error {
				c, err := tx.CreateConversation(s.A, kabar.Customer{WaID: "491"})
				for i := 0; i < jobs && err == nil; i++ {
					err = tx.AddJob(&store.Job{Account: c.Account, Number: c.Number, Conversation: c.ID, Kind: "send"})
				}
				return err
			})
			c, err := s.DB.FindConversation(b.Context(), s.A.ID, "491")
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if ids, err := s.DB.Lane(b.Context(), s.A.ID, c.ID, 100); err != nil || len(ids) != 100 {
					b.Fatalf("%d jobs, %v", len(ids), err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/jobs, "us/job")
		})
	}
}
