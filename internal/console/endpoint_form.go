package console

import (
	"net/http"
	"slices"
	"strings"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/endpoint"
	"kabar/internal/store"
)

// endpointForm is what is filled in to add an endpoint, or to change one.
type endpointForm struct {
	Action      string
	New         bool
	Here        bool   // the URL is managed here
	Elsewhere   string // otherwise, where
	URL         string
	Description string
	Dialect     string
	Dialects    []option
	Number      string // empty: all
	Numbers     []option
	Token       string // of the challenge of the Cloud API
	Events      []tick
	Fault       string
}

// tick is an entry of which several can be chosen.
type tick struct {
	Value  string
	Chosen bool
}

// endpointForm returns the form of an endpoint; nil: of a new one.
func (c *Console) endpointForm(r *http.Request, g endpoint.Group) (*endpointForm, error) {
	if g != nil {
		e := g.First()
		f := &endpointForm{Action: c.endpointPath(g), Here: e.Origin == kabar.FromAPI, Elsewhere: originText(e.Origin), URL: e.URL, Description: e.Description}
		f.Events = ticks(e.Filter.Types)
		return f, nil
	}
	f := &endpointForm{Action: "/console/endpoints", New: true, Here: true, Dialect: string(kabar.Kabar), Events: ticks(nil)}
	for _, d := range []kabar.Dialect{kabar.Kabar, kabar.Cloud, kabar.OnPrem} {
		f.Dialects = append(f.Dialects, option{string(d), dialectName(d)})
	}
	who := auth.From(r)
	accounts, err := c.accountsOf(r.Context(), who)
	if err != nil {
		return nil, err
	}
	numbers, err := c.numbersOf(r.Context(), who)
	if err != nil {
		return nil, err
	}
	for _, a := range accounts {
		of := ""
		if len(accounts) > 1 {
			of = " of " + a.Name
		}
		if who.Number == 0 && slices.ContainsFunc(numbers, func(n *kabar.Number) bool { return n.Account == a.ID }) {
			f.Numbers = append(f.Numbers, option{"a" + idOf(int64(a.ID)), "All numbers" + of + ", and those to come"})
		}
		for _, n := range numbers {
			if n.Account == a.ID {
				f.Numbers = append(f.Numbers, option{"n" + idOf(int64(n.ID)), "+" + n.Digits})
			}
		}
	}
	return f, nil
}

// ticks are the types of events, and patterns for several of them, with those that are chosen.
func ticks(chosen []string) []tick {
	var all []string
	for _, t := range kabar.EventTypes() {
		stem, _, _ := strings.Cut(string(t), ".")
		if pattern := stem + ".*"; !slices.Contains(all, pattern) {
			all = append(all, pattern)
		}
		all = append(all, string(t))
	}
	for _, t := range chosen {
		if !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	out := make([]tick, len(all))
	for i, t := range all {
		out[i] = tick{t, slices.Contains(chosen, t)}
	}
	return out
}

// fill takes over what was sent, so that nobody has to write it twice.
func (f *endpointForm) fill(r *http.Request) {
	f.URL, f.Description, f.Token = r.PostForm.Get("url"), r.PostForm.Get("description"), r.PostForm.Get("token")
	f.Dialect, f.Number = r.PostForm.Get("dialect"), r.PostForm.Get("number")
	f.Events = ticks(r.PostForm["events"])
}

// wanted is what a form asks for. The number is one that the form has offered.
func (c *Console) wanted(r *http.Request, f *endpointForm) (w endpoint.Wanted, err error) {
	w = endpoint.Wanted{Dialect: kabar.Dialect(f.Dialect), EndpointConfig: kabar.EndpointConfig{URL: strings.TrimSpace(f.URL), Description: f.Description, Token: f.Token,
		Filter: kabar.EventFilter{Types: r.PostForm["events"]}}}
	if !slices.ContainsFunc(f.Numbers, func(o option) bool { return o.Value == f.Number }) {
		return w, kabar.Refuse(kabar.ReasonInvalid, "number", "choose one of those that the list has")
	}
	accounts, err := c.own(r)
	if err != nil {
		return w, err
	}
	for _, a := range accounts {
		if f.Number == "a"+idOf(int64(a.ID)) {
			w.Account = a.ID
		}
	}
	numbers, err := c.numbersOf(r.Context(), auth.From(r))
	for _, n := range numbers {
		if f.Number == "n"+idOf(int64(n.ID)) {
			w.Account, w.Number = n.Account, n.ID
		}
	}
	return w, err
}

// formView is a page with nothing but the form.
type formView struct {
	frame
	Title string
	Back  string
	Form  *endpointForm
	Curl  string
}

func (c *Console) newEndpointPage(w http.ResponseWriter, r *http.Request) {
	f, err := c.endpointForm(r, nil)
	if err == nil && len(f.Numbers) == 0 {
		err = kabar.Refuse(kabar.ReasonNotFound, "number", "there is no number yet")
	}
	c.showForm(w, r, http.StatusOK, f, err)
}

func (c *Console) showForm(w http.ResponseWriter, r *http.Request, code int, f *endpointForm, err error) {
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	title := "Change the endpoint"
	if f.New {
		title = "New endpoint"
	}
	c.write(w, code, "endpoint-form-page", &formView{c.frameOf(r.Context(), auth.From(r), "/console/endpoints", title+" · Kabar", ""), title, f.Action, f, curlToAdd(r)})
}

// fault shows a form again, with what is wrong with it. What no other entry would put right is answered as ever.
func (c *Console) fault(w http.ResponseWriter, r *http.Request, f *endpointForm, err error) {
	code, m := judge(err)
	if code != http.StatusBadRequest {
		c.refuse(w, r, err)
		return
	}
	f.Fault = m.Text
	c.showForm(w, r, code, f, nil)
}

// addEndpoint makes an endpoint and leads to its secret.
func (c *Console) addEndpoint(w http.ResponseWriter, r *http.Request) {
	err := readForm(w, r)
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	f, err := c.endpointForm(r, nil)
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	f.fill(r)
	wanted, err := c.wanted(r, f)
	if err != nil {
		c.fault(w, r, f, err)
		return
	}
	g, err := c.hooks.Endpoints.Add(r.Context(), wanted)
	if err != nil {
		c.fault(w, r, f, err)
		return
	}
	store.Note(r.Context(), func(e *store.Audit) {
		e.Account, e.Subject = wanted.Account, "endpoint/"+c.hooks.Names.PublicEndpoint(g.First().Group)
	})
	c.showOnce(w, g, g.First().Secrets[0].Value, true)
}

// changeEndpoint changes what the form has of an endpoint; the rest of its configuration stays.
func (c *Console) changeEndpoint(w http.ResponseWriter, r *http.Request) {
	g, ok := c.posted(w, r)
	if !ok {
		return
	}
	f, err := c.endpointForm(r, g)
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	f.fill(r)
	_, err = c.hooks.Endpoints.Change(r.Context(), g.First().Group, func(e *kabar.EndpointConfig) error {
		if f.Here {
			e.URL = strings.TrimSpace(f.URL)
		}
		e.Description, e.Filter.Types = f.Description, r.PostForm["events"]
		return nil
	})
	if err != nil {
		c.fault(w, r, f, err)
		return
	}
	c.done(w, g, "changed")
}
