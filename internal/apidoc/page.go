package apidoc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"kabar/internal/ui"
)

// page is the document as the template draws it.
type page struct {
	Head           ui.Head
	Title, Version string
	JSON           string // address of the document
	Text           []block
	Schemes        []scheme
	Sections       []section
	Webhooks       []operation
	Objects        []named
}

// scheme is a way to say who calls.
type scheme struct {
	Name string
	Text []block
}

// section is what one tag holds.
type section struct {
	ID, Name   string
	Text       []block
	Operations []operation
}

// operation is a call, or a webhook.
type operation struct {
	ID, Method, Path, Summary, Access string
	Deprecated                        bool
	Text                              []block
	Parameters                        []row
	Request                           *part
	Answers                           []part
}

// part is a request or an answer.
type part struct {
	Status, Anchor string
	Text           []block
	Headers        []row
	Bodies         []body
}

// body is what a request or an answer holds, as one media type.
type body struct {
	Type     string
	Schema   schema
	Examples []example
}

type example struct{ Name, Text string }

// named is a schema that others refer to.
type named struct {
	ID, Name string
	Schema   schema
	Examples []example
}

// page draws the page. The address is that of the document as JSON.
func (d *Document) page(assets *ui.Assets, address string) ([]byte, error) {
	pages, err := ui.NewPages(assets, templates, "html/*.html")
	if err != nil {
		return nil, err
	}
	return pages.Fragment("api", d.view(address))
}

// view gathers what the page shows.
func (d *Document) view(address string) *page {
	info := d.root.object("info")
	p := &page{Title: info.text("title"), Version: info.text("version"), JSON: address, Text: prose(info.text("description"))}
	p.Head = ui.Head{Title: p.Title, Class: "api"}
	for name, o := range d.root.object("components").object("securitySchemes").objects() {
		p.Schemes = append(p.Schemes, scheme{name, prose(o.text("description"))})
	}
	for _, t := range d.root.list("tags") {
		tag, _ := t.(*object)
		p.Sections = append(p.Sections, section{ID: "section-" + slug(tag.text("name")), Name: tag.text("name"), Text: prose(tag.text("description"))})
	}
	for path, item := range d.root.object("paths").objects() {
		for method, op := range item.objects() {
			if !slices.Contains(methods, method) {
				continue
			}
			v := d.operation(op)
			v.Method, v.Path = strings.ToUpper(method), path
			v.ID = slug(method + path)
			v.Parameters = append(d.parameters(item), v.Parameters...)
			for _, tag := range op.list("tags") {
				if i := slices.IndexFunc(p.Sections, func(s section) bool { return s.Name == tag }); i >= 0 {
					p.Sections[i].Operations = append(p.Sections[i].Operations, v)
				}
			}
		}
	}
	for name, item := range d.root.object("webhooks").objects() {
		v := d.operation(item.object("post"))
		v.Method, v.Path, v.ID, v.Access = "POST", name, slug("webhook-"+name), ""
		p.Webhooks = append(p.Webhooks, v)
	}
	for name, o := range d.root.object("components").object("schemas").objects() {
		p.Objects = append(p.Objects, named{ID: "object-" + name, Name: name, Schema: d.schema(o), Examples: examples(o)})
	}
	return p
}

// slug makes a name that an address can have after its #.
func slug(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, s), "-")
}

func (d *Document) operation(op *object) operation {
	v := operation{Summary: op.text("summary"), Text: prose(op.text("description")), Access: access(op), Parameters: d.parameters(op),
		Deprecated: op.get("deprecated") == true}
	if r := d.resolve(op.object("requestBody")); r != nil {
		v.Request = &part{Text: prose(r.text("description")), Bodies: d.bodies(r)}
	}
	for status, o := range op.object("responses").objects() {
		r := d.resolve(o)
		v.Answers = append(v.Answers, part{Status: status, Text: prose(r.text("description")), Bodies: d.bodies(r), Headers: d.headers(r)})
	}
	slices.SortStableFunc(v.Answers, func(a, b part) int { return strings.Compare(a.Status, b.Status) })
	return v
}

// access says in words what an operation asks for.
func access(op *object) string {
	var ways []string
	role := ""
	for _, requirement := range op.list("security") {
		o, _ := requirement.(*object)
		for scheme, roles := range o.all() {
			ways = append(ways, scheme)
			for _, r := range roles.([]any) {
				role = fmt.Sprint(r)
			}
		}
	}
	switch {
	case len(ways) == 0:
		return "public"
	case role != "":
		return role + ": " + strings.Join(ways, " or ")
	}
	return strings.Join(ways, " or ")
}

func (d *Document) parameters(o *object) (rows []row) {
	for _, item := range o.list("parameters") {
		p, _ := item.(*object)
		p = d.resolve(p)
		r := d.row(p.text("name"), p.object("schema"), 0)
		r.Need, r.Where, r.Text = p.get("required") == true, p.text("in"), prose(p.text("description"))
		rows = append(rows, r)
	}
	return rows
}

func (d *Document) headers(answer *object) (rows []row) {
	for name, o := range answer.object("headers").objects() {
		h := d.resolve(o)
		r := d.row(name, h.object("schema"), 0)
		r.Text = prose(h.text("description"))
		rows = append(rows, r)
	}
	return rows
}

func (d *Document) bodies(o *object) (list []body) {
	for contentType, media := range o.object("content").objects() {
		list = append(list, body{Type: contentType, Schema: d.schema(media.object("schema")), Examples: examples(media)})
	}
	return list
}

// examples returns those of a media type, or of a schema.
func examples(o *object) (list []example) {
	if v := o.get("example"); v != nil {
		list = append(list, example{Text: pretty(v)})
	}
	for name, e := range o.object("examples").objects() {
		title := e.text("summary")
		if title == "" {
			title = name
		}
		list = append(list, example{Name: title, Text: pretty(e.get("value"))})
	}
	for _, v := range o.list("examples") {
		list = append(list, example{Text: pretty(v)})
	}
	return list
}

// pretty writes an example as people read it: JSON in lines, text as it is.
func pretty(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	compact, err := encode(v)
	if err != nil {
		return ""
	}
	var out bytes.Buffer
	if err := json.Indent(&out, compact, "", "  "); err != nil {
		return string(compact)
	}
	return out.String()
}
