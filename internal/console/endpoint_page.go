package console

import (
	"net/http"
	"strconv"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/endpoint"
	"kabar/internal/signature/snippets"
	"kabar/internal/store"
)

// endpointView is the page of an endpoint.
type endpointView struct {
	frame
	endpointRow
	Facts     []fact
	Told      string
	Fault     string
	MayChange bool
	Others    bool // it could be changed by somebody who may change other numbers, too
	States    []stateButton
	Removable bool
	Active    bool
	Replays   []replayView
	Form      *endpointForm
	Pair      bool // a secret signs whose public half the application has
	Headers   []fact
	Snippets  []snippets.Snippet
}

// stateButton leads into a state.
type stateButton struct {
	State, Text, About string
	Main               bool
}

// replayView is a replay as the page shows it.
type replayView struct {
	Href, Number, State, Began string
	Done, All                  int64
	Live, Paused               bool
}

// Percent is how much of it is done, for people.
func (v replayView) Percent() string {
	if v.All == 0 {
		return "100%"
	}
	return strconv.FormatInt(v.Done*100/v.All, 10) + "%"
}

// endpointView reads all there is to see of an endpoint.
func (c *Console) endpointView(r *http.Request, g endpoint.Group) (*endpointView, error) {
	who, e := auth.From(r), g.First()
	names, accounts, err := c.titles(r.Context(), who)
	if err != nil {
		return nil, err
	}
	health, err := c.hooks.Outgoing.Health(r.Context())
	if err != nil {
		return nil, err
	}
	v := &endpointView{endpointRow: c.endpointRow(g, health, names), Facts: c.facts(e), Told: told(r), MayChange: mayChange(who, g), Active: e.Active(),
		Removable: e.Origin == kabar.FromAPI, Headers: headersOf(e), Snippets: snippets.All()}
	v.frame = c.frameOf(r.Context(), who, "/console/endpoints", v.Host+" · Kabar", v.Href+"/stream")
	v.Others = who.May(auth.ScopeWebhooks) && !v.MayChange
	if len(accounts) > 1 {
		v.Account = accounts[e.Account]
	}
	for _, s := range e.Signing(c.hooks.Now()) {
		v.Pair = v.Pair || isPair(s)
	}
	if v.MayChange {
		v.States = stateButtons(e)
		if v.Form, err = c.endpointForm(r, g); err != nil {
			return nil, err
		}
	}
	replays, err := c.hooks.Endpoints.Replays(r.Context(), g)
	for i := len(replays) - 1; i >= 0 && len(v.Replays) < 20; i-- { // the newest
		v.Replays = append(v.Replays, c.replayView(v, replays[i], names))
	}
	return v, err
}

func (c *Console) replayView(v *endpointView, p *store.Replay, names map[kabar.NumberID]string) replayView {
	return replayView{Href: v.Href + "/replays/" + c.hooks.Names.PublicReplay(int64(p.ID)), Number: names[p.Number], State: string(p.State),
		Began: written(p.Created), Done: p.Mark - p.Since, All: p.Until - p.Since, Live: p.Live(), Paused: p.State == store.ReplayPaused}
}

// stateButtons are the states that an endpoint can be brought into.
func stateButtons(e *kabar.Endpoint) []stateButton {
	activate := stateButton{"active", "Activate", "what waits is sent at once", true}
	pause := stateButton{"paused", "Pause", "its events wait", false}
	disable := stateButton{"disabled", "Disable", "what happens meanwhile is not told later", false}
	switch e.State {
	case kabar.EndpointPaused, kabar.EndpointSuspended:
		return []stateButton{activate, disable}
	case kabar.EndpointDisabled:
		activate.About = "it is told of what happens from now on"
		return []stateButton{activate}
	case kabar.EndpointRemoved: // nobody sees one
		return nil
	case kabar.EndpointActive:
	}
	return []stateButton{pause, disable}
}

// headersOf are the headers by which an endpoint's requests are verified, and those of its own.
func headersOf(e *kabar.Endpoint) []fact {
	all := []fact{{"webhook-id", "the same for every attempt to tell of the same event"}, {"webhook-timestamp", "when the attempt was made, in seconds since 1970"},
		{"webhook-signature", "one signature for each secret that signs"}}
	if e.Dialect == kabar.Cloud {
		all = append(all, fact{"x-hub-signature-256", "as the Cloud API signs, with the secret of the app"})
	}
	return all
}

func (c *Console) endpointPage(w http.ResponseWriter, r *http.Request) {
	g, err := c.endpoint(r)
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	v, err := c.endpointView(r, g)
	c.page(w, r, "endpoint", v, err)
}

func (c *Console) endpointStream(w http.ResponseWriter, r *http.Request) {
	c.follow(w, r, func() ([]byte, error) {
		g, err := c.endpoint(r)
		if err != nil {
			return nil, err
		}
		v, err := c.endpointView(r, g)
		if err != nil {
			return nil, err
		}
		return c.pages.Fragment("endpoint-live", v)
	})
}
