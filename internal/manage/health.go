package manage

import (
	"net/http"
	"time"

	"kabar"
	"kabar/internal/endpoint"
)

// endpointHealth is an endpoint in an overview of those that a request may see.
type endpointHealth struct {
	ID     string              `json:"id"`
	URL    string              `json:"url"`
	State  kabar.EndpointState `json:"state"`
	Since  time.Time           `json:"state_since,omitzero"`
	Reason string              `json:"reason,omitempty"`
	Health health              `json:"health"`
}

// overview says in one answer whether anybody waits for events.
type overview struct {
	Healthy   bool             `json:"healthy"` // no endpoint that is active fails, and none is suspended
	Pending   int64            `json:"pending"` // of all endpoints
	Endpoints []endpointHealth `json:"endpoints"`
}

// showHealth: GET /kabar/v1/health, for monitoring with a key. /readyz is about the process, and for everybody.
func (a *API) showHealth(w http.ResponseWriter, r *http.Request) {
	err := onlyKnown(r, "account", "number")
	var all []endpoint.Group
	if err == nil {
		all, err = a.myEndpoints(r)
	}
	out := overview{Healthy: true, Endpoints: []endpointHealth{}}
	if err == nil {
		err = a.eachShown(r.Context(), all, func(e shownEndpoint) {
			bad := e.State == kabar.EndpointSuspended || e.State == kabar.EndpointActive && e.Health.Failing
			out.Healthy = out.Healthy && !bad
			out.Pending += e.Health.Pending
			out.Endpoints = append(out.Endpoints, endpointHealth{e.ID, e.URL, e.State, e.StateSince, e.Reason, e.Health})
		})
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, http.StatusOK, out)
}
