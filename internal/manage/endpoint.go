package manage

import (
	"context"
	"net/http"
	"slices"
	"time"

	"kabar"
	"kabar/internal/deliveries"
	"kabar/internal/endpoint"
	"kabar/internal/signature"
	"kabar/internal/store"
	"kabar/internal/trace"
	"kabar/internal/webhook"
)

// Endpoints are where events go; *endpoint.Endpoints are they.
type Endpoints interface {
	List(ctx context.Context, a kabar.AccountID) ([]endpoint.Group, error)
	Get(ctx context.Context, id kabar.EndpointID) (endpoint.Group, error)
	Add(ctx context.Context, w endpoint.Wanted) (endpoint.Group, error)
	Change(ctx context.Context, id kabar.EndpointID, change func(*kabar.EndpointConfig) error) (endpoint.Group, error)
	Remove(ctx context.Context, id kabar.EndpointID) error
	Rotate(ctx context.Context, id kabar.EndpointID, n endpoint.NewSecret) (endpoint.Group, string, error)
	Replay(ctx context.Context, id kabar.EndpointID, r endpoint.Range) (all []*store.Replay, fresh bool, err error)
	RetryFailed(ctx context.Context, id kabar.EndpointID) (endpoint.Group, error)
	Replays(ctx context.Context, g endpoint.Group) ([]*store.Replay, error)
	GetReplay(ctx context.Context, id kabar.EndpointID) (*store.Replay, error)
	ChangeReplay(ctx context.Context, r *store.Replay, to store.ReplayState) (*store.Replay, error)
}

// EndpointIDs makes public ids, and reads them; *store.DB does. What is no id stands for 0.
type EndpointIDs interface {
	PublicEndpoint(e kabar.EndpointID) string
	ParseEndpoint(id string) kabar.EndpointID
	PublicReplay(id int64) string
	ParseReplay(id string) int64
}

// Deliveries are what became of events at endpoints; *deliveries.Deliveries are they.
type Deliveries interface {
	List(ctx context.Context, q deliveries.Query) (*deliveries.Page, error)
	Get(ctx context.Context, of trace.Of, id string) (*deliveries.Detail, error)
	Find(ctx context.Context, of trace.Of, id string) (*deliveries.Place, error)
}

// endpointHandlers are those of endpoints and deliveries.
func (a *API) endpointHandlers() map[string]http.Handler {
	return map[string]http.Handler{
		"GET /kabar/v1/health":                  http.HandlerFunc(a.showHealth),
		"GET /kabar/v1/endpoints":               http.HandlerFunc(a.listEndpoints),
		"POST /kabar/v1/endpoints":              http.HandlerFunc(a.addEndpoint),
		"GET /kabar/v1/endpoints/{id}":          http.HandlerFunc(a.showEndpoint),
		"PATCH /kabar/v1/endpoints/{id}":        http.HandlerFunc(a.changeEndpoint),
		"DELETE /kabar/v1/endpoints/{id}":       http.HandlerFunc(a.removeEndpoint),
		"POST /kabar/v1/endpoints/{id}/secret":  http.HandlerFunc(a.replaceSecret),
		"POST /kabar/v1/endpoints/{id}/test":    http.HandlerFunc(a.testEndpoint),
		"POST /kabar/v1/endpoints/{id}/replay":  http.HandlerFunc(a.replayEndpoint),
		"GET /kabar/v1/endpoints/{id}/replays":  http.HandlerFunc(a.listReplays),
		"PATCH /kabar/v1/replays/{id}":          http.HandlerFunc(a.changeReplay),
		"GET /kabar/v1/deliveries":              http.HandlerFunc(a.listDeliveries),
		"GET /kabar/v1/deliveries/{id}":         http.HandlerFunc(a.showDelivery),
		"POST /kabar/v1/deliveries/{id}/replay": http.HandlerFunc(a.replayDelivery),
	}
}

// shownEndpoint is an endpoint as answers show it: without what is secret.
type shownEndpoint struct {
	ID          string              `json:"id"`
	Account     string              `json:"account"`
	Number      string              `json:"number,omitempty"` // none: it reads all of the account's
	Numbers     []string            `json:"numbers"`
	URL         string              `json:"url"`
	Dialect     kabar.Dialect       `json:"dialect"`
	Events      []string            `json:"events"`
	Kinds       []kabar.Kind        `json:"kinds,omitempty"`
	Customers   []string            `json:"customers,omitempty"`
	Description string              `json:"description,omitempty"`
	State       kabar.EndpointState `json:"state"`
	StateSince  time.Time           `json:"state_since,omitzero"`
	Reason      string              `json:"reason,omitempty"`
	ManagedBy   string              `json:"managed_by"` // api, settings or subscription
	HeaderNames []string            `json:"header_names,omitempty"`
	Certificate bool                `json:"has_certificate"`
	CA          bool                `json:"has_ca"`
	Timeout     int                 `json:"timeout_seconds,omitzero"`
	Concurrency int                 `json:"concurrency,omitzero"`
	Batch       int                 `json:"batch,omitzero"`
	Redact      bool                `json:"redact"`
	Notify      string              `json:"notify_url,omitempty"`
	Secrets     []shownSecret       `json:"secrets"`
	Created     time.Time           `json:"created"`
	Health      health              `json:"health"`

	// When it has just been made, or has a new secret.
	Secret string `json:"secret,omitempty"`
	Token  string `json:"verify_token,omitempty"`
}

// shownSecret is a secret by which nobody can sign.
type shownSecret struct {
	Kind   string    `json:"kind"` // v1: HMAC; v1a: Ed25519
	Public string    `json:"public_key,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// health is how an endpoint is.
type health struct {
	Pending      int64     `json:"pending"`
	Oldest       time.Time `json:"oldest,omitzero"`
	Failing      bool      `json:"failing"`
	FailingSince time.Time `json:"failing_since,omitzero"`
	Parked       int       `json:"parked_customers"`
	LastStatus   int       `json:"last_status,omitzero"`
	LastError    string    `json:"last_error,omitempty"`
}

func (a *API) shownAs(g endpoint.Group, digits map[kabar.NumberID]string, b webhook.Backlog) shownEndpoint {
	e := g.First()
	out := shownEndpoint{ID: a.o.IDs.PublicEndpoint(e.Group), Account: a.nodeID(int64(e.Account)), URL: e.URL, Dialect: e.Dialect, Events: e.Filter.Types,
		Kinds: e.Filter.Kinds, Customers: e.Filter.Customers, Description: e.Description, State: e.State, StateSince: utc(e.Since), Reason: e.Reason,
		ManagedBy: string(e.Origin), Certificate: e.Certificate != "", CA: e.CA != "", Timeout: int(e.Timeout.Seconds()), Concurrency: e.Concurrency,
		Batch: e.Batch, Redact: e.Redact, Notify: e.Notify, Secrets: []shownSecret{}, Created: e.Created.UTC(),
		Health: health{b.Pending, utc(b.Oldest), b.Failing, utc(e.Failing), b.Parked, b.LastStatus, b.LastError}}
	if len(out.Events) == 0 {
		out.Events = []string{"*"}
	}
	if out.State == "" {
		out.State = kabar.EndpointActive
	}
	for _, row := range g {
		out.Numbers = append(out.Numbers, digits[row.Number])
	}
	if !e.Wide {
		out.Number = digits[e.Number]
	}
	for name := range e.Headers {
		out.HeaderNames = append(out.HeaderNames, name)
	}
	slices.Sort(out.HeaderNames)
	for _, s := range e.Secrets {
		if s.Until.IsZero() || a.o.Now().Before(s.Until) {
			out.Secrets = append(out.Secrets, shownKey(s))
		}
	}
	return out
}

func shownKey(s kabar.EndpointSecret) shownSecret {
	if public, err := signature.Public(s.Value); err == nil {
		return shownSecret{"v1a", public, utc(s.Until)}
	}
	return shownSecret{"v1", "", utc(s.Until)}
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

// listEndpoints: GET /kabar/v1/endpoints, oldest first.
func (a *API) listEndpoints(w http.ResponseWriter, r *http.Request) {
	err := onlyKnown(r, "account", "number")
	var all []endpoint.Group
	if err == nil {
		all, err = a.myEndpoints(r)
	}
	answer := struct {
		Data []shownEndpoint `json:"data"`
	}{[]shownEndpoint{}}
	if err == nil {
		err = a.eachShown(r.Context(), all, func(e shownEndpoint) { answer.Data = append(answer.Data, e) })
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, http.StatusOK, answer)
}

// myEndpoints are those that a request may see, by its parameters.
func (a *API) myEndpoints(r *http.Request) ([]endpoint.Group, error) {
	accounts, _, err := a.o.AccountsOf(r)
	if err != nil {
		return nil, err
	}
	if named := r.URL.Query().Get("account"); named != "" {
		one, err := a.oneAccount(r, named)
		if err != nil {
			return nil, err
		}
		accounts = []kabar.AccountID{one}
	}
	numbers, err := a.digits(r.Context())
	if err != nil {
		return nil, err
	}
	var mine []endpoint.Group
	for _, id := range accounts {
		all, err := a.o.Endpoints.List(r.Context(), id)
		if err != nil {
			return nil, err
		}
		for _, g := range all {
			asked := r.URL.Query().Get("number")
			if a.sees(r, g) && (asked == "" || slices.ContainsFunc(g.Numbers(), func(n kabar.NumberID) bool { return numbers[n] == asked })) {
				mine = append(mine, g)
			}
		}
	}
	return mine, nil
}

// sees reports whether a request may see an endpoint: one of its numbers, at least.
func (a *API) sees(r *http.Request, g endpoint.Group) bool {
	of := a.o.Of(r)
	return slices.ContainsFunc(g, func(e *kabar.Endpoint) bool { return of.Has(&kabar.Number{ID: e.Number, Account: e.Account}) })
}

// eachShown calls do for each endpoint, as it is shown.
func (a *API) eachShown(ctx context.Context, all []endpoint.Group, do func(shownEndpoint)) error {
	digits, err := a.digits(ctx)
	if err != nil {
		return err
	}
	health, err := a.o.Health(ctx)
	if err != nil {
		return err
	}
	for _, g := range all {
		do(a.shownAs(g, digits, health(g)))
	}
	return nil
}

// endpoint finds the one that the path names, if the request may see it. To change it, a request has to be for all its numbers.
func (a *API) endpoint(r *http.Request, change bool) (endpoint.Group, error) {
	none := kabar.Refuse(kabar.ReasonNotFound, "id", "there is no such endpoint: GET /kabar/v1/endpoints lists them")
	id := a.o.IDs.ParseEndpoint(r.PathValue("id"))
	if id == 0 {
		return nil, none
	}
	g, err := a.o.Endpoints.Get(r.Context(), id)
	if err != nil {
		return nil, err
	}
	if !a.sees(r, g) {
		return nil, none
	}
	if change {
		return g, a.mayChange(r, g.First())
	}
	return g, nil
}

// mayChange refuses requests of one number about an endpoint of several.
func (a *API) mayChange(r *http.Request, e *kabar.Endpoint) error {
	if a.o.Of(r).Number != 0 && e.Wide {
		return kabar.Refuse(kabar.ReasonDenied, "", "the endpoint reads all numbers of the account, and the key is for one: use a key of the account")
	}
	return nil
}

// tellEndpoint answers with an endpoint.
func (a *API) tellEndpoint(w http.ResponseWriter, r *http.Request, status int, g endpoint.Group, with func(*shownEndpoint)) {
	err := a.eachShown(r.Context(), []endpoint.Group{g}, func(e shownEndpoint) {
		if with != nil {
			with(&e)
		}
		a.write(w, status, e)
	})
	if err != nil {
		a.Refuse(w, r, err)
	}
}

// showEndpoint: GET /kabar/v1/endpoints/{id}.
func (a *API) showEndpoint(w http.ResponseWriter, r *http.Request) {
	err := onlyKnown(r)
	var g endpoint.Group
	if err == nil {
		g, err = a.endpoint(r, false)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.tellEndpoint(w, r, http.StatusOK, g, nil)
}
