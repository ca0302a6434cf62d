package metrics_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/metrics"
	"kabar/internal/patience"
	"kabar/internal/web"
	"kabar/internal/webhook"
)

// scrape returns what a scrape shows, without comments, by series; and the types by name.
func scrape(t testing.TB, m *metrics.Metrics) (series, types map[string]string) {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	series, types = map[string]string{}, map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		line = strings.TrimSpace(line)
		if f := strings.Fields(line); strings.HasPrefix(line, "# TYPE ") {
			types[f[2]] = f[3]
		} else if i := strings.LastIndexByte(line, ' '); !strings.HasPrefix(line, "#") {
			series[line[:i]] = line[i+1:]
		}
	}
	return series, types
}

func want(t *testing.T, m *metrics.Metrics, expected map[string]string) {
	t.Helper()
	series, _ := scrape(t, m)
	for name, value := range expected {
		if series[name] != value {
			t.Errorf("%s = %q, want %q", name, series[name], value)
		}
	}
}

const number = "6281234567890"

func server() metrics.Server {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	return metrics.Server{
		Numbers: func(context.Context) ([]*kabar.Number, error) {
			return []*kabar.Number{{ID: 3, Digits: number}, {ID: 4, Digits: number}}, nil
		},
		Link: func(n kabar.NumberID) (bool, time.Time) { return n == 3, time.Now().Add(-time.Hour) },
		Backlog: func(context.Context) (map[kabar.EndpointID]webhook.Backlog, error) {
			return map[kabar.EndpointID]webhook.Backlog{7: {Pending: 5, Oldest: now.Add(-90 * time.Second), Failing: true, Parked: 2, Suspended: true}, 8: {}}, nil
		},
		Waiting:     func() (int, int) { return 12, 4096 },
		Log:         func() (int64, error) { return 8 << 20, nil },
		Probe:       func(context.Context) error { return nil },
		Disk:        func() (uint64, uint64, error) { return 100, 1000, nil },
		Certificate: func() (time.Time, error) { return now, nil },
		Now:         func() time.Time { return now },
	}
}

// full returns metrics with a sample of each.
func full(t *testing.T) *metrics.Metrics {
	t.Helper()
	m := metrics.New("v1")
	s := server()
	s.Media = metrics.NewFolder(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = s.Media.Run(ctx)
	m.Server(s)
	m.Relay(func(context.Context) (metrics.RelayFigures, error) { return metrics.RelayFigures{1, 2, 3, 4, 5}, nil })
	m.Message(kabar.KindText, kabar.Accepted, "")
	m.Message(kabar.KindText, kabar.Received, "")
	m.Message("", kabar.Failed, kabar.ReasonWindowClosed)
	m.Batch(3, time.Millisecond)
	_, _ = m.Client(answering(http.StatusOK, nil)).Do(httptest.NewRequest(http.MethodPost, "/", nil), 1)
	handler := m.Watch(metrics.ServerSurfaces(), http.NotFoundHandler())
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/v1/x", nil))
	return m
}

type client func(*http.Request) (*http.Response, error)

func (c client) Do(req *http.Request, _ int64) (*http.Response, error) { return c(req) }

func answering(status int, err error) client {
	return func(*http.Request) (*http.Response, error) {
		if err != nil {
			return nil, err
		}
		return &http.Response{StatusCode: status, Body: http.NoBody}, nil
	}
}

func TestFigures(t *testing.T) {
	want(t, full(t), map[string]string{
		`kabar_messages_total{direction="out",type="text"}`:                                        "1",
		`kabar_messages_total{direction="in",type="text"}`:                                         "1",
		`kabar_message_statuses_total{reason="customer service window is closed",status="failed"}`: "1",
		`kabar_webhook_backlog_events{endpoint="7"}`:                                               "5",
		`kabar_webhook_backlog_oldest_age_seconds{endpoint="7"}`:                                   "90",
		`kabar_webhook_backlog_oldest_age_seconds{endpoint="8"}`:                                   "0",
		`kabar_webhook_parked_customers{endpoint="7"}`:                                             "2",
		`kabar_webhook_endpoint_failing{endpoint="7"}`:                                             "1",
		`kabar_webhook_endpoint_failing{endpoint="8"}`:                                             "0",
		`kabar_webhook_endpoint_suspended{endpoint="7"}`:                                           "1",
		`kabar_webhook_endpoint_suspended{endpoint="8"}`:                                           "0",
		`kabar_network_connected{number="3"}`:                                                      "1",
		`kabar_network_connected{number="4"}`:                                                      "0",
		`kabar_network_disconnected_seconds{number="3"}`:                                           "0",
		"kabar_store_up":                              "1",
		"kabar_store_queue_operations":                "12",
		"kabar_store_queue_limit_operations":          "4096",
		"kabar_store_log_bytes":                       "8.388608e+06",
		"kabar_store_batch_operations_sum":            "3",
		"kabar_data_disk_free_bytes":                  "100",
		"kabar_media_disk_bytes":                      "",
		"kabar_certificate_expires_timestamp_seconds": "1.7829072e+09",
		"kabar_relay_envelopes_waiting":               "3",
		"kabar_relay_blobs_bytes":                     "5",
	})
}

// TestFiguresThatCannotBeHad are left out and counted; the others are there.
func TestFiguresThatCannotBeHad(t *testing.T) {
	m := metrics.New("v1")
	s := server()
	down := errors.New("down")
	s.Probe = func(context.Context) error { return down }
	s.Backlog = func(context.Context) (map[kabar.EndpointID]webhook.Backlog, error) { return nil, down }
	s.Numbers = func(context.Context) ([]*kabar.Number, error) { return nil, down }
	s.Disk = func() (uint64, uint64, error) { return 0, 0, down }
	m.Server(s)
	scrape(t, m)
	want(t, m, map[string]string{"kabar_store_up": "0", `kabar_webhook_backlog_events{endpoint="7"}`: "", "kabar_data_disk_free_bytes": "",
		"kabar_store_queue_operations": "12", `kabar_network_connected{number="3"}`: ""})
	series, _ := scrape(t, m)
	for _, source := range []string{"store", "webhooks", "numbers", "disk"} {
		if n := series[`kabar_scrape_errors_total{source="`+source+`"}`]; n == "" || n == "0" {
			t.Errorf("errors of %s: %q", source, n)
		}
	}
}

// TestASlowSourceDoesNotHoldAScrape: it is told to end after three seconds.
func TestASlowSourceDoesNotHoldAScrape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := metrics.New("v1")
		m.Relay(func(ctx context.Context) (metrics.RelayFigures, error) {
			<-ctx.Done()
			return metrics.RelayFigures{}, ctx.Err()
		})
		start := time.Now()
		scrape(t, m)
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

// TestEveryMetricIsThereAndWellNamed: the table, a scrape and the page agree.
func TestEveryMetricIsThereAndWellNamed(t *testing.T) {
	m := full(t)
	_, types := scrape(t, m)
	for _, row := range metrics.Table() {
		if row.Name == "kabar_media_disk_bytes" || row.Name == "kabar_scrape_errors_total" {
			continue // nothing measured, nothing failed; TestFolder and TestFiguresThatCannotBeHad have them
		}
		if types[row.Name] != string(row.Kind) {
			t.Errorf("%s is a %q, the table says %s", row.Name, types[row.Name], row.Kind)
		}
		delete(types, row.Name)
	}
	for name := range types {
		if !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") && !strings.HasPrefix(name, "promhttp_") {
			t.Errorf("%s is not in the table", name)
		}
	}
	lint(t, m)
}

func TestNoLabelHoldsAPhoneNumber(t *testing.T) {
	m := full(t)
	handler := m.Watch(metrics.ServerSurfaces(), http.NotFoundHandler())
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("PURGE"+number, "/v1/"+number+"?to="+number, nil))
	series, _ := scrape(t, m)
	for name := range series {
		if regexp.MustCompile(`[0-9]{7,}`).MatchString(name) {
			t.Error(name)
		}
	}
}

func TestThePageAgrees(t *testing.T) {
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, r := range regexp.MustCompile("(?m)^\\| `(kabar_[a-z_]+)` \\| (.*) \\|$").FindAllStringSubmatch(string(page), -1) {
		rows[r[1]] = r[2]
	}
	for _, m := range metrics.Table() {
		begin := string(m.Kind) + " | " + strings.Join(m.Labels, ", ") + " | " + m.Help + " | "
		if got := strings.Replace(rows[m.Name], "| | ", "|  | ", 1); !strings.HasPrefix(got+" ", begin) {
			t.Errorf("the row of %s is\n%s, and should begin with\n%s", m.Name, got, begin)
		}
		delete(rows, m.Name)
	}
	for name := range maps.Keys(rows) {
		t.Errorf("docs/metrics.md has %s, which there is not", name)
	}
}

func TestWatch(t *testing.T) {
	m := metrics.New("v1")
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/messages", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(web.RequestIDHeader, "id")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusCreated)
	})
	mux.HandleFunc("GET /v1/media/{id}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) })
	mux.HandleFunc("GET /stream", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_ = http.NewResponseController(w).Flush()
	})
	mux.HandleFunc("GET /livez", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("/", http.NotFound)
	var seen []metrics.Served
	h := m.Watch(metrics.ServerSurfaces(), mux, func(_ context.Context, s metrics.Served) { seen = append(seen, s) })
	for _, r := range []string{"POST /v1/messages", "GET /v1/media/1", "GET /v1/media/2", "GET /stream", "GET /livez", "GET /cut", "BREW /v1/nothing", "GET /x"} {
		method, path, _ := strings.Cut(r, " ")
		func() {
			defer func() { _ = recover() }()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, path, nil))
		}()
	}
	want(t, m, map[string]string{
		`kabar_http_requests_total{method="POST",route="/v1/messages",status="2xx",surface="onprem"}`:  "1",
		`kabar_http_requests_total{method="GET",route="/v1/media/{id}",status="2xx",surface="onprem"}`: "2",
		`kabar_http_requests_total{method="GET",route="/stream",status="2xx",surface="console"}`:       "1",
		`kabar_http_requests_total{method="GET",route="/livez",status="2xx",surface="probes"}`:         "1",
		`kabar_http_requests_total{method="GET",route="/cut",status="cut",surface="console"}`:          "1",
		`kabar_http_requests_total{method="other",route="unknown",status="4xx",surface="onprem"}`:      "1",
		`kabar_http_requests_total{method="GET",route="unknown",status="4xx",surface="console"}`:       "1",
		`kabar_http_request_duration_seconds_count{method="GET",route="/stream",surface="console"}`:    "",
		`kabar_http_request_duration_seconds_count{method="GET",route="/livez",surface="probes"}`:      "1",
		"kabar_http_requests_in_flight": "0",
	})
	if len(seen) != 8 || seen[0].RequestID != "id" || seen[0].Status != http.StatusCreated || !seen[3].Stream || seen[5].Status != 0 {
		t.Errorf("%+v", seen)
	}
}

func TestClient(t *testing.T) {
	m := metrics.New("v1")
	for _, c := range []client{answering(200, nil), answering(204, nil), answering(302, nil), answering(404, nil), answering(500, nil), answering(503, nil),
		answering(0, context.DeadlineExceeded), answering(0, os.ErrDeadlineExceeded), answering(0, context.Canceled), answering(0, errors.New("refused"))} {
		res, err := m.Client(c).Do(httptest.NewRequest(http.MethodPost, "/", nil), 1)
		if err == nil {
			_ = res.Body.Close()
		}
	}
	want(t, m, map[string]string{
		`kabar_webhook_requests_total{result="ok"}`: "1", `kabar_webhook_requests_total{result="2xx"}`: "1", `kabar_webhook_requests_total{result="3xx"}`: "1",
		`kabar_webhook_requests_total{result="4xx"}`: "1", `kabar_webhook_requests_total{result="5xx"}`: "2", `kabar_webhook_requests_total{result="timeout"}`: "2",
		`kabar_webhook_requests_total{result="error"}`: "1", "kabar_webhook_request_duration_seconds_count": "9",
	})
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", filepath.Join("sub", "b")} {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, make([]byte, 1000), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	f := metrics.NewFolder(dir)
	s := server()
	s.Media = f
	m := metrics.New("v1")
	m.Server(s)
	want(t, m, map[string]string{"kabar_media_disk_bytes": "", `kabar_scrape_errors_total{source="media"}`: ""})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- f.Run(ctx) }()
	patience.Until(t, "the folder is measured", func() bool { n, err := f.Size(); return err == nil && n == 2000 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	want(t, m, map[string]string{"kabar_media_disk_bytes": "2000"})
}

func TestTheTableIsACopy(t *testing.T) {
	metrics.Table()[0].Name = "changed"
	if slices.ContainsFunc(metrics.Table(), func(m metrics.Metric) bool { return m.Name == "changed" }) {
		t.Error("the table can be changed from outside")
	}
}
