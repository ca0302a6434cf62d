package relayserver_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"kabar/internal/relayclient"
	"kabar/internal/relayserver"
)

// BenchmarkSend is the rate at which one connection gets envelopes onto the disk, 256 in flight.
func BenchmarkSend(b *testing.B) {
	r := start(b, relayserver.NoLimits())
	from := r.business("628").dial()
	for i := range 100 {
		r.device(fmt.Sprint("62900", i)).dial().Close()
	}
	body := bytes.Repeat([]byte{7}, 400)
	var next atomic.Int64
	b.ResetTimer()
	var wg sync.WaitGroup
	for range 256 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				e := relayclient.Envelope{ID: randomID(), To: relayclient.Address{Account: fmt.Sprint("62900", i%100)}, Ciphertext: body}
				if err := from.Send(context.Background(), e); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "envelopes/s")
}

// BenchmarkThrough adds delivery and acknowledgement to 100 connected recipients.
func BenchmarkThrough(b *testing.B) {
	r := start(b, relayserver.NoLimits())
	from := r.business("628").dial()
	var got sync.WaitGroup
	got.Add(b.N)
	for i := range 100 {
		c := r.device(fmt.Sprint("62900", i)).dial()
		go func() {
			_ = c.Receive(context.Background(), relayclient.Handler{Envelope: func(d relayclient.Delivery) { // ends with the connection
				_ = c.Ack(context.Background(), d.Seq)
				got.Done()
			}})
		}()
	}
	body := bytes.Repeat([]byte{7}, 400)
	var next atomic.Int64
	b.ResetTimer()
	for range 256 {
		go func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				e := relayclient.Envelope{ID: randomID(), To: relayclient.Address{Account: fmt.Sprint("62900", i%100)}, Ciphertext: body}
				if err := from.Send(context.Background(), e); err != nil {
					b.Error(err)
					return
				}
			}
		}()
	}
	got.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "envelopes/s")
}

// BenchmarkIdle is what 1,000 idle connections cost, both ends together.
func BenchmarkIdle(b *testing.B) {
	for range b.N {
		r := start(b, relayserver.NoLimits())
		r.device("1").dial().Close() // pools and caches are warm
		before, goroutines := inUse()
		conns := make([]*client, 1000)
		for i := range conns {
			conns[i] = r.device(fmt.Sprint("62900", i)).dial()
		}
		after, more := inUse()
		b.ReportMetric(float64(after-before)/(1<<20), "MiB/1000conns")
		b.ReportMetric(float64(more-goroutines)/1000, "goroutines/conn")
		for _, c := range conns {
			_ = c.Close()
		}
		r.stop()
	}
}

// inUse is what the process has taken for heap and stacks, and its goroutines.
func inUse() (uint64, int) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse, runtime.NumGoroutine()
}
