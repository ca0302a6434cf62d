package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// scrapeTime bounds how long a scrape asks for figures.
const scrapeTime = 3 * time.Second

// collector asks for gauges when somebody scrapes.
type collector struct {
	m     *Metrics
	descs map[string]*prometheus.Desc
	ask   func(ctx context.Context, put put)
}

// put hands out one figure.
type put func(name string, value float64, labels ...string)

// collect registers gauges of the table that are asked for at each scrape.
func (m *Metrics) collect(ask func(context.Context, put), names ...string) {
	c := &collector{m: m, descs: map[string]*prometheus.Desc{}, ask: ask}
	for _, name := range names {
		r := row(name)
		c.descs[name] = prometheus.NewDesc(name, r.Help, r.Labels, nil)
	}
	m.registry.MustRegister(c)
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	c.ask(ctx, func(name string, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(c.descs[name], prometheus.GaugeValue, value, labels...)
	})
}

// errNotYet says that a figure has not been measured so far; that is no fault.
var errNotYet = errors.New("not measured yet")

// have notes whether figures could be had.
func (m *Metrics) have(source string, err error) bool {
	if err != nil && !errors.Is(err, errNotYet) {
		m.errors.WithLabelValues(source).Inc()
	}
	return err == nil
}

func flag(on bool) float64 {
	if on {
		return 1
	}
	return 0
}
