// Package manage is the server's management API under /kabar/v1/, and the probes of whoever runs the server.
//
// Errors are problem+json (RFC 9457). Who may call what stands in auth's table; the package trusts it. It keeps nothing:
// it asks those who know, through the small interfaces below.
package manage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"time"

	"kabar"
	"kabar/internal/endpoint"
	"kabar/internal/trace"
	"kabar/internal/web"
	"kabar/internal/webhook"
)

// Clock is the product's clock, which kabar dev can shift forward.
type Clock interface {
	Now() time.Time
	// Advance moves the clock forward by d, for good: it is kept with the data folder.
	Advance(d time.Duration) error
}

// Check looks at one thing that must work for the server to be ready. Its error says what is wrong, in a sentence.
type Check struct {
	Name string
	Run  func(ctx context.Context) error
}

// Options are what the API works with.
type Options struct {
	Clock  Clock   // nil: there is no lab
	Checks []Check // of /readyz
	// Messages tells what became of messages, and Of whose a request may see.
	Messages Messages
	Of       func(*http.Request) trace.Of
	// Events reads the logs of numbers that Of may see.
	Events Events
	// Conversations tells of conversations, whose is Of's, too.
	Conversations Conversations
	// Consents are those of the customers of Accounts.
	Consents Consents
	// Broadcasts are those of Numbers that Of may see.
	Broadcasts Broadcasts
	// Erasures erases customers of Accounts.
	Erasures Erasures
	Exports  Exports // of what is held of them
	// Templates are what reviewers see, and AccountsOf says which accounts a request may see, with the name of who makes it.
	Templates  Templates
	AccountsOf func(*http.Request) (all []kabar.AccountID, who string, err error)
	// Accounts have their lines of credit, Nodes make their public ids, Operator says whether a request's key is for the
	// whole server, and MessageID is what the /v1 API calls a message, or "" when it is gone.
	Accounts  Accounts
	Nodes     Nodes
	Operator  func(*http.Request) bool
	MessageID func(context.Context, kabar.NumberID, kabar.MessageID) string
	Reviews   Reviews // of Accounts and Numbers
	Keys      Keys
	Numbers   func(context.Context) ([]*kabar.Number, error) // of the server
	Audit     Audit
	Endpoints Endpoints
	Proves    func(*http.Request) bool // whether a request may see what proves events to applications; nil: none may
	IDs       EndpointIDs              // of them
	// Health says how endpoints are, as it is now; Try sends one an event that is made up.
	Health     func(context.Context) (func(endpoint.Group) webhook.Backlog, error)
	Try        func(context.Context, *kabar.Endpoint) (*webhook.Trial, error)
	Deliveries Deliveries
	Limits     Limits           // of the Numbers that Of may see
	Hours      Hours            // of them, too
	Now        func() time.Time // the product's; default time.Now
	Log        *slog.Logger
}

// API serves /livez, /readyz and /kabar/v1/.
type API struct {
	o       Options
	streams streams
}

// New returns an API.
func New(o Options) *API {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &API{o: o}
}

// Handlers returns the handlers by pattern.
func (a *API) Handlers() map[string]http.Handler {
	h := map[string]http.Handler{
		"GET /livez":  http.HandlerFunc(a.live),
		"GET /readyz": http.HandlerFunc(a.ready),
	}
	if a.o.Clock != nil {
		h["POST /kabar/v1/lab/clock"] = http.HandlerFunc(a.advance)
	}
	if a.o.Messages != nil {
		h["GET /kabar/v1/messages"] = http.HandlerFunc(a.listMessages)
		h["GET /kabar/v1/messages/{id}"] = http.HandlerFunc(a.showMessage)
	}
	if a.o.Events != nil {
		maps.Copy(h, a.eventHandlers())
	}
	if a.o.Conversations != nil {
		h["GET /kabar/v1/conversations/{number}/{wa_id}"] = http.HandlerFunc(a.showConversation)
	}
	if a.o.Consents != nil {
		h["GET /kabar/v1/consent/{wa_id}"] = http.HandlerFunc(a.showConsent)
		h["PUT /kabar/v1/consent/{wa_id}"] = http.HandlerFunc(a.putConsent)
	}
	if a.o.Broadcasts != nil {
		maps.Copy(h, a.broadcastHandlers())
	}
	if a.o.Erasures != nil {
		h["DELETE /kabar/v1/customers/{wa_id}"] = http.HandlerFunc(a.eraseCustomer)
	}
	if a.o.Exports != nil {
		h["GET /kabar/v1/customers/{wa_id}/export"] = http.HandlerFunc(a.exportCustomer)
	}
	if a.o.Templates != nil {
		h["GET /kabar/v1/templates"] = http.HandlerFunc(a.listTemplates)
		h["GET /kabar/v1/templates/{id}"] = http.HandlerFunc(a.showTemplate)
		h["POST /kabar/v1/templates/{id}/review"] = http.HandlerFunc(a.reviewTemplate)
	}
	if a.o.Accounts != nil {
		h["GET /kabar/v1/accounts"] = http.HandlerFunc(a.listAccounts)
		h["POST /kabar/v1/accounts"] = http.HandlerFunc(a.addAccount)
		h["GET /kabar/v1/accounts/{waba_id}"] = http.HandlerFunc(a.showAccount)
		h["PATCH /kabar/v1/accounts/{waba_id}"] = http.HandlerFunc(a.changeAccount)
		h["GET /kabar/v1/accounts/{waba_id}/credit"] = http.HandlerFunc(a.showCredit)
		h["PATCH /kabar/v1/accounts/{waba_id}/credit"] = http.HandlerFunc(a.drawCredit)
		h["GET /kabar/v1/accounts/{waba_id}/retention"] = http.HandlerFunc(a.showRetention)
		h["PATCH /kabar/v1/accounts/{waba_id}/retention"] = http.HandlerFunc(a.changeRetention)
		h["GET /kabar/v1/accounts/{waba_id}/ledger"] = http.HandlerFunc(a.listLedger)
		h["GET /kabar/v1/accounts/{waba_id}/statements/{month}"] = http.HandlerFunc(a.statement)
		h["POST /kabar/v1/accounts/{waba_id}/cost_estimate"] = http.HandlerFunc(a.estimate)
	}
	if a.o.Reviews != nil {
		h["GET /kabar/v1/reviews"] = http.HandlerFunc(a.listReviews)
		h["POST /kabar/v1/accounts/{waba_id}/verification"] = http.HandlerFunc(a.submitAccount)
		h["POST /kabar/v1/accounts/{waba_id}/review"] = http.HandlerFunc(a.judgeAccount)
		h["GET /kabar/v1/numbers/{number}/name"] = http.HandlerFunc(a.showName)
		h["PUT /kabar/v1/numbers/{number}/name"] = http.HandlerFunc(a.putName)
		h["POST /kabar/v1/numbers/{number}/name/review"] = http.HandlerFunc(a.judgeName)
	}
	if a.o.Keys != nil {
		h["GET /kabar/v1/keys"] = http.HandlerFunc(a.listKeys)
		h["POST /kabar/v1/keys"] = http.HandlerFunc(a.makeKey)
		h["DELETE /kabar/v1/keys/{id}"] = http.HandlerFunc(a.revokeKey)
	}
	if a.o.Limits != nil {
		h["GET /kabar/v1/numbers/{number}/limits"] = http.HandlerFunc(a.showLimits)
		h["PATCH /kabar/v1/numbers/{number}/limits"] = http.HandlerFunc(a.changeLimits)
	}
	if a.o.Hours != nil {
		h["GET /kabar/v1/numbers/{number}/opening_hours"] = http.HandlerFunc(a.showHours)
		h["PUT /kabar/v1/numbers/{number}/opening_hours"] = http.HandlerFunc(a.putHours)
	}
	if a.o.Endpoints != nil {
		maps.Copy(h, a.endpointHandlers())
	}
	if a.o.Audit != nil {
		h["GET /kabar/v1/audit"] = http.HandlerFunc(a.listAudit)
	}
	return h
}

// broadcastHandlers are those of broadcasts.
func (a *API) broadcastHandlers() map[string]http.Handler {
	h := map[string]http.Handler{
		"GET /kabar/v1/broadcasts":                 http.HandlerFunc(a.listBroadcasts),
		"POST /kabar/v1/broadcasts":                http.HandlerFunc(a.addBroadcast),
		"POST /kabar/v1/broadcasts/estimate":       http.HandlerFunc(a.estimateBroadcast),
		"GET /kabar/v1/broadcasts/{id}":            http.HandlerFunc(a.showBroadcast),
		"GET /kabar/v1/broadcasts/{id}/recipients": http.HandlerFunc(a.listRecipients),
	}
	for _, action := range []kabar.BroadcastAction{kabar.BroadcastPause, kabar.BroadcastResume, kabar.BroadcastCancel, kabar.BroadcastRetry} {
		h["POST /kabar/v1/broadcasts/{id}/"+string(action)] = a.actOnBroadcast(action)
	}
	return h
}

// live says that the process answers; nothing else.
func (a *API) live(w http.ResponseWriter, _ *http.Request) {
	a.write(w, http.StatusOK, map[string]string{"status": "alive"})
}

// checkTime bounds one look at everything.
const checkTime = 3 * time.Second

// ready runs every check: 200 when all pass, 503 with what is wrong otherwise.
func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTime)
	defer cancel()
	status, answer := http.StatusOK, map[string]string{}
	for _, c := range a.o.Checks {
		answer[c.Name] = "ok"
		if err := c.Run(ctx); err != nil {
			status, answer[c.Name] = http.StatusServiceUnavailable, err.Error()
		}
	}
	if status != http.StatusOK {
		w.Header().Set("Retry-After", "5")
	}
	a.write(w, status, map[string]any{"ready": status == http.StatusOK, "checks": answer})
}

// maxAdvance bounds one step of the clock.
const maxAdvance = 366 * 24 * time.Hour

func (a *API) advance(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Advance string `json:"advance"`
	}
	if !a.read(w, r, &body, `send {"advance":"24h"}`) {
		return
	}
	d, err := time.ParseDuration(body.Advance)
	if err != nil || d <= 0 || d > maxAdvance {
		a.problem(w, http.StatusBadRequest, fmt.Sprintf("advance is %q", body.Advance), `it must be a duration forward, such as "90m" or "24h", of up to 8784h`)
		return
	}
	if err := a.o.Clock.Advance(d); err != nil {
		a.o.Log.Error("advance the clock", "err", err)
		a.problem(w, http.StatusInternalServerError, "the clock could not be stored", "look at the server's log")
		return
	}
	a.write(w, http.StatusOK, map[string]string{"now": a.o.Clock.Now().UTC().Format(time.RFC3339)})
}

// Refuse answers a request that does not reach its handler.
func (a *API) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	var refused *kabar.Error
	if !errors.As(err, &refused) {
		if r.Context().Err() != nil { // nobody waits for the answer any more
			a.o.Log.Debug("a request was given up", "err", err)
			a.problem(w, http.StatusServiceUnavailable, "the request was given up", "ask again")
			return
		}
		a.o.Log.Error("refuse a request", "err", err)
		a.problem(w, http.StatusInternalServerError, "internal error", "look at the server's log")
		return
	}
	switch refused.Reason {
	case kabar.ReasonUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="kabar"`)
		a.problem(w, http.StatusUnauthorized, "credentials are missing or not valid", "send Authorization: Bearer with the operator's api_key")
	case kabar.ReasonDenied:
		a.problem(w, http.StatusForbidden, "access denied", refused.Detail)
	case kabar.ReasonNotFound:
		status := http.StatusNotFound
		if w.Header().Get("Allow") != "" {
			status = http.StatusMethodNotAllowed
		}
		a.problem(w, status, "not found", refused.Detail)
	case kabar.ReasonTemplateState, kabar.ReasonBroadcastState, kabar.ReasonReviewState, kabar.ReasonKeyReused, kabar.ReasonEndpointState:
		a.problem(w, http.StatusConflict, string(refused.Reason), strings.TrimSpace(refused.Field+" "+refused.Detail))
	case kabar.ReasonNotReady, kabar.ReasonOverloaded, kabar.ReasonStore, kabar.ReasonInternal:
		a.problem(w, http.StatusServiceUnavailable, string(refused.Reason), refused.Detail)
	default: // whoever asks can mend it
		a.problem(w, http.StatusBadRequest, string(refused.Reason), strings.TrimSpace(refused.Field+" "+refused.Detail))
	}
}

func isNotFound(err error) bool {
	refused, ok := errors.AsType[*kabar.Error](err)
	return ok && refused.Reason == kabar.ReasonNotFound
}

func (a *API) problem(w http.ResponseWriter, status int, title, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	a.write(w, status, map[string]any{"type": "about:blank", "status": status, "title": title, "detail": detail})
}

func (a *API) write(w http.ResponseWriter, status int, v any) {
	if err := web.WriteJSON(w, status, v); err != nil {
		a.o.Log.Debug("write an answer", "err", err)
	}
}
