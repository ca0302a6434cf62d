package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// devBench is kabar dev within the test's process, with an application that counts what it is told.
type devBench struct {
	b         *testing.B
	ready     ready
	client    *http.Client
	delivered atomic.Int64
}

func newBench(b *testing.B) *devBench {
	b.Helper()
	v := &devBench{b: b, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && bytes.Contains(body, []byte(`"status":"delivered"`)) {
			v.delivered.Add(1)
		}
	}))
	b.Cleanup(hook.Close)
	dir := b.TempDir()
	file := filepath.Join(dir, "ready.json")
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan int)
	go func() {
		done <- run(ctx, []string{"dev", "--data", dir + "/data", "--addr", "127.0.0.1:0", "--phone-addr", "127.0.0.1:0",
			"--relay-addr", "127.0.0.1:0", "--ready-file", file, "--webhook", hook.URL}, nil, streams{io.Discard, os.Stderr})
	}()
	b.Cleanup(func() {
		stop()
		if status := <-done; status != 0 {
			b.Errorf("kabar dev exited with %d", status)
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(file)
		if err == nil {
			if err := json.Unmarshal(text, &v.ready); err != nil {
				b.Fatal(err)
			}
			return v
		}
		if time.Now().After(deadline) {
			b.Fatal("not ready after 30 s")
		}
	}
}

func (v *devBench) post(url, body string) string {
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		v.b.Error(err)
		return ""
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+v.ready.OnPrem.Token)
	res, err := v.client.Do(req)
	if err != nil {
		v.b.Error(err)
		return ""
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusCreated {
		v.b.Errorf("POST %s: %d %s %v", url, res.StatusCode, text, err)
	}
	return string(text)
}

// customers makes n customers who have each written once, so that their sessions and windows stand.
func (v *devBench) customers(n int) []string {
	v.b.Helper()
	ids := make([]string, n)
	parallel(16, n, func(i int) {
		var made struct {
			WaID string `json:"wa_id"`
		}
		if err := json.Unmarshal([]byte(v.post(v.ready.Phone+"/api/customers", fmt.Sprintf(`{"name":"Customer %d"}`, i))), &made); err != nil {
			v.b.Error(err)
		}
		ids[i] = made.WaID
		v.post(v.ready.Phone+"/api/customers/"+made.WaID+"/messages", `{"type":"text","text":{"body":"hello"}}`)
	})
	for _, id := range ids {
		v.until("a session with "+id, func() bool {
			res, err := v.client.Get(v.ready.Phone + "/api/customers/" + id + "/messages")
			if err != nil {
				return false
			}
			defer func() { _ = res.Body.Close() }()
			text, err := io.ReadAll(res.Body)
			return err == nil && bytes.Contains(text, []byte(`"status":"delivered"`))
		})
	}
	return ids
}

func (v *devBench) until(what string, ok func() bool) {
	v.b.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			v.b.Fatalf("no %s after two minutes", what)
		}
	}
}

// parallel calls f with 0 to n-1 from a few goroutines.
func parallel(workers, n int, f func(int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				f(int(i))
			}
		})
	}
	wg.Wait()
}

func (v *devBench) send(customers []string, n int) {
	parallel(64, n, func(i int) {
		v.post(v.ready.API+"/v1/messages", fmt.Sprintf(`{"to":%q,"type":"text","text":{"body":"message %d"}}`, customers[i%len(customers)], i))
	})
}

// BenchmarkAccept measures texts accepted at /v1/messages from 64 connections, each on disk before its 201, while the rest
// of the way is worked beside it.
func BenchmarkAccept(b *testing.B) {
	v := newBench(b)
	customers := v.customers(100)
	b.ResetTimer()
	v.send(customers, b.N)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkFullWay measures texts over the whole way: API, encryption, relay, phone, receipt, webhook of "delivered".
func BenchmarkFullWay(b *testing.B) {
	v := newBench(b)
	customers := v.customers(100)
	b.ResetTimer()
	v.send(customers, b.N)
	v.until("webhook for every message", func() bool { return v.delivered.Load() >= int64(b.N) })
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkIdle reports the memory of the whole of kabar dev with 1,000 connected customers who have a session each.
func BenchmarkIdle(b *testing.B) {
	v := newBench(b)
	v.customers(1000)
	for range b.N {
		time.Sleep(2 * time.Second)
		debug.FreeOSMemory()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(residentMiB(b), "MiB")
	b.ReportMetric(float64(m.HeapInuse)/(1<<20), "heap-MiB")
	b.ReportMetric(float64(m.StackInuse)/(1<<20), "stack-MiB")
}

func residentMiB(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip("memory is read from /proc: ", err)
	}
	var total, resident float64
	if _, err := fmt.Sscan(string(text), &total, &resident); err != nil {
		b.Fatal(err)
	}
	return resident * float64(os.Getpagesize()) / (1 << 20)
}
