package auth

import (
	"slices"
	"strings"
)

// level is who may call a route.
type level int

const (
	public level = iota + 1
	basic
	user
	admin
	watcher
	scope
	token
	appToken
	session
)

// Access is who may call a route.
type Access struct {
	level level
	scope string
}

// The kinds of access.
var (
	// Public routes take everybody; what is behind them looks for itself.
	Public = Access{level: public}
	// Basic routes take a name and a password, which the handler gives to Login.
	Basic = Access{level: basic}
	// User routes take users and administrators of a number, by token or by a key of the number.
	User = Access{level: user}
	// Admin routes take administrators of a number.
	Admin = Access{level: admin}
	// Monitor routes take users and administrators of a number as User routes do, and whoever has the server's monitoring key.
	Monitor = Access{level: watcher}
)

// Scope routes take keys that have the scope.
func Scope(name string) Access { return Access{level: scope, scope: name} }

// Session routes are pages for a browser that is signed in to the console with the scope: see Surface.Session.
func Session(name string) Access { return Access{level: session, scope: name} }

// String names the access as the table in the documentation does.
func (a Access) String() string {
	switch a.level {
	case public:
		return "public"
	case basic:
		return "basic"
	case user:
		return "user"
	case admin:
		return "admin"
	case watcher:
		return "monitor"
	case scope:
		return "scope " + a.scope
	case token:
		return strings.TrimSpace("token " + a.scope)
	case appToken:
		return "app token"
	case session:
		return "session " + a.scope
	}
	return "nobody"
}

// Route is a row of the authorisation table.
type Route struct {
	Pattern string // as of http.ServeMux: "METHOD /path"
	Access  Access
}

// Table returns the authorisation table: every route of the server and who may call it. With lab it has the tools of kabar
// dev as well, which kabar serve does not have.
func Table(lab bool) []Route {
	routes := slices.Concat(talking(), administering(), operating(), graphing(), showing(), []Route{
		// Probes of whoever runs the server.
		{"GET /livez", Public},
		{"GET /readyz", Public},

		// The link of a number's picture, whose name cannot be guessed.
		{"GET /photo/{name}", Public},

		// The management API.
		{"GET /kabar/v1/messages", Scope(ScopeRead)},
		{"GET /kabar/v1/messages/{id}", Scope(ScopeRead)},
		{"GET /kabar/v1/events", Scope(ScopeRead)},
		{"GET /kabar/v1/events/stream", Scope(ScopeRead)},
		{"GET /kabar/v1/events/{id}", Scope(ScopeRead)},
		{"GET /kabar/v1/conversations/{number}/{wa_id}", Scope(ScopeRead)},
		{"GET /kabar/v1/consent/{wa_id}", Scope(ScopeRead)},
		{"PUT /kabar/v1/consent/{wa_id}", Scope(ScopeConsent)},
		{"GET /kabar/v1/health", Scope(ScopeRead)},
		{"GET /kabar/v1/endpoints", Scope(ScopeRead)},
		{"POST /kabar/v1/endpoints", Scope(ScopeWebhooks)},
		{"GET /kabar/v1/endpoints/{id}", Scope(ScopeRead)},
		{"PATCH /kabar/v1/endpoints/{id}", Scope(ScopeWebhooks)},
		{"DELETE /kabar/v1/endpoints/{id}", Scope(ScopeWebhooks)},
		{"POST /kabar/v1/endpoints/{id}/secret", Scope(ScopeWebhooks)},
		{"POST /kabar/v1/endpoints/{id}/test", Scope(ScopeWebhooks)},
		{"POST /kabar/v1/endpoints/{id}/replay", Scope(ScopeWebhooks)},
		{"GET /kabar/v1/endpoints/{id}/replays", Scope(ScopeRead)},
		{"PATCH /kabar/v1/replays/{id}", Scope(ScopeWebhooks)},
		{"GET /kabar/v1/deliveries", Scope(ScopeRead)},
		{"GET /kabar/v1/deliveries/{id}", Scope(ScopeRead)},
		{"POST /kabar/v1/deliveries/{id}/replay", Scope(ScopeWebhooks)},
		{"GET /kabar/v1/broadcasts", Scope(ScopeRead)},
		{"POST /kabar/v1/broadcasts", Scope(ScopeBroadcasts)},
		{"POST /kabar/v1/broadcasts/estimate", Scope(ScopeBroadcasts)},
		{"GET /kabar/v1/broadcasts/{id}", Scope(ScopeRead)},
		{"GET /kabar/v1/broadcasts/{id}/recipients", Scope(ScopeRead)},
		{"POST /kabar/v1/broadcasts/{id}/pause", Scope(ScopeBroadcasts)},
		{"POST /kabar/v1/broadcasts/{id}/resume", Scope(ScopeBroadcasts)},
		{"POST /kabar/v1/broadcasts/{id}/cancel", Scope(ScopeBroadcasts)},
		{"POST /kabar/v1/broadcasts/{id}/retry_failed", Scope(ScopeBroadcasts)},
		{"GET /kabar/v1/templates", Scope(ScopeRead)},
		{"GET /kabar/v1/templates/{id}", Scope(ScopeRead)},
		{"POST /kabar/v1/templates/{id}/review", Scope(ScopeReview)},
		{"GET /kabar/v1/accounts", Scope(ScopeRead)},
		{"POST /kabar/v1/accounts", Scope(ScopeAccounts)},
		{"GET /kabar/v1/accounts/{waba_id}", Scope(ScopeRead)},
		{"PATCH /kabar/v1/accounts/{waba_id}", Scope(ScopeAccounts)},
		{"GET /kabar/v1/accounts/{waba_id}/credit", Scope(ScopeRead)},
		{"PATCH /kabar/v1/accounts/{waba_id}/credit", Scope(ScopeAccounts)},
		{"GET /kabar/v1/accounts/{waba_id}/ledger", Scope(ScopeRead)},
		{"GET /kabar/v1/accounts/{waba_id}/statements/{month}", Scope(ScopeRead)},
		{"POST /kabar/v1/accounts/{waba_id}/cost_estimate", Scope(ScopeRead)},
		{"POST /kabar/v1/accounts/{waba_id}/verification", Scope(ScopeAccounts)},
		{"POST /kabar/v1/accounts/{waba_id}/review", Scope(ScopeReview)},
		{"GET /kabar/v1/reviews", Scope(ScopeRead)},
		{"GET /kabar/v1/numbers/{number}/name", Scope(ScopeRead)},
		{"PUT /kabar/v1/numbers/{number}/name", Scope(ScopeAccounts)},
		{"POST /kabar/v1/numbers/{number}/name/review", Scope(ScopeReview)},
		{"GET /kabar/v1/numbers/{number}/limits", Scope(ScopeRead)},
		{"PATCH /kabar/v1/numbers/{number}/limits", Scope(ScopeAccounts)},
		{"GET /kabar/v1/numbers/{number}/opening_hours", Scope(ScopeRead)},
		{"PUT /kabar/v1/numbers/{number}/opening_hours", Scope(ScopeAccounts)},
		{"GET /kabar/v1/accounts/{waba_id}/retention", Scope(ScopePrivacy)},
		{"PATCH /kabar/v1/accounts/{waba_id}/retention", Scope(ScopePrivacy)},
		{"GET /kabar/v1/customers/{wa_id}/export", Scope(ScopePrivacy)},
		{"DELETE /kabar/v1/customers/{wa_id}", Scope(ScopePrivacy)},
		{"GET /kabar/v1/audit", Scope(ScopeAudit)},
		{"GET /kabar/v1/keys", Scope(ScopeKeys)},
		{"POST /kabar/v1/keys", Scope(ScopeKeys)},
		{"DELETE /kabar/v1/keys/{id}", Scope(ScopeKeys)},
		{"GET /kabar/v1/openapi.json", Public},
		{"GET /kabar/v1/docs", Public},
	})
	if lab {
		routes = append(routes, Route{"POST /kabar/v1/lab/clock", Scope(ScopeLab)})
	}
	return routes
}
