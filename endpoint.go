package kabar

import "time"

// Dialect names an API dialect, which decides how an endpoint's events look.
type Dialect string

// The dialects.
const (
	OnPrem Dialect = "onprem"
	Cloud  Dialect = "cloud"
	Kabar  Dialect = "kabar" // one flat event, with a stable id
)

// Endpoint is a reader of a number's event log: where events go, and how. One that reads all numbers of an account is an Endpoint a
// number: they have the same Group and EndpointConfig.
type Endpoint struct {
	ID      EndpointID
	Group   EndpointID // what the endpoint is known by: the ID of the first of them, or its own
	Wide    bool       // it reads all numbers of the account, those to come included
	Account AccountID
	Number  NumberID
	Dialect Dialect
	Mark    int64 // every event up to this seq is finished
	Created time.Time
	Failing time.Time // since when it takes nothing; zero: it does
	EndpointConfig
}

// EndpointConfig is what can be changed of an endpoint.
type EndpointConfig struct {
	URL         string           `json:"url"` // empty: not configured; its events wait
	Origin      EndpointOrigin   `json:"origin,omitempty"`
	Description string           `json:"description,omitempty"`
	Filter      EventFilter      `json:"filter,omitzero"`
	Secrets     []EndpointSecret `json:"secrets,omitempty"` // that sign, the newest first
	Token       string           `json:"token,omitempty"`   // of the challenge, where the dialect has one

	Headers        map[string]string `json:"headers,omitempty"`         // sent with each request
	Certificate    string            `json:"certificate,omitempty"`     // PEM, of the client; empty: none
	CertificateKey string            `json:"certificate_key,omitempty"` // PEM
	CA             string            `json:"ca,omitempty"`              // PEM; empty: what the number trusts

	Timeout     time.Duration `json:"timeout,omitempty"`     // of a request; 0: that of the dialect's profile
	Concurrency int           `json:"concurrency,omitempty"` // requests at a time; 0: what the number's settings say
	Batch       int           `json:"batch,omitempty"`       // events in a request at most; 0: what the dialect does by itself
	Redact      bool          `json:"redact,omitempty"`      // what is sent and answered is not shown in the log of deliveries
	Notify      string        `json:"notify,omitempty"`      // second URL, which is told when the endpoint is suspended

	State  EndpointState `json:"state,omitempty"` // empty: active
	Since  time.Time     `json:"since,omitzero"`  // when it came into this state
	Reason string        `json:"reason,omitempty"`
}

// EndpointOrigin says where an endpoint is managed.
type EndpointOrigin string

// The origins of endpoints. What is managed elsewhere has its URL from there; the rest can be changed in the management API.
const (
	FromSettings     EndpointOrigin = "settings"     // webhooks.url of the On-Premises API
	FromSubscription EndpointOrigin = "subscription" // the app's callback and the overrides of the Cloud API
	FromAPI          EndpointOrigin = "api"          // the management API
)

// EndpointSecret signs what an endpoint is sent (Standard Webhooks).
type EndpointSecret struct {
	Value string    `json:"value"`          // whsec_ or whsk_
	Until time.Time `json:"until,omitzero"` // when it stops signing, after another has taken its place; zero: it has not
}

// Active reports whether events go to the endpoint now.
func (e *EndpointConfig) Active() bool {
	return e.URL != "" && (e.State == "" || e.State == EndpointActive)
}

// Signing returns the secrets that sign at a time, the newest first.
func (e *EndpointConfig) Signing(now time.Time) []string {
	var all []string
	for _, s := range e.Secrets {
		if s.Until.IsZero() || now.Before(s.Until) {
			all = append(all, s.Value)
		}
	}
	return all
}

// Become changes the state, and says why in a sentence.
func (e *EndpointConfig) Become(s EndpointState, reason string, now time.Time) {
	e.State, e.Reason, e.Since = s, reason, now
}

// EndpointState says whether an endpoint is told of events.
type EndpointState string

// The states of endpoints.
const (
	EndpointActive    EndpointState = "active"
	EndpointPaused    EndpointState = "paused"    // by its owner: its events wait
	EndpointSuspended EndpointState = "suspended" // by the server, since nothing has been taken for too long: its events wait
	EndpointDisabled  EndpointState = "disabled"  // by its owner: what happens meanwhile is not told later
	EndpointRemoved   EndpointState = "removed"   // there is no such endpoint any more: in an EndpointChange alone
)

// ReasonEndpointState refuses what an endpoint does not allow as it is now. No call of either dialect can meet it.
const ReasonEndpointState Reason = "the endpoint does not allow that now"

// Suspension is why an endpoint is sent nothing any more.
type Suspension struct {
	Reason string    // one sentence
	Since  time.Time // since when nothing has been taken; zero: the application wants nothing more, whatever it has taken
}

// EndpointChange is a change of an endpoint's state.
type EndpointChange struct {
	ID     string        `json:"id"` // as the management API has it
	State  EndpointState `json:"state"`
	Reason string        `json:"reason,omitempty"` // one sentence, without the address, which may hold a secret
	By     string        `json:"by,omitempty"`     // who has caused it, as the audit log has them; ByServer when nobody has; empty before there was this
}

// ByServer is who has caused what the server has by itself.
const ByServer = "server"

// Changed returns the event that tells of e's state in the log of its number. public is its group's id as the management API has it.
func (e *Endpoint) Changed(public string, to EndpointState, reason, by string, at time.Time) *Event {
	return &Event{Account: e.Account, Number: e.Number, Kind: EventEndpoint, At: at, Endpoint: &EndpointChange{ID: public, State: to, Reason: reason, By: by}}
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
