package apidoc

import (
	"fmt"
	"slices"
	"strings"
)

// schema is a JSON schema as a table.
type schema struct {
	Name string // of the object that it is; empty for none
	Rows []row
}

// row is a field, a parameter or a header.
type row struct {
	Name, Where string
	Depth       int
	Type        string
	Objects     []string // named ones that the type is, or is one of
	Need        bool
	Limits      []string
	Text        []block
}

// maxDepth bounds the rows below a row: deeper ones have names of their own.
const maxDepth = 6

const schemaPrefix = "#/components/schemas/"

// resolve follows a reference within the document.
func (d *Document) resolve(o *object) *object {
	for range maxDepth {
		ref := o.text("$ref")
		if ref == "" {
			return o
		}
		o = d.root
		for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			o = o.object(name)
		}
	}
	return o
}

// schema makes a table of a schema. One that only refers to a named object is that object, with its fields.
func (d *Document) schema(o *object) schema {
	s := schema{Name: strings.TrimPrefix(o.text("$ref"), schemaPrefix)}
	r := d.row("", d.resolve(o), 0)
	if r.Type != "object" || len(r.Limits) > 0 || len(r.Text) > 0 || len(r.Objects) > 0 {
		s.Rows = append(s.Rows, r)
	}
	s.Rows = append(s.Rows, d.fields(d.resolve(o), 0)...)
	return s
}

// row describes one schema; its fields are rows of their own.
func (d *Document) row(name string, o *object, depth int) row {
	r := row{Name: name, Depth: depth, Limits: limits(o), Text: prose(o.text("description"))}
	switch item := inner(o); {
	case item != nil:
		below := d.row("", item, depth)
		r.Type, r.Objects = word(o, "list")+" of "+below.Type, below.Objects
		if o.get("items") == nil {
			r.Type = "map of " + below.Type
		}
		if item.object("properties") == nil && item.text("$ref") == "" {
			r.Limits = append(r.Limits, prefixed("each ", below.Limits)...)
		}
	case o.text("$ref") != "":
		r.Objects = []string{strings.TrimPrefix(o.text("$ref"), schemaPrefix)}
		r.Type = ""
	default:
		r.Type = word(o, kind(o))
		r.choices(d, o)
	}
	return r
}

// choices names what a schema is made of or chosen from.
func (r *row) choices(d *Document, o *object) {
	for _, key := range []string{"oneOf", "anyOf", "allOf"} {
		var types []string
		for _, v := range o.list(key) {
			choice, _ := v.(*object)
			c := d.row("", choice, 0)
			r.Objects = append(r.Objects, c.Objects...)
			if c.Type != "" && c.Type != "object" {
				types = append(types, strings.Join(append([]string{c.Type}, c.Limits...), ", "))
			}
		}
		if len(types) > 0 && o.get("type") == nil {
			r.Type = strings.Join(types, " or ")
		}
	}
	if len(r.Objects) > 0 && r.Type == "object" {
		r.Type = map[bool]string{true: "with", false: "one of"}[o.get("allOf") != nil]
	}
}

// inner is the schema of what a list or a map holds; nil for other schemas.
func inner(o *object) *object {
	if items := o.object("items"); items != nil {
		return items
	}
	if o.object("properties") == nil {
		return o.object("additionalProperties")
	}
	return nil
}

// kind names the type of a schema, list its types, which may include null.
func kind(o *object) string {
	switch t := o.get("type").(type) {
	case string:
		return t
	case []any:
		words := make([]string, len(t))
		for i, w := range t {
			words[i] = fmt.Sprint(w)
		}
		return strings.Join(words, " or ")
	}
	if o.get("const") != nil || o.get("enum") != nil {
		return "string"
	}
	return "object"
}

// word is a type's name; one that may be null says so.
func word(o *object, name string) string {
	if list, _ := o.get("type").([]any); name == "list" && slices.Contains(list, any("null")) {
		return "list (or null)"
	}
	if name == "array" {
		return "list"
	}
	return name
}

// fields returns rows for the fields of an object, a list's or a map's entries, and all that a schema is made of.
func (d *Document) fields(o *object, depth int) (rows []row) {
	if depth > maxDepth {
		return nil
	}
	if item := inner(o); item != nil {
		return d.fields(item, depth)
	}
	for name, field := range o.object("properties").objects() {
		r := d.row(name, field, depth)
		r.Need = slices.Contains(o.list("required"), any(name))
		rows = append(rows, r)
		rows = append(rows, d.fields(field, depth+1)...)
	}
	for _, key := range []string{"allOf", "oneOf", "anyOf"} {
		for _, v := range o.list(key) {
			choice, _ := v.(*object)
			rows = append(rows, d.fields(choice, depth)...)
		}
	}
	return rows
}

// limits says what a value must be beside its type.
func limits(o *object) (list []string) {
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if v := o.get("const"); v != nil {
		add("always %v", v)
	}
	if values := o.list("enum"); values != nil {
		words := make([]string, len(values))
		for i, v := range values {
			if words[i] = fmt.Sprint(v); v == "" {
				words[i] = "empty"
			}
		}
		add("%s", strings.Join(words, ", "))
	}
	for _, span := range []struct{ least, most, unit string }{
		{"minLength", "maxLength", " characters"}, {"minItems", "maxItems", " entries"}, {"minimum", "maximum", ""},
	} {
		least, most := o.get(span.least), o.get(span.most)
		switch {
		case fmt.Sprint(most) == "0" && span.unit != "":
			add("empty")
		case least != nil && most != nil && least == most:
			add("%v%s", least, span.unit)
		case least != nil && most != nil:
			add("%v to %v%s", least, most, span.unit)
		case most != nil:
			add("up to %v%s", most, span.unit)
		case fmt.Sprint(least) == "1" && span.unit != "":
			add("not empty")
		case least != nil:
			add("%v%s or more", least, span.unit)
		}
	}
	if v := o.text("pattern"); v != "" && o.text("description") == "" {
		add("as %s", v)
	}
	if v := o.text("format"); v != "" {
		add("%s", v)
	}
	if v := o.get("default"); v != nil {
		add("default %s", pretty(v))
	}
	return list
}

func prefixed(prefix string, list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = prefix + s
	}
	return out
}
