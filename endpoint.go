package kabar

import "time"

// Dialect names an API dialect, which decides how an endpoint's events look.
type Dialect string

// The dialects.
const (
	OnPrem Dialect = "onprem"
	Cloud  Dialect = "cloud"
)

// Endpoint is a reader of a number's event log: a URL events are POSTed to.
type Endpoint struct {
	ID      EndpointID
	Account AccountID
	Number  NumberID
	URL     string // empty: not configured; its events wait
	Dialect Dialect
	Mark    int64 // every event up to this seq is finished
}

// Settings are what the application settings of a number hold. Names and defaults: contract On-Premises API, 1.7.
type Settings struct {
	BackoffStep     time.Duration // the n-th failure of an event waits n times this
	BackoffCap      time.Duration // at most this
	Concurrency     int           // POSTs in flight: 6, 12, 18 or 24
	AutoDownload    []string      // kinds of media fetched when they arrive
	SentEvents      bool
	DeliveredEvents bool
	ReadEvents      bool
	ShowSecurity    bool           // block sends on an unacknowledged identity change
	NotifyChange    bool           // tell when a customer changes number
	OnPremSetting   map[string]any // settings that are stored and reported without effect, by dotted name
}
