package webhook_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"kabar"
	"kabar/internal/egress"
	"kabar/internal/onprem"
	"kabar/internal/store"
	"kabar/internal/storetest"
	"kabar/internal/webhook"
)

func TestMain(m *testing.M) {
	if os.Getenv("KABAR_TEST_SINK") != "" {
		answerAll()
	}
	storetest.Main(m)
}

// answerAll is an application: it answers 200 to everything until its standard input ends.
func answerAll() {
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a broken request shows at its sender
	}))
	fmt.Println(srv.URL)
	_, _ = io.Copy(io.Discard, os.Stdin) // whatever ends it
	os.Exit(0)
}

// application starts an application in a process of its own, and returns its URL.
func application(tb testing.TB) string {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "KABAR_TEST_SINK=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			tb.Error(err)
		}
	})
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(url)
}

// fillLog appends n events, spread over the customers in turn.
func (v *env) fillLog(n int) {
	v.t.Helper()
	for done := 0; done < n; {
		v.write(func(tx *store.Tx) error {
			for i := done; i < min(done+5000, n); i++ {
				if err := tx.AddEvent(v.status(i)); err != nil {
					return err
				}
			}
			return nil
		})
		done += 5000
	}
}

// status is the i-th event of a log: a status as it is after a send.
func (v *env) status(i int) *kabar.Event {
	c := i % len(v.customers)
	return &kabar.Event{Account: v.number.Account, Number: v.number.ID, Conversation: v.customers[c], Kind: kabar.EventStatus, At: v.now(),
		Customer: kabar.Customer{WaID: fmt.Sprint(34600000000 + c)}, Message: kabar.MessageID(i + 1), Ref: uint64(i) + 1, Status: kabar.Delivered,
		Billing: int64(c) + 1, Expires: v.now().Add(24 * time.Hour), Category: kabar.CategoryService}
}

// local is an application in this process that answers 200 and counts.
func local(tb testing.TB, v *env) *atomic.Int64 {
	count := new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a broken request shows as a missing one
		count.Add(1)
	}))
	tb.Cleanup(srv.Close)
	v.reach(srv.URL)
	return count
}

// reach sends the events to a URL on this machine.
func (v *env) reach(url string) {
	v.client = egress.New(egress.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	v.aim(url)
}

// await waits until everything is delivered, and returns the largest heap seen meanwhile.
func (v *env) await(last int64) (most uint64) {
	var m runtime.MemStats
	for i := 0; ; i++ {
		if i%20 == 0 {
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
		eps, err := v.DB.Endpoints(v.t.Context(), v.number.ID)
		if err != nil {
			v.t.Fatal(err)
		}
		if eps[0].Mark == last {
			return most
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// cost is what a stretch of work has taken.
type cost struct {
	events   int
	wall, us time.Duration // us is the CPU time of this process
	began    time.Time
	used     time.Duration
}

func (c *cost) start() { c.began, c.used = time.Now(), processorTime() }

func (c *cost) stop(events int) {
	c.events += events
	c.wall += time.Since(c.began)
	c.us += processorTime() - c.used
}

func (c *cost) perSecond() float64 { return float64(c.events) / c.wall.Seconds() }

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// realBodies renders as the On-Premises dialect does.
func (v *env) realBodies() {
	api, err := onprem.New(v.t.Context(), onprem.Options{Store: v.DB})
	if err != nil {
		v.t.Fatal(err)
	}
	v.render, v.batcher, v.settings.DeliveredEvents = api.Render, api, true
}

// BenchmarkDrain drains a backlog to an application in another process, beside the ceiling: a bare client that posts the
// same bytes, as many at a time, in turns with it. -benchtime=1000000x makes it a million events.
func BenchmarkDrain(b *testing.B) {
	for _, c := range []struct {
		database     string
		width, batch int
	}{{"sqlite", 6, 1}, {"sqlite", 24, 1}, {"sqlite", 6, 10}, {"sqlite", 24, 10}, {"postgres", 6, 1}, {"postgres", 6, 10}} {
		b.Run(fmt.Sprintf("%s/width=%d/batch=%d", c.database, c.width, c.batch), func(b *testing.B) {
			v := newEnvOn(b, storetest.Open(b, c.database), 1000)
			v.settings.Concurrency, v.settings.Batch = c.width, c.batch
			v.realBodies()
			url := application(b)
			v.reach(url)
			body, _, err := v.render(v.status(0), v.number, v.settings)
			if err != nil {
				b.Fatal(err)
			}
			const rounds = 4
			var ours, bare cost
			var heap uint64
			last := int64(0)
			b.ResetTimer()
			for i := range rounds {
				n := b.N*(i+1)/rounds - b.N*i/rounds
				if n == 0 {
					continue
				}
				b.StopTimer()
				v.fillLog(n)
				last += int64(n)
				bare.start()
				post(b, url, body, n, c.width)
				bare.stop(n)
				b.StartTimer()
				ours.start()
				v.start()
				heap = max(heap, v.await(last))
				ours.stop(n)
				v.stop()
			}
			b.ReportMetric(ours.perSecond(), "events/s")
			b.ReportMetric(float64(ours.us.Microseconds())/float64(ours.events), "cpu-us/event")
			b.ReportMetric(bare.perSecond(), "bare/s")
			b.ReportMetric(float64(bare.us.Microseconds())/float64(bare.events), "bare-cpu-us/event")
			b.ReportMetric(ours.perSecond()/bare.perSecond(), "ratio")
			b.ReportMetric(float64(heap)/(1<<20), "heap-MiB")
		})
	}
}

// post is the ceiling: n requests, so many at a time, and nothing else.
func post(b *testing.B, url string, body []byte, n, width int) {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: width}}
	defer client.CloseIdleConnections()
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for range width {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				res, err := client.Post(url, "application/json", bytes.NewReader(body))
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, res.Body) // an answer without a body
				_ = res.Body.Close()
			}
		})
	}
	wg.Wait()
}

// BenchmarkBacklog starts with a backlog, has the endpoint down for a moment, and drains it. -benchtime=1000000x makes it a
// million events. What is resident is this process, the store and the garbage of filling it included.
func BenchmarkBacklog(b *testing.B) {
	for _, batch := range []int{1, 10} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			v := newEnv(b, 1000)
			v.settings.Batch = batch
			v.realBodies()
			v.fillLog(b.N)
			debug.FreeOSMemory()
			if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
				b.Skip("the peak of resident memory is not known here:", err)
			}
			v.reach("http://127.0.0.1:9/") // nobody listens there
			b.ResetTimer()
			began := time.Now()
			v.Reopen(b)
			v.start()
			v.eventually(func(b webhook.Backlog) bool { return b.LastError != "" })
			b.ReportMetric(time.Since(began).Seconds(), "start-s")
			time.Sleep(5 * time.Second)
			looked := time.Now()
			if got := v.backlog(); got.Pending != int64(b.N) {
				b.Errorf("backlog %+v, want %d", got, b.N)
			}
			b.ReportMetric(float64(time.Since(looked).Microseconds()), "us/look")
			v.aim(application(b))
			began = time.Now()
			heap := v.await(int64(b.N))
			b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "events/s")
			v.stop()
			b.StopTimer()
			b.ReportMetric(float64(heap)/(1<<20), "heap-MiB")
			b.ReportMetric(resident(b), "rss-MiB")
		})
	}
}

// resident is the peak of this process's resident memory in MiB, since it was last reset.
func resident(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	var kib float64
	if _, err := fmt.Sscan(peak, &kib); err != nil {
		b.Fatal(err)
	}
	return kib / 1024
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
	b.ResetTimer()
	v.start()
	v.eventually(func(b webhook.Backlog) bool { return b.Pending == 0 })
	b.StopTimer()
	if count.Load() < int64(b.N) {
		b.Fatalf("%d requests for %d events", count.Load(), b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	v.stop()
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
