package graph

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"

	"kabar"
)

// How many entries a page has.
const (
	defaultLimit = 25
	maxLimit     = 100
)

// paging says which part of a list is asked for.
type paging struct {
	Limit         int
	After, Before string // names of entries, as cursors decode to; at most one is set
}

// pageRequest reads limit, after and before. A limit above the largest page is that.
func pageRequest(get func(string) string) (p paging, err error) {
	p.Limit = defaultLimit
	if text := get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return p, kabar.Refuse(kabar.ReasonInvalid, "limit", "must be a whole number from 1 to %d", maxLimit)
		}
		p.Limit = min(n, maxLimit)
	}
	for _, c := range []struct {
		name string
		into *string
	}{{"after", &p.After}, {"before", &p.Before}} {
		text := get(c.name)
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			return p, kabar.Refuse(kabar.ReasonInvalid, c.name, "is no cursor")
		}
		*c.into = string(b)
	}
	if p.After != "" && p.Before != "" {
		return p, kabar.Refuse(kabar.ReasonInvalid, "before", "has no place beside after")
	}
	return p, nil
}

// paging asks for a page by the query of the request.
func (x *exchange) paging() (paging, error) { return pageRequest(x.r.URL.Query().Get) }

// listed is what a request for a list asks for: a page, and the fields of each entry.
func (x *exchange) listed() (paging, []Field, error) {
	p, err := x.paging()
	if err != nil {
		return p, nil, err
	}
	fields, err := ParseFields(x.r.URL.Query().Get("fields"))
	return p, fields, err
}

// paging asks for a page by the modifiers of a field.
func (f Field) paging() (paging, error) {
	return pageRequest(func(name string) string { return f.Args[name] })
}

// cursor is how a page names an entry.
func cursor(name string) string { return base64.RawURLEncoding.EncodeToString([]byte(name)) }

// list is a page as answers show it.
type list struct {
	Data   []any   `json:"data"`
	Paging *around `json:"paging,omitzero"`
}

type around struct {
	Cursors  *cursors `json:"cursors,omitzero"`
	Next     string   `json:"next,omitzero"`
	Previous string   `json:"previous,omitzero"`
}

type cursors struct {
	Before string `json:"before"`
	After  string `json:"after"`
}

// entry is something in a list: its name, which cursors hold and which says where it stands, and what is shown of it.
type entry struct {
	name string
	show any
}

// pageOf cuts a page out of a list that is in memory. Cursors hold names, so that a list that has changed meanwhile is gone on
// with behind the same entry; one that is gone begins the list anew. path is where the list is, for the links.
func (x *exchange) pageOf(all []entry, p paging, path string) *list {
	from, to := 0, len(all)
	for i, e := range all {
		switch e.name {
		case p.After:
			from = i + 1
		case p.Before:
			to = i
		}
	}
	if p.Before != "" {
		from = max(0, to-p.Limit)
	}
	to = min(to, from+p.Limit)
	page := &list{Data: []any{}}
	for _, e := range all[from:to] {
		page.Data = append(page.Data, e.show)
	}
	if from == to {
		return page
	}
	page.Paging = &around{Cursors: &cursors{cursor(all[from].name), cursor(all[to-1].name)}}
	if to < len(all) {
		page.Paging.Next = x.link(path, p.Limit, "after", page.Paging.Cursors.After)
	}
	if from > 0 {
		page.Paging.Previous = x.link(path, p.Limit, "before", page.Paging.Cursors.Before)
	}
	return page
}

// around is where a page that the store has cut stands: between its cursors, with more behind it, or in front when it was asked for
// backward.
func (x *exchange) around(path string, p paging, c *cursors, more bool) *around {
	at := &around{Cursors: c}
	if more || p.Before != "" {
		at.Next = x.link(path, p.Limit, "after", c.After)
	}
	if p.After != "" || more && p.Before != "" {
		at.Previous = x.link(path, p.Limit, "before", c.Before)
	}
	return at
}

// link leads to another page. It keeps what the request asked for beside the page, but for its token.
func (x *exchange) link(path string, limit int, way, cursor string) string {
	q := url.Values{}
	if path == strings.TrimPrefix(x.r.URL.Path, Prefix) {
		q = x.r.URL.Query()
	}
	for _, name := range []string{"access_token", "appsecret_proof", "after", "before"} {
		q.Del(name)
	}
	q.Set("limit", strconv.Itoa(limit))
	q.Set(way, cursor)
	return x.base() + "/" + path + "?" + q.Encode()
}
