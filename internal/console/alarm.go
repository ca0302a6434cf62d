package console

import (
	"context"
	"fmt"

	"kabar"
	"kabar/internal/auth"
)

// alarm says above every page that an endpoint takes nothing; the zero alarm says nothing.
type alarm struct{ Text, Href string }

// alarmOf is what somebody has to be told. What cannot be read is for the log: the page below may still be of use.
func (c *Console) alarmOf(ctx context.Context, who auth.Who) alarm {
	if c.hooks.Endpoints == nil || !who.May(auth.ScopeRead) {
		return alarm{}
	}
	all, err := c.groups(ctx, who)
	if err != nil {
		c.log.WarnContext(ctx, "console: endpoints that fail", "error", err)
		return alarm{}
	}
	health, err := c.hooks.Outgoing.Health(ctx)
	if err != nil {
		c.log.WarnContext(ctx, "console: endpoints that fail", "error", err)
		return alarm{}
	}
	var one alarm
	count := 0
	for _, g := range all {
		e := g.First()
		since, h := failingSince(g), health(g)
		switch {
		case e.URL == "":
			continue
		case e.State == kabar.EndpointSuspended:
			one.Text = "The endpoint " + hostOf(e.URL) + " is suspended: it is told of nothing until somebody activates it."
		case e.Active() && !since.IsZero():
			one.Text = "The endpoint " + hostOf(e.URL) + " has taken nothing since " + written(since) + "."
		case e.Active() && h.Failing: // a single customer's events so far
			one.Text = "The endpoint " + hostOf(e.URL) + " takes nothing at the moment: " + cut(h.last(), maxShownHeader) + "."
		default:
			continue
		}
		one.Href = c.endpointPath(g)
		count++
	}
	if count > 1 {
		return alarm{fmt.Sprintf("%d endpoints are suspended or take nothing.", count), "/console/endpoints"}
	}
	return one
}
