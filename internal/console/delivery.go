package console

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/deliveries"
	"kabar/internal/endpoint"
	"kabar/internal/store"
	"kabar/internal/trace"
)

// Deliveries tell what became of events at endpoints; *deliveries.Deliveries has them.
type Deliveries interface {
	List(context.Context, deliveries.Query) (*deliveries.Page, error)
	Get(ctx context.Context, of trace.Of, id string) (*deliveries.Detail, error)
	Find(ctx context.Context, of trace.Of, id string) (*deliveries.Place, error)
}

// usualPast is what the log shows when no time is asked for.
const usualPast = 24 * time.Hour

// deliveryRow is a delivery in the log.
type deliveryRow struct {
	Href, Type, Number, Customer, Host, At, Tries string
	Fault                                         string // why the event cannot be told
	Status                                        status
}

// deliveriesView is the log.
type deliveriesView struct {
	frame
	Endpoints []option
	Endpoint  string
	States    []deliveries.State
	State     string
	Message   string
	Since     string // as the browser writes it
	Until     string
	Spans     []span
	Rows      []deliveryRow
	Filtered  bool
	More      string // address of the next page
}

// span is a link to what happened lately.
type span struct{ Href, Text string }

func (c *Console) ofSession(r *http.Request) trace.Of {
	who := auth.From(r)
	return trace.Of{Account: who.Account, Number: who.Number}
}

// deliveries reads the page of the log that is asked for.
func (c *Console) deliveries(r *http.Request) (*deliveriesView, error) {
	who, asked, now := auth.From(r), r.URL.Query(), c.hooks.Now()
	v := &deliveriesView{frame: c.frameOf(r.Context(), who, "/console/deliveries", "Deliveries · Kabar", ""),
		Endpoint: asked.Get("endpoint"), State: asked.Get("state"), Message: strings.TrimSpace(asked.Get("message")),
		States: []deliveries.State{deliveries.Waiting, deliveries.Retrying, deliveries.Delivered, deliveries.Expired}}
	v.Filtered = v.Endpoint != "" || v.State != "" || v.Message != ""
	q := deliveries.Query{Of: c.ofSession(r), State: deliveries.State(v.State), Message: v.Message, Order: deliveries.Newest, After: asked.Get("after")}
	var err error
	if q.Since, err = moment(asked, "since"); err != nil {
		return nil, err
	}
	if q.Until, err = moment(asked, "until"); err != nil {
		return nil, err
	}
	if !asked.Has("since") && v.Message == "" {
		q.Since = now.Add(-usualPast)
	}
	v.Since, v.Until = writtenMoment(q.Since), writtenMoment(q.Until)
	v.Spans = spans(asked, now)
	hosts, err := c.choices(r, v)
	if err != nil {
		return nil, err
	}
	if v.Endpoint != "" {
		if hosts[v.Endpoint] == "" {
			return nil, kabar.Refuse(kabar.ReasonNotFound, "endpoint", "there is no such endpoint")
		}
		q.Endpoint = c.hooks.Names.ParseEndpoint(v.Endpoint)
	}
	page, err := c.hooks.Deliveries.List(r.Context(), q)
	if err != nil {
		return nil, err
	}
	for i := range page.Deliveries {
		if hosts[page.Deliveries[i].Endpoint] == "" {
			continue
		}
		v.Rows = append(v.Rows, deliveryRowOf(&page.Deliveries[i], hosts))
	}
	if page.Next != "" {
		v.More = "/console/deliveries?" + url.Values{"endpoint": {v.Endpoint}, "state": {v.State}, "message": {v.Message}, "since": {v.Since}, "until": {v.Until}, "after": {page.Next}}.Encode()
	}
	return v, nil
}

// choices puts the endpoints into the filter, and returns their hosts by id. What waits for a URL that no settings name yet would stand beside
// everything that is told to others.
func (c *Console) choices(r *http.Request, v *deliveriesView) (map[string]string, error) {
	groups, err := c.groups(r.Context(), auth.From(r))
	hosts := map[string]string{}
	for _, g := range groups {
		e := g.First()
		if unmade(e) {
			continue
		}
		id := c.hooks.Names.PublicEndpoint(e.Group)
		hosts[id] = hostOf(e.URL)
		text := hosts[id] + ", " + dialectName(e.Dialect)
		if e.Description != "" {
			text = e.Description + " (" + hosts[id] + ")"
		}
		v.Endpoints = append(v.Endpoints, option{id, text})
	}
	return hosts, err
}

// spans are links to the same search over the last hour, and so on.
func spans(asked url.Values, now time.Time) []span {
	var all []span
	for _, s := range []struct {
		text string
		past time.Duration
	}{{"15 minutes", 15 * time.Minute}, {"Hour", time.Hour}, {"Day", usualPast}, {"7 days", 7 * usualPast}, {"All", 0}} {
		q := url.Values{"since": {""}}
		for _, name := range []string{"endpoint", "state", "message"} {
			if value := asked.Get(name); value != "" {
				q.Set(name, value)
			}
		}
		if s.past > 0 {
			q.Set("since", writtenMoment(now.Add(-s.past)))
		}
		all = append(all, span{"/console/deliveries?" + q.Encode(), s.text})
	}
	return all
}

func writtenMoment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(momentLayout)
}

func deliveryRowOf(d *deliveries.Delivery, hosts map[string]string) deliveryRow {
	row := deliveryRow{Href: "/console/deliveries/" + d.ID, Type: d.Type, Number: "+" + d.Number, Customer: d.Customer, Host: hosts[d.Endpoint], At: exact(d.At), Fault: d.Error,
		Status: deliveryStatus(d.State)}
	if n := len(d.Attempts); n > 0 {
		row.Tries = count(int64(d.Attempts[n-1].N), "attempt", "attempts") + ", the last " + outcomeOf(&d.Attempts[n-1])
	}
	return row
}

func deliveryStatus(s deliveries.State) status {
	switch s {
	case deliveries.Delivered:
		return status{Good, string(s)}
	case deliveries.Waiting:
		return status{Waiting, string(s)}
	case deliveries.Retrying, deliveries.Expired:
		return status{Bad, string(s)}
	}
	return status{Unset, string(s)}
}

// exact writes a time to the second: what went out within a minute has to be told apart.
func exact(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05 UTC") }

func (c *Console) deliveriesPage(w http.ResponseWriter, r *http.Request) {
	if id := strings.TrimSpace(r.URL.Query().Get("message")); id != "" { // who has the id of a delivery looks for that one
		if _, err := c.hooks.Deliveries.Find(r.Context(), c.ofSession(r), id); err == nil {
			lead(w, "deliveries/"+url.PathEscape(id))
			return
		}
	}
	v, err := c.deliveries(r)
	if reasonOf(err) == kabar.ReasonNotFound && v == nil && r.URL.Query().Get("message") != "" {
		err = kabar.Refuse(kabar.ReasonInvalid, "message", "no message or delivery that you may see has this id")
	}
	c.page(w, r, "deliveries", v, err)
}

// replayDelivery has an event told once more to the endpoint that a delivery is about.
func (c *Console) replayDelivery(w http.ResponseWriter, r *http.Request) {
	if err := readForm(w, r); err != nil {
		c.refuse(w, r, err)
		return
	}
	at, g, err := c.place(r)
	if err == nil && !mayChange(auth.From(r), g) {
		err = kabar.Refuse(kabar.ReasonDenied, "id", "the endpoint is about other numbers, too")
	}
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	store.Note(r.Context(), func(e *store.Audit) { e.Account = at.Number.Account })
	_, fresh, err := c.hooks.Endpoints.Replay(r.Context(), at.Endpoint.ID, endpoint.Range{Number: at.Number.ID, Event: at.Seq})
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	word := "told"
	if fresh {
		word = "replayed"
	}
	lead(w, "deliveries/"+url.PathEscape(r.PathValue("id"))+"?told="+word)
}

// place finds the delivery that the path names, and its endpoint as far as it is the session's.
func (c *Console) place(r *http.Request) (*deliveries.Place, endpoint.Group, error) {
	at, err := c.hooks.Deliveries.Find(r.Context(), c.ofSession(r), r.PathValue("id"))
	if err != nil {
		return nil, nil, err
	}
	g, err := c.hooks.Endpoints.Get(r.Context(), at.Endpoint.Group)
	if err != nil {
		return nil, nil, err
	}
	return at, narrow(auth.From(r), g), nil
}
