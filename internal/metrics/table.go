package metrics

import "slices"

// Kind is the Prometheus type of a metric.
type Kind string

// The kinds.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
)

// Metric describes a metric. docs/metrics.md has a row for each, and says what to do about it.
type Metric struct {
	Name   string
	Kind   Kind
	Labels []string
	Help   string

	buckets []float64 // of a histogram, in the metric's unit
}

// Buckets of the histograms. Waits reach from a cached answer to the minute after which an answer is cut.
var (
	waits   = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
	batches = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512}
)

// Table returns every metric of ours; those of the Go runtime and of the process (go_…, process_…) come beside them.
func Table() []Metric { return slices.Clone(table) }

var table = []Metric{
	{"kabar_build_info", Gauge, []string{"version", "go_version"}, "Always 1; the labels say which program runs.", nil},

	{"kabar_http_requests_total", Counter, []string{"surface", "route", "method", "status"},
		"Requests answered. The route is a pattern of the authorisation table, the status a class such as 2xx.", nil},
	{"kabar_http_request_duration_seconds", Histogram, []string{"surface", "route", "method"},
		"How long answers took, streams left out.", waits},
	{"kabar_http_requests_in_flight", Gauge, nil, "Requests that are being answered now, open streams included.", nil},

	{"kabar_messages_total", Counter, []string{"direction", "type"},
		"Messages committed: out from applications (accepted), in from customers.", nil},
	{"kabar_message_statuses_total", Counter, []string{"status", "reason"},
		"How outbound messages went on: sent, delivered, read, played or failed; failed with its reason.", nil},

	{"kabar_webhook_requests_total", Counter, []string{"result"},
		"Webhook requests: ok (200), another class of answer (2xx to 5xx), timeout, refused (by the egress rules) or error.", nil},
	{"kabar_webhook_request_duration_seconds", Histogram, nil, "How long applications took to answer a webhook, or to fail to.", waits},
	{"kabar_webhook_backlog_events", Gauge, []string{"endpoint"}, "Events that wait for an endpoint, parked ones included; 0 of one that is disabled.", nil},
	{"kabar_webhook_backlog_oldest_age_seconds", Gauge, []string{"endpoint"},
		"How long ago the oldest waiting event happened; 0 when none waits.", nil},
	{"kabar_webhook_parked_customers", Gauge, []string{"endpoint"}, "Customers whose events an endpoint refuses while it takes others.", nil},
	{"kabar_webhook_endpoint_failing", Gauge, []string{"endpoint"}, "1 when nothing has succeeded for 30 seconds since a failure.", nil},
	{"kabar_webhook_endpoint_suspended", Gauge, []string{"endpoint"}, "1 when an endpoint is sent nothing until somebody activates it.", nil},

	{"kabar_store_up", Gauge, nil, "1 when a small write was committed at the last scrape.", nil},
	{"kabar_store_probe_duration_seconds", Gauge, nil, "How long that write took, its wait in the queue included.", nil},
	{"kabar_store_queue_operations", Gauge, nil, "Writes that wait for the next batch.", nil},
	{"kabar_store_queue_limit_operations", Gauge, nil, "How many writes may wait; more are answered with 503.", nil},
	{"kabar_store_log_bytes", Gauge, nil, "Size of SQLite's write-ahead log; 0 with PostgreSQL.", nil},
	{"kabar_store_batch_operations", Histogram, nil, "Writes of one batch, which share a commit.", batches},
	{"kabar_store_batch_duration_seconds", Histogram, nil, "How long a batch took: rows read, decided, written and committed.", waits},

	{"kabar_network_connected", Gauge, []string{"number"}, "1 when a number is connected with its network. The label is the number's key, not its digits.", nil},
	{"kabar_network_disconnected_seconds", Gauge, []string{"number"}, "For how long a number has had no connection; 0 when it has one.", nil},

	{"kabar_media_disk_bytes", Gauge, nil, "Size of the media folder, measured every ten minutes.", nil},
	{"kabar_data_disk_free_bytes", Gauge, nil, "Space left for this program on the data folder's disk.", nil},
	{"kabar_data_disk_size_bytes", Gauge, nil, "Size of the data folder's disk.", nil},
	{"kabar_certificate_expires_timestamp_seconds", Gauge, nil, "When the certificate in use ends, in Unix time.", nil},
	{"kabar_scrape_errors_total", Counter, []string{"source"}, "Figures that could not be had at a scrape, and are missing in it.", nil},

	{"kabar_relay_connections", Gauge, nil, "Relay: devices that are connected.", nil},
	{"kabar_relay_accounts", Gauge, nil, "Relay: accounts registered.", nil},
	{"kabar_relay_envelopes_waiting", Gauge, nil, "Relay: envelopes in mailboxes that nobody has fetched yet.", nil},
	{"kabar_relay_blobs", Gauge, nil, "Relay: encrypted media kept.", nil},
	{"kabar_relay_blobs_bytes", Gauge, nil, "Relay: size of the encrypted media.", nil},
}

// row returns a metric of the table.
func row(name string) Metric {
	i := slices.IndexFunc(table, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		panic("metrics: " + name + " is not in the table")
	}
	return table[i]
}
