// Package metrics counts what the programs do, for Prometheus.
//
// table.go lists every metric; docs/metrics.md explains them, and a test compares the two. Counters are fed by those who
// know: Watch wraps the HTTP handler, Client the webhooks' client, and Message and Batch are handed to engine and store as
// hooks. Gauges are asked for when somebody scrapes (server.go, relay.go), within three seconds; a figure that cannot be had
// is left out and counted.
//
// No label holds a phone number, a path, a URL or anything else that a caller can choose: a label is a pattern, a constant or a
// key, so the number of series is bounded. The package has a registry of its own, decides nothing, and sends nothing anywhere.
// All methods are safe for concurrent use, but Server and Relay, which are called once before the first scrape.
package metrics

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"kabar"
)

// Metrics are the metrics of one process.
type Metrics struct {
	registry *prometheus.Registry

	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	inFlight  prometheus.Gauge

	messages *prometheus.CounterVec
	statuses *prometheus.CounterVec

	posts    *prometheus.CounterVec
	postTime prometheus.Histogram

	batchOps  prometheus.Histogram
	batchTime prometheus.Histogram

	errors *prometheus.CounterVec
}

// New returns the metrics of a program of this version.
func New(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.gauge("kabar_build_info").WithLabelValues(version, runtime.Version()).Set(1)
	m.requests = m.counter("kabar_http_requests_total")
	m.durations = m.histogram("kabar_http_request_duration_seconds")
	m.inFlight = m.gauge("kabar_http_requests_in_flight").WithLabelValues()
	m.messages = m.counter("kabar_messages_total")
	m.statuses = m.counter("kabar_message_statuses_total")
	m.posts = m.counter("kabar_webhook_requests_total")
	m.postTime = m.histogram("kabar_webhook_request_duration_seconds").WithLabelValues().(prometheus.Histogram)
	m.batchOps = m.histogram("kabar_store_batch_operations").WithLabelValues().(prometheus.Histogram)
	m.batchTime = m.histogram("kabar_store_batch_duration_seconds").WithLabelValues().(prometheus.Histogram)
	m.errors = m.counter("kabar_scrape_errors_total")
	return m
}

func (m *Metrics) counter(name string) *prometheus.CounterVec {
	r := row(name)
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: r.Help}, r.Labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) gauge(name string) *prometheus.GaugeVec {
	r := row(name)
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: r.Help}, r.Labels)
	m.registry.MustRegister(g)
	return g
}

func (m *Metrics) histogram(name string) *prometheus.HistogramVec {
	r := row(name)
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: r.Help, Buckets: r.buckets}, r.Labels)
	m.registry.MustRegister(h)
	return h
}

// Handler answers scrapes, three at a time. What fails is left out of the answer.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 3})
}

// Message counts a message: Received or Accepted with its kind, and every further status, failed ones with the reason. It
// never blocks.
func (m *Metrics) Message(kind kabar.Kind, status kabar.Status, failure kabar.Reason) {
	switch status {
	case kabar.Received:
		m.messages.WithLabelValues("in", string(kind)).Inc()
	case kabar.Accepted:
		m.messages.WithLabelValues("out", string(kind)).Inc()
	default:
		m.statuses.WithLabelValues(status.String(), string(failure)).Inc()
	}
}

// Batch counts a batch of the store: how many operations it had, and how long it took. It never blocks.
func (m *Metrics) Batch(operations int, took time.Duration) {
	m.batchOps.Observe(float64(operations))
	m.batchTime.Observe(took.Seconds())
}
