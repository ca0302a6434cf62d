package webhook_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"kabar"
	"kabar/internal/egress"
	"kabar/internal/store"
)

// fillLog appends n events, spread over the customers in turn.
func (v *env) fillLog(n int) {
	v.t.Helper()
	for done := 0; done < n; {
		v.write(func(tx *store.Tx) error {
			for i := done; i < min(done+5000, n); i++ {
				ev := &kabar.Event{Account: v.number.Account, Number: v.number.ID, Conversation: v.customers[i%len(v.customers)],
					Kind: kabar.EventStatus, At: v.now(), Status: kabar.Delivered, Ref: uint64(i)}
				if err := tx.AddEvent(ev); err != nil {
					return err
				}
			}
			return nil
		})
		done += 5000
	}
}

// local is an application on this machine that answers 200 and counts.
func local(tb testing.TB, v *env) *atomic.Int64 {
	count := new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a broken request shows as a missing one
		count.Add(1)
	}))
	tb.Cleanup(srv.Close)
	v.client = egress.New(egress.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	v.aim(srv.URL)
	return count
}

// await waits until everything is delivered, and returns the largest heap seen meanwhile.
func (v *env) await(last int64) (most uint64) {
	var m runtime.MemStats
	for {
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
		if mark, rows := v.disk(); mark == last && len(rows) == 0 {
			return most
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// measure drains n events to a server on this machine.
func (v *env) measure(b *testing.B, n int, count *atomic.Int64) {
	b.ResetTimer()
	v.start()
	most := v.await(int64(n))
	b.StopTimer()
	if count.Load() < int64(n) {
		b.Fatalf("%d requests for %d events", count.Load(), n)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(most)/(1<<20), "heap-MiB")
	v.stop()
}

// BenchmarkDrain drains a backlog; -benchtime=1000000x makes it a million events.
func BenchmarkDrain(b *testing.B) {
	for _, width := range []int{6, 24} {
		b.Run(strconv.Itoa(width), func(b *testing.B) {
			v := newEnv(b, 1000)
			v.settings.Concurrency = width
			count := local(b, v)
			v.fillLog(b.N)
			v.measure(b, b.N, count)
		})
	}
}

// BenchmarkParked drains parked events of a thousand customers.
func BenchmarkParked(b *testing.B) {
	v := newEnv(b, 1000)
	count := local(b, v)
	v.fillLog(b.N)
	for done := 0; done < b.N; done += 5000 {
		v.write(func(tx *store.Tx) error {
			for i := done; i < min(done+5000, b.N); i++ {
				err := tx.SaveDelivery(&store.Delivery{Endpoint: v.endpoint.ID, Seq: int64(i + 1), Account: v.number.Account, Number: v.number.ID,
					Conversation: v.customers[i%len(v.customers)], State: store.Parked})
				if err != nil {
					return err
				}
			}
			return tx.Advance(v.number.ID, v.endpoint.ID, int64(b.N))
		})
	}
	v.measure(b, b.N, count)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
