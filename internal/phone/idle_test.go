package phone_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"kabar/internal/phone"
	"kabar/internal/relayserver"
)

// BenchmarkIdleCustomers connects 1,000 customers and reports what each costs while nothing happens. The relay's side of
// every connection lives in the same process and is counted, too.
func BenchmarkIdleCustomers(b *testing.B) {
	const n = 1000
	h := newHandsets(b, startRelay(b, relayserver.NoLimits()))
	before, goroutines := heap(), runtime.NumGoroutine()
	begin := time.Now()
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := w; i < n; i += 8 {
				if _, err := h.Create(b.Context(), phone.NewCustomer{Name: fmt.Sprint("customer ", i)}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	for b.Loop() {
		time.Sleep(time.Second) // until what was busy has ended
	}
	b.ReportMetric(float64(took.Milliseconds())/n, "ms/creation")
	b.ReportMetric(float64(heap()-before)/n, "B/customer")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/n, "goroutines/customer")
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
