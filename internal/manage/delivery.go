package manage

import (
	"net/http"
	"strconv"
	"time"

	"kabar"
	"kabar/internal/deliveries"
	"kabar/internal/endpoint"
	"kabar/internal/store"
)

// listDeliveries: GET /kabar/v1/deliveries, oldest first unless the newest are asked for.
func (a *API) listDeliveries(w http.ResponseWriter, r *http.Request) {
	q, err := a.deliveryQuery(r)
	var page *deliveries.Page
	if err == nil {
		page, err = a.o.Deliveries.List(r.Context(), q)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, http.StatusOK, page)
}

func (a *API) deliveryQuery(r *http.Request) (q deliveries.Query, err error) {
	if err := onlyKnown(r, "endpoint", "state", "message", "since", "until", "order", "after", "limit"); err != nil {
		return q, err
	}
	v := r.URL.Query()
	q = deliveries.Query{Of: a.o.Of(r), State: deliveries.State(v.Get("state")), Message: v.Get("message"), Order: deliveries.Order(v.Get("order")),
		After: v.Get("after")}
	if id := v.Get("endpoint"); id != "" {
		if q.Endpoint = a.o.IDs.ParseEndpoint(id); q.Endpoint == 0 {
			return q, kabar.Refuse(kabar.ReasonInvalid, "endpoint", "is no id of an endpoint: GET /kabar/v1/endpoints lists them")
		}
	}
	for name, to := range map[string]*time.Time{"since": &q.Since, "until": &q.Until} {
		if text := v.Get(name); text != "" {
			if *to, err = moment(name, text, a.o.Now()); err != nil {
				return q, err
			}
		}
	}
	if limit := v.Get("limit"); limit != "" {
		if q.Limit, err = strconv.Atoi(limit); err != nil || q.Limit < 1 {
			return q, kabar.Refuse(kabar.ReasonInvalid, "limit", "is %q, it must be 1 to %d", limit, deliveries.MaxList)
		}
	}
	return q, nil
}

// showDelivery: GET /kabar/v1/deliveries/{id}.
func (a *API) showDelivery(w http.ResponseWriter, r *http.Request) {
	err := onlyKnown(r)
	var one *deliveries.Detail
	if err == nil {
		one, err = a.o.Deliveries.Get(r.Context(), a.o.Of(r), r.PathValue("id"))
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, http.StatusOK, one)
}

// replay is a replay as answers show it.
type replay struct {
	ID       string            `json:"id"`
	Endpoint string            `json:"endpoint"`
	Number   string            `json:"number"`
	State    store.ReplayState `json:"state"`
	Events   int64             `json:"events"` // that it is of, those included that the endpoint does not want
	Done     int64             `json:"done"`
	Created  time.Time         `json:"created"`
	Ended    time.Time         `json:"ended,omitzero"`
}

func (a *API) shownReplays(r *http.Request, g *kabar.Endpoint, all []*store.Replay) ([]replay, error) {
	digits, err := a.digits(r.Context())
	shown := []replay{}
	for _, one := range all {
		shown = append(shown, replay{a.o.IDs.PublicReplay(int64(one.ID)), a.o.IDs.PublicEndpoint(g.Group), digits[one.Number], one.State, one.Until - one.Since,
			one.Mark - one.Since, one.Created.UTC(), utc(one.Ended)})
	}
	return shown, err
}

func (a *API) tellReplays(w http.ResponseWriter, r *http.Request, status int, e *kabar.Endpoint, all []*store.Replay) {
	shown, err := a.shownReplays(r, e, all)
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, status, struct {
		Data []replay `json:"data"`
	}{shown})
}

// replayDelivery: POST /kabar/v1/deliveries/{id}/replay.
func (a *API) replayDelivery(w http.ResponseWriter, r *http.Request) {
	at, err := a.o.Deliveries.Find(r.Context(), a.o.Of(r), r.PathValue("id"))
	if err == nil {
		err = a.mayChange(r, at.Endpoint)
	}
	if err == nil {
		var one *deliveries.Detail
		one, err = a.o.Deliveries.Get(r.Context(), a.o.Of(r), r.PathValue("id")) // it may be none
		if err == nil && one.State == deliveries.Expired {
			err = kabar.Refuse(kabar.ReasonEndpointState, "id", "the event is older than what is kept: nothing is left that could be told")
		}
	}
	var all []*store.Replay
	var fresh bool
	if err == nil {
		all, fresh, err = a.o.Endpoints.Replay(r.Context(), at.Endpoint.Group, endpoint.Range{Number: at.Number.ID, Event: at.Seq})
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.tellReplays(w, r, accepted(fresh || len(all) == 0), at.Endpoint, all)
}

// replayEndpoint: POST /kabar/v1/endpoints/{id}/replay.
func (a *API) replayEndpoint(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Since  string `json:"since"`
		Until  string `json:"until"`
		Failed bool   `json:"failed"`
	}
	if !a.read(w, r, &in, `send {"since":"2031-05-02T10:15:00Z"}, {"since":"2h"} or {"failed":true}`) {
		return
	}
	g, err := a.endpoint(r, true)
	if err == nil && in.Failed == (in.Since != "") {
		err = kabar.Refuse(kabar.ReasonInvalid, "since", "say since when, or that what has failed is to be tried at once, and not both")
	}
	var span endpoint.Range
	if err == nil && !in.Failed {
		span, err = a.span(in.Since, in.Until)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	if in.Failed {
		if _, err := a.o.Endpoints.RetryFailed(r.Context(), g.First().Group); err != nil {
			a.Refuse(w, r, err)
			return
		}
		a.tellReplays(w, r, http.StatusAccepted, g.First(), nil)
		return
	}
	all, fresh, err := a.o.Endpoints.Replay(r.Context(), g.First().Group, span)
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.tellReplays(w, r, accepted(fresh || len(all) == 0), g.First(), all)
}

// accepted is the status of an answer about a replay: what is asked for begins, or is under way already.
func accepted(fresh bool) int {
	if fresh {
		return http.StatusAccepted
	}
	return http.StatusOK
}

// span reads from when to when, each a time or how long ago it was.
func (a *API) span(since, until string) (r endpoint.Range, err error) {
	if r.Since, err = moment("since", since, a.o.Now()); err == nil && until != "" {
		r.Until, err = moment("until", until, a.o.Now())
	}
	return r, err
}

// listReplays: GET /kabar/v1/endpoints/{id}/replays, oldest first.
func (a *API) listReplays(w http.ResponseWriter, r *http.Request) {
	g, err := a.endpoint(r, false)
	if err == nil {
		err = onlyKnown(r)
	}
	var all []*store.Replay
	if err == nil {
		all, err = a.o.Endpoints.Replays(r.Context(), g)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.tellReplays(w, r, http.StatusOK, g.First(), all)
}

// changeReplay: PATCH /kabar/v1/replays/{id}.
func (a *API) changeReplay(w http.ResponseWriter, r *http.Request) {
	var in struct {
		State store.ReplayState `json:"state"`
	}
	if !a.read(w, r, &in, `send {"state":"paused"}, {"state":"running"} or {"state":"cancelled"}`) {
		return
	}
	one, err := a.o.Endpoints.GetReplay(r.Context(), kabar.EndpointID(a.o.IDs.ParseReplay(r.PathValue("id"))))
	if err == nil && !a.o.Of(r).Has(&kabar.Number{ID: one.Number, Account: one.Account}) {
		err = kabar.Refuse(kabar.ReasonNotFound, "id", "there is no such replay")
	}
	var g endpoint.Group
	if err == nil {
		g, err = a.o.Endpoints.Get(r.Context(), one.Endpoint)
	}
	if err == nil {
		err = a.mayChange(r, g.First())
	}
	if err == nil {
		one, err = a.o.Endpoints.ChangeReplay(r.Context(), one, in.State)
	}
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	shown, err := a.shownReplays(r, g.First(), []*store.Replay{one})
	if err != nil {
		a.Refuse(w, r, err)
		return
	}
	a.write(w, http.StatusOK, shown[0])
}
