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
	Batch           int           // events in a POST at most, 1 to 10; 0 is 1
	AutoDownload    []string      // kinds of media fetched when they arrive
	SentEvents      bool
	DeliveredEvents bool
	ReadEvents      bool
	ShowSecurity    bool // block sends on an unacknowledged identity change
	NotifyChange    bool // tell when a customer changes number
	KeepMessages    bool // do not remove messages that are older than 30 days
	SkipReferral    bool // do not download the picture of the ad that a customer comes from
	CollectMedia    bool // remove media that nobody has used for 30 days

	// How the number is registered. These are no application settings: they stay when those are reset.
	Shards       int       // customers worked at once: 1, 2, 4, 8, 16 or 32; 0: as many as the server does
	PIN          string    // of two-step verification, hashed; empty: it is off
	Override     string    // where its Cloud webhooks go, in the place of where the app's do; empty: nowhere else
	Deregistered bool      // the business has taken the number out of service: nothing is sent
	PINProved    time.Time // when somebody who asked for a code last brought it
	BusinessKey  string    // public RSA key as PEM, for which the data of flows is encrypted; empty: there is none

	BusinessKeyMark string // proves that BusinessKey was set for this number

	Cloud CloudSettings // these stay, too

	Consent ConsentPolicy // and these

	Limits Limits // and these

	Naming Naming // how far the review of its name is; this stays, too

	Upgrade time.Time // when its throughput rises, until which nothing is sent; zero: it does not; this stays, too

	Away string // what who writes while the business is closed is answered, once; empty: nothing

	OnPremSetting map[string]any // settings that are stored and reported without effect, by dotted name
}
