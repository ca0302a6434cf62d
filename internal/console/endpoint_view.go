package console

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kabar"
	"kabar/internal/endpoint"
)

// endpointRow is an endpoint as the list shows it, and the head of its page.
type endpointRow struct {
	Href, ID             string
	Host                 string
	Description, Account string // either may be empty
	Dialect, Numbers     string
	Filter               string
	Status               status
	Why                  string // of the state; may be empty
	Waiting, Last        string
	Parked               string // may be empty
}

// endpointRow draws an endpoint. names are the numbers that the session sees, by key.
func (c *Console) endpointRow(g endpoint.Group, health func(endpoint.Group) Health, names map[kabar.NumberID]string) endpointRow {
	e, h := g.First(), health(g)
	row := endpointRow{Href: c.endpointPath(g), ID: c.hooks.Names.PublicEndpoint(e.Group), Host: hostOf(e.URL), Description: e.Description,
		Dialect: dialectName(e.Dialect), Filter: filterText(&e.Filter), Why: e.Reason, Last: h.last()}
	if h.Parked > 0 {
		row.Parked = count(int64(h.Parked), "customer", "customers")
	}
	row.Status = c.endpointStatus(g, h)
	row.Waiting = "nothing waits"
	if h.Pending > 0 {
		row.Waiting = count(h.Pending, "event waits", "events wait")
	}
	if h.Pending > 0 && !h.Oldest.IsZero() {
		row.Waiting += ", the oldest from " + ago(c.hooks.Now(), h.Oldest)
	}
	row.Numbers = names[e.Number]
	if e.Wide && len(g) > 1 {
		row.Numbers = fmt.Sprintf("all %d numbers", len(g))
	} else if e.Wide {
		row.Numbers += " and those to come"
	}
	return row
}

// failingSince is since when an endpoint takes nothing of some number; zero: it does.
func failingSince(g endpoint.Group) time.Time {
	var since time.Time
	for _, e := range g {
		if !e.Failing.IsZero() && (since.IsZero() || e.Failing.Before(since)) {
			since = e.Failing
		}
	}
	return since
}

func (h Health) last() string {
	switch {
	case h.Error != "":
		return h.Error
	case h.Status != 0:
		return "answered " + strconv.Itoa(h.Status)
	}
	return "nothing sent since the server began"
}

func (c *Console) endpointStatus(g endpoint.Group, h Health) status {
	e := g.First()
	switch {
	case e.State == kabar.EndpointPaused, e.State == kabar.EndpointDisabled:
		return status{Unset, string(e.State) + lasted(c.hooks.Now(), e.Since)}
	case e.State == kabar.EndpointSuspended:
		return status{Bad, "suspended" + lasted(c.hooks.Now(), e.Since)}
	case e.URL == "":
		return status{Unset, "no URL yet"}
	case h.Failing, !failingSince(g).IsZero():
		return status{Bad, "failing" + lasted(c.hooks.Now(), failingSince(g))}
	}
	return status{Good, "active"}
}

// lasted says for how long a state has lasted; nothing when nobody knows.
func lasted(now, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " for " + lasting(now.Sub(t))
}

// ago says how long ago something was.
func ago(now, t time.Time) string { return lasting(now.Sub(t)) + " ago" }

// lasting writes a time for people, in the largest unit that fits.
func lasting(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "a moment"
	case d < time.Hour:
		return count(int64(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return count(int64(d/time.Hour), "hour", "hours")
	}
	return count(int64(d/(24*time.Hour)), "day", "days")
}

func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}

// hostOf is what lists show of a URL: its path may hold a secret.
func hostOf(raw string) string {
	if raw == "" {
		return "No URL"
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "A URL that cannot be read"
	}
	return u.Host
}

func dialectName(d kabar.Dialect) string {
	switch d {
	case kabar.Kabar:
		return "Kabar"
	case kabar.Cloud:
		return "Cloud API"
	case kabar.OnPrem:
		return "On-Premises API"
	}
	return string(d)
}

// filterText names what a filter lets pass.
func filterText(f *kabar.EventFilter) string {
	const shown = 4
	text := "all events"
	if n := len(f.Types); n > shown {
		text = fmt.Sprintf("%s and %d more", strings.Join(f.Types[:shown], ", "), n-shown)
	} else if n > 0 {
		text = strings.Join(f.Types, ", ")
	}
	if len(f.Kinds) > 0 {
		text += ", of " + count(int64(len(f.Kinds)), "kind of message", "kinds of messages")
	}
	if len(f.Customers) > 0 {
		text += ", of " + count(int64(len(f.Customers)), "customer", "customers")
	}
	return text
}

// fact is a line of what is configured.
type fact struct{ Name, Value string }

// facts are what is configured of an endpoint, without secrets and without the values of headers, which may be some.
func (c *Console) facts(e *kabar.Endpoint) []fact {
	all := []fact{{"URL", cmp.Or(e.URL, "none yet")}, {"Managed", originText(e.Origin)}, {"Events", filterText(&e.Filter)}, {"Secrets", c.secretsText(e)}}
	add := func(name, value string, has bool) {
		if has {
			all = append(all, fact{name, value})
		}
	}
	var names []string
	for name := range e.Headers {
		names = append(names, name)
	}
	slices.Sort(names)
	add("Own headers", strings.Join(names, ", "), len(names) > 0)
	add("Client certificate", "sent", e.Certificate != "")
	add("Trusts", "a CA of its own", e.CA != "")
	add("Timeout", e.Timeout.String(), e.Timeout != 0)
	add("Requests at a time", strconv.Itoa(e.Concurrency), e.Concurrency != 0)
	add("Events in a request", strconv.Itoa(e.Batch), e.Batch != 0)
	add("Log", "without what is sent and answered", e.Redact)
	add("Told when suspended", hostOf(e.Notify), e.Notify != "")
	add("Made", written(e.Created), true)
	return all
}

func (c *Console) secretsText(e *kabar.Endpoint) string {
	now := c.hooks.Now()
	signing := len(e.Signing(now))
	if signing == 0 {
		return "none: requests are not signed"
	}
	text := []string{count(int64(signing), "secret signs", "secrets sign")}
	for _, s := range e.Secrets {
		if !s.Until.IsZero() && s.Until.After(now) {
			text = append(text, "an old one until "+written(s.Until))
		}
	}
	return strings.Join(text, ", ")
}

func originText(o kabar.EndpointOrigin) string {
	switch o {
	case kabar.FromSettings:
		return "in the settings of the number: the URL is webhooks.url of PATCH /v1/settings/application"
	case kabar.FromSubscription:
		return "in the Cloud API: the URL is that of POST /{app}/subscriptions, or the number's override"
	case kabar.FromAPI:
	}
	return "here, and in the management API"
}
