package metrics

import (
	"context"
	"strconv"
	"time"

	"kabar"
	"kabar/internal/webhook"
)

// Server says where the figures of a business server come from. All fields but Media are required.
type Server struct {
	Numbers     func(ctx context.Context) ([]*kabar.Number, error)
	Link        func(kabar.NumberID) (connected bool, since time.Time) // in real time
	Backlog     func(ctx context.Context) (map[kabar.EndpointID]webhook.Backlog, error)
	Waiting     func() (n, limit int)                 // of the store's queue
	Probe       func(ctx context.Context) error       // commits a small write
	Log         func() (bytes int64, err error)       // the store's write-ahead log
	Disk        func() (free, size uint64, err error) // of the data folder, in bytes
	Certificate func() (expires time.Time, err error) // the one in use
	Now         func() time.Time                      // the product's clock, for ages of events; nil: time.Now
	Media       *Folder                               // nil: not measured
}

// Server adds the gauges of a business server. A scrape costs a small write and a few reads for each endpoint that is behind.
func (m *Metrics) Server(s Server) {
	if s.Now == nil {
		s.Now = time.Now
	}
	m.collect(func(ctx context.Context, put put) { m.store(ctx, &s, put) }, "kabar_store_up", "kabar_store_probe_duration_seconds",
		"kabar_store_queue_operations", "kabar_store_queue_limit_operations", "kabar_store_log_bytes")
	m.collect(func(ctx context.Context, put put) { m.backlog(ctx, &s, put) }, "kabar_webhook_backlog_events",
		"kabar_webhook_backlog_oldest_age_seconds", "kabar_webhook_parked_customers", "kabar_webhook_endpoint_failing", "kabar_webhook_endpoint_suspended")
	m.collect(func(ctx context.Context, put put) { m.network(ctx, &s, put) }, "kabar_network_connected", "kabar_network_disconnected_seconds")
	m.collect(func(_ context.Context, put put) { m.machine(&s, put) }, "kabar_media_disk_bytes", "kabar_data_disk_free_bytes",
		"kabar_data_disk_size_bytes", "kabar_certificate_expires_timestamp_seconds")
}

func (m *Metrics) store(ctx context.Context, s *Server, put put) {
	n, limit := s.Waiting()
	put("kabar_store_queue_operations", float64(n))
	put("kabar_store_queue_limit_operations", float64(limit))
	if bytes, err := s.Log(); m.have("store", err) {
		put("kabar_store_log_bytes", float64(bytes))
	}
	start := time.Now()
	up := m.have("store", s.Probe(ctx))
	put("kabar_store_up", flag(up))
	put("kabar_store_probe_duration_seconds", time.Since(start).Seconds())
}

func (m *Metrics) backlog(ctx context.Context, s *Server, put put) {
	all, err := s.Backlog(ctx)
	if !m.have("webhooks", err) {
		return
	}
	for id, b := range all {
		endpoint := strconv.FormatInt(int64(id), 10)
		age := time.Duration(0)
		if !b.Oldest.IsZero() {
			age = max(s.Now().Sub(b.Oldest), 0)
		}
		put("kabar_webhook_backlog_events", float64(b.Pending), endpoint)
		put("kabar_webhook_backlog_oldest_age_seconds", age.Seconds(), endpoint)
		put("kabar_webhook_parked_customers", float64(b.Parked), endpoint)
		put("kabar_webhook_endpoint_failing", flag(b.Failing), endpoint)
		put("kabar_webhook_endpoint_suspended", flag(b.Suspended), endpoint)
	}
}

func (m *Metrics) network(ctx context.Context, s *Server, put put) {
	all, err := s.Numbers(ctx)
	if !m.have("numbers", err) {
		return
	}
	for _, n := range all {
		up, since := s.Link(n.ID)
		away := time.Duration(0)
		if !up && !since.IsZero() {
			away = max(time.Since(since), 0)
		}
		number := strconv.FormatInt(int64(n.ID), 10)
		put("kabar_network_connected", flag(up), number)
		put("kabar_network_disconnected_seconds", away.Seconds(), number)
	}
}

func (m *Metrics) machine(s *Server, put put) {
	if s.Media != nil {
		if bytes, err := s.Media.Size(); m.have("media", err) {
			put("kabar_media_disk_bytes", float64(bytes))
		}
	}
	if free, size, err := s.Disk(); m.have("disk", err) {
		put("kabar_data_disk_free_bytes", float64(free))
		put("kabar_data_disk_size_bytes", float64(size))
	}
	if expires, err := s.Certificate(); m.have("certificate", err) {
		put("kabar_certificate_expires_timestamp_seconds", float64(expires.Unix()))
	}
}
