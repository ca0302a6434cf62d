package console

import (
	"context"
	"net/http"

	"kabar"
	"kabar/internal/auth"
)

// endpointsView is the list of endpoints.
type endpointsView struct {
	frame
	Rows    []endpointRow
	MayAdd  bool
	Numbers bool // there is one whose events could be told
	Form    *endpointForm
	Told    string // what was done
	Curl    string
}

// endpoints reads the list.
func (c *Console) endpoints(r *http.Request) (*endpointsView, error) {
	who := auth.From(r)
	v := &endpointsView{frame: c.frameOf(r.Context(), who, "/console/endpoints", "Webhooks · Kabar", "/console/endpoints/stream"), Told: told(r), Curl: curlToAdd(r)}
	groups, err := c.groups(r.Context(), who)
	if err != nil {
		return nil, err
	}
	names, accounts, err := c.titles(r.Context(), who)
	if err != nil {
		return nil, err
	}
	health, err := c.hooks.Outgoing.Health(r.Context())
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if unmade(g.First()) {
			continue
		}
		row := c.endpointRow(g, health, names)
		if len(accounts) > 1 {
			row.Account = accounts[g.First().Account]
		}
		v.Rows = append(v.Rows, row)
	}
	v.Numbers = len(names) > 0
	v.MayAdd = who.May(auth.ScopeWebhooks) && v.Numbers
	if v.MayAdd && len(v.Rows) == 0 {
		v.Form, err = c.endpointForm(r, nil)
	}
	return v, err
}

// unmade reports whether an endpoint is that of a number whose settings name no URL yet: nobody has made it.
func unmade(e *kabar.Endpoint) bool { return e.URL == "" && e.Origin != kabar.FromAPI }

// titles are what numbers and accounts are called, of those that somebody may see.
func (c *Console) titles(ctx context.Context, who auth.Who) (map[kabar.NumberID]string, map[kabar.AccountID]string, error) {
	all, err := c.numbersOf(ctx, who)
	if err != nil {
		return nil, nil, err
	}
	numbers := map[kabar.NumberID]string{}
	for _, n := range all {
		numbers[n.ID] = "+" + n.Digits
	}
	own, err := c.accountsOf(ctx, who)
	accounts := map[kabar.AccountID]string{}
	for _, a := range own {
		accounts[a.ID] = a.Name
	}
	return numbers, accounts, err
}

func (c *Console) endpointsPage(w http.ResponseWriter, r *http.Request) {
	v, err := c.endpoints(r)
	c.page(w, r, "endpoints", v, err)
}

func (c *Console) endpointsStream(w http.ResponseWriter, r *http.Request) {
	c.follow(w, r, func() ([]byte, error) {
		v, err := c.endpoints(r)
		if err != nil {
			return nil, err
		}
		return c.pages.Fragment("endpoint-rows", v)
	})
}

// base is the address under which the browser has reached the server.
func base(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func curlToAdd(r *http.Request) string {
	return "curl -sS " + base(r) + `/kabar/v1/endpoints \
  -H "Authorization: Bearer $KEY" \
  -H 'Content-Type: application/json' \
  -d '{"url": "https://app.example/hook",
       "dialect": "kabar"}'`
}

// told is what a page says of what was done, by the word in its address: nothing else gets onto it from there.
func told(r *http.Request) string {
	return map[string]string{
		"active":    "The endpoint is active. What waits is sent now.",
		"paused":    "The endpoint is paused. Its events wait.",
		"disabled":  "The endpoint is disabled. What happens meanwhile is not told later.",
		"changed":   "The endpoint is changed.",
		"removed":   "The endpoint is removed.",
		"retried":   "What has failed is tried again now.",
		"replayed":  "The replay has begun.",
		"told":      "A replay tells this already, or has just told it: ask again in ten seconds to have it told once more.",
		"nothing":   "There is nothing to replay: no event is from that time.",
		"replaying": "The replay is changed.",
	}[r.URL.Query().Get("told")]
}
