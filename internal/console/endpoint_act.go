package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/endpoint"
	"kabar/internal/store"
)

// done leads back to an endpoint's page, which says what was done.
func (c *Console) done(w http.ResponseWriter, g endpoint.Group, what string) {
	lead(w, c.endpointPlace(g)+"?told="+what)
}

// refuseAt shows an endpoint's page with what was not done, and why.
func (c *Console) refuseAt(w http.ResponseWriter, r *http.Request, g endpoint.Group, err error) {
	code, m := judge(err)
	if code != http.StatusBadRequest {
		c.refuse(w, r, err)
		return
	}
	v, err := c.endpointView(r, g)
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	v.Fault = m.Text
	c.write(w, code, "endpoint", v)
}

// act does something with the endpoint that the path names, and leads back to its page, which says what do returns.
func (c *Console) act(w http.ResponseWriter, r *http.Request, do func(endpoint.Group) (what string, err error)) {
	g, ok := c.posted(w, r)
	if !ok {
		return
	}
	what, err := do(g)
	if err != nil {
		c.refuseAt(w, r, g, err)
		return
	}
	c.done(w, g, what)
}

func (c *Console) changeState(w http.ResponseWriter, r *http.Request) {
	c.act(w, r, func(g endpoint.Group) (string, error) {
		to := kabar.EndpointState(r.PostForm.Get("state"))
		if !slices.Contains([]kabar.EndpointState{kabar.EndpointActive, kabar.EndpointPaused, kabar.EndpointDisabled}, to) {
			return "", kabar.Refuse(kabar.ReasonInvalid, "state", "may be active, paused or disabled")
		}
		_, err := c.hooks.Endpoints.Change(r.Context(), g.First().Group, func(e *kabar.EndpointConfig) error {
			e.Become(to, "", c.hooks.Now())
			return nil
		})
		return string(to), err
	})
}

func (c *Console) retryFailed(w http.ResponseWriter, r *http.Request) {
	c.act(w, r, func(g endpoint.Group) (string, error) {
		_, err := c.hooks.Endpoints.RetryFailed(r.Context(), g.First().Group)
		return "retried", err
	})
}

func (c *Console) replaySince(w http.ResponseWriter, r *http.Request) {
	c.act(w, r, func(g endpoint.Group) (string, error) {
		var span endpoint.Range
		var err error
		if span.Since, err = moment(r.PostForm, "since"); err != nil {
			return "", err
		}
		if span.Until, err = moment(r.PostForm, "until"); err != nil {
			return "", err
		}
		if span.Since.IsZero() {
			return "", kabar.Refuse(kabar.ReasonMissing, "since", "say from when on events are to be told once more")
		}
		all, fresh, err := c.hooks.Endpoints.Replay(r.Context(), g.First().Group, span)
		switch {
		case err != nil:
			return "", err
		case len(all) == 0:
			return "nothing", nil
		case !fresh:
			return "told", nil
		}
		return "replayed", nil
	})
}

func (c *Console) changeReplay(w http.ResponseWriter, r *http.Request) {
	c.act(w, r, func(g endpoint.Group) (string, error) {
		all, err := c.hooks.Endpoints.Replays(r.Context(), g)
		if err != nil {
			return "", err
		}
		id := c.hooks.Names.ParseReplay(r.PathValue("replay"))
		i := slices.IndexFunc(all, func(p *store.Replay) bool { return int64(p.ID) == id })
		if i < 0 {
			return "", kabar.Refuse(kabar.ReasonNotFound, "replay", "the endpoint has no such replay")
		}
		_, err = c.hooks.Endpoints.ChangeReplay(r.Context(), all[i], store.ReplayState(r.PostForm.Get("state")))
		return "replaying", err
	})
}

func (c *Console) removeEndpoint(w http.ResponseWriter, r *http.Request) {
	g, ok := c.posted(w, r)
	if !ok {
		return
	}
	if err := c.hooks.Endpoints.Remove(r.Context(), g.First().Group); err != nil {
		c.refuseAt(w, r, g, err)
		return
	}
	lead(w, "endpoints?told=removed")
}

// moment reads a time of a form, as browsers write it: in UTC, to the minute. None is the zero time.
func moment(form url.Values, field string) (time.Time, error) {
	text := strings.TrimSpace(form.Get(field))
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{momentLayout, "2006-01-02T15:04:05", time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, kabar.Refuse(kabar.ReasonInvalid, field, "is no time; write it as 2026-11-30T18:00, in UTC")
}

const momentLayout = "2006-01-02T15:04"

// trialView is what came of a test event.
type trialView struct {
	frame
	Href, Host string
	Attempt    exchange
}

// test sends an endpoint an event that nobody has caused, and shows what came of it.
func (c *Console) test(w http.ResponseWriter, r *http.Request) {
	g, ok := c.posted(w, r)
	if !ok {
		return
	}
	e := g.First()
	t, err := c.hooks.Outgoing.Try(r.Context(), e)
	if err != nil {
		c.refuseAt(w, r, g, err)
		return
	}
	x := exchange{Title: "Test event", At: written(c.hooks.Now()), Took: t.Took.Milliseconds(), Host: hostOf(e.URL), Request: pretty(string(t.Body)), Fault: t.Error, Open: true,
		Headers: []fact{{"webhook-id", t.ID}, {"kabar-test", "true"}}, Status: t.Status, Body: bounded(strings.ToValidUTF8(string(t.Answer), "\uFFFD"))}
	c.write(w, http.StatusOK, "trial", &trialView{c.frameOf(r.Context(), auth.From(r), "/console/endpoints", "Test event · Kabar", ""), c.endpointPath(g), x.Host, x})
}

// hoursOf reads a number of hours.
func hoursOf(text string) (time.Duration, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, kabar.Refuse(kabar.ReasonInvalid, "overlap_hours", "is no number of hours")
	}
	return time.Duration(n) * time.Hour, nil
}
