package store_test

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

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
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := accept(b, s, ids[next.Add(1)%customers]); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
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
