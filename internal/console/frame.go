package console

import (
	"context"

	"kabar/internal/auth"
	"kabar/internal/ui"
)

// frame is what every page has: the head of the document, and the masthead with the pages that the session may see.
type frame struct {
	Head  ui.Head
	Links []section
	alarm func() alarm
}

// Alarm is what has to be said on every page. It is read when a page is drawn, not when a part of it is.
func (f frame) Alarm() alarm { return f.alarm() }

// section is a page of the masthead.
type section struct {
	Href, Name string
	Here       bool
}

// frameOf returns the frame of the page that belongs to the section at here. stream is the address of its stream, which may be
// empty.
func (c *Console) frameOf(ctx context.Context, who auth.Who, here, title, stream string) frame {
	f := frame{Head: ui.Head{Title: title, Class: "console", Stream: stream}, alarm: func() alarm { return c.alarmOf(ctx, who) }}
	add := func(href, name string, may bool) {
		if may {
			f.Links = append(f.Links, section{href, name, href == here})
		}
	}
	add("/", "Overview", who.Account == 0)
	add("/console/templates", "Templates", who.May(auth.ScopeRead))
	add("/console/review", "Review", who.May(auth.ScopeReview))
	add("/console/endpoints", "Webhooks", who.May(auth.ScopeRead))
	add("/console/deliveries", "Deliveries", who.May(auth.ScopeRead))
	return f
}
