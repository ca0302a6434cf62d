package onprem

import (
	"context"
	"net/http"
	"time"

	"kabar"
	"kabar/internal/figures"
)

// Operations is what the dialect asks the program for its operators.
type Operations interface {
	// Callbacks returns how many events of a number are not finished.
	Callbacks(ctx context.Context, n kabar.NumberID) (int64, error)
	// Waiting returns how many writes wait for the store.
	Waiting() int
	// Node names this program among several.
	Node() string
	// Support describes the program and its machine.
	Support(ctx context.Context) (Support, error)
}

// statsApp: GET /v1/stats/app and /v1/stats/app/internal (contract 1.9).
func (a *API) statsApp(x *exchange) error {
	all, err := a.appSeries(x)
	if err != nil {
		return err
	}
	return x.figures("stats", "app", all)
}

// statsDB: GET /v1/stats/db and /v1/stats/db/internal. It counts rows, so it has its price.
func (a *API) statsDB(x *exchange) error {
	select {
	case a.counting <- struct{}{}:
		defer func() { <-a.counting }()
	default:
		return &kabar.Error{Reason: kabar.ReasonTooMany, Detail: "the rows are being counted for somebody else", After: time.Second}
	}
	c, err := a.engine.Census(x.r.Context(), x.number())
	if err != nil {
		return err
	}
	var out, confirmed int64
	for status, n := range c.Outgoing {
		out += n
		if status == kabar.Delivered || status == kabar.Read || status == kabar.Played {
			confirmed += n
		}
	}
	samples := map[string][]figures.Sample{
		"db_contacts":         {{Labels: []string{"whatsapp_user"}, Value: float64(c.Customers)}, {Labels: []string{"non_whatsapp_user"}}},
		"db_message_receipts": {{Value: float64(confirmed)}},
		"db_messages":         {{Labels: []string{"incoming"}, Value: float64(c.Incoming)}, {Labels: []string{"outgoing"}, Value: float64(out)}},
	}
	var all []figures.Series
	for _, f := range dbFamilies() {
		all = append(all, figures.Series{Family: f, Samples: samples[f.Name]})
	}
	return x.figures("stats", "db", all)
}

// metrics: GET /metrics and /v1/metrics: what the program does for all numbers.
func (a *API) metrics(x *exchange) error {
	return x.figures("metrics", "", figures.Label(a.webSeries(), "node", a.operations.Node()))
}

// appSeries are the number's figures, and those of the program where there are none by number.
func (a *API) appSeries(x *exchange) ([]figures.Series, error) {
	callbacks, err := a.operations.Callbacks(x.r.Context(), x.number())
	if err != nil {
		return nil, err
	}
	out, in, err := a.engine.Pending(x.r.Context(), x.number())
	if err != nil {
		return nil, err
	}
	gauges := map[string]int64{"callback_queue_size": callbacks, "pending_callbacks": callbacks, "pending_messages": out,
		"in_messages_pending_processing": in}
	var all []figures.Series
	for _, f := range appFamilies() {
		owner := int64(x.number())
		if wholeProgram(f.Name) {
			owner = wholeOwner
		}
		samples := a.stats.set.Samples(f, owner)
		if n, ok := gauges[f.Name]; ok {
			samples = []figures.Sample{{Value: float64(n)}}
		}
		all = append(all, figures.Series{Family: f, Samples: samples})
	}
	return all, nil
}

func (a *API) webSeries() []figures.Series {
	s := a.stats
	s.mu.Lock()
	states := map[http.ConnState]int{}
	for _, state := range s.conns {
		states[state]++
	}
	gauges := map[string]float64{"web_uptime": a.now().Sub(s.began).Round(time.Second).Seconds(), "web_connections": float64(len(s.conns)),
		"web_pending_connections": float64(states[http.StateNew]), "web_max_pending_connections": float64(s.most),
		"web_idle_processes": float64(states[http.StateIdle]), "web_total_connections": float64(s.started)}
	s.mu.Unlock()
	gauges["web_queue_len"] = float64(a.operations.Waiting())
	var all []figures.Series
	for _, f := range webFamilies() {
		samples := s.set.Samples(f, wholeOwner)
		if v, ok := gauges[f.Name]; ok {
			samples = []figures.Sample{{Value: v}}
		}
		if f.Name == "web_requests" {
			samples = []figures.Sample{{Labels: []string{"read"}, Value: float64(states[http.StateNew])},
				{Labels: []string{"handle-request"}, Value: float64(states[http.StateActive])},
				{Labels: []string{"keep-alive"}, Value: float64(states[http.StateIdle])}}
		}
		all = append(all, figures.Series{Family: f, Samples: samples})
	}
	return all
}

// figures answers series as JSON below node (and below it name, if there is one), or as Prometheus reads them.
func (x *exchange) figures(node, name string, all []figures.Series) error {
	switch format := x.r.URL.Query().Get("format"); format {
	case "":
		body := figures.JSON(all)
		if name != "" {
			body = map[string]any{name: body}
		}
		return x.reply(node, body)
	case "prometheus":
		x.w.Header().Set("Content-Type", figures.TextType)
		_, _ = x.w.Write(figures.Text(all)) // the client may have gone
		return nil
	default:
		return kabar.Refuse(kabar.ReasonInvalid, "format", "is %.20q, allowed is prometheus", format)
	}
}
