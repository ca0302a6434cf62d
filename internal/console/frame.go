package console

import (
	"kabar/internal/auth"
	"kabar/internal/ui"
)

// frame is what every page has: the head of the document, and the masthead with the pages that the session may see.
type frame struct {
	Head  ui.Head
	Links []section
}

// section is a page of the masthead.
type section struct {
	Href, Name string
	Here       bool
}

// frameOf returns the frame of the page that belongs to the section at here. stream is the address of its stream, which may be
// empty.
func frameOf(who auth.Who, here, title, stream string) frame {
	f := frame{Head: ui.Head{Title: title, Class: "console", Stream: stream}}
	add := func(href, name string, may bool) {
		if may {
			f.Links = append(f.Links, section{href, name, href == here})
		}
	}
	add("/", "Overview", who.Account == 0)
	add("/console/templates", "Templates", who.May(auth.ScopeRead))
	add("/console/review", "Review", who.May(auth.ScopeReview))
	return f
}
