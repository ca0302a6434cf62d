package graph

import (
	"strings"

	"kabar"
)

// Field is a field that somebody asks for: name, modifiers such as .limit(5), and the fields of what it leads to.
type Field struct {
	Name   string
	Args   map[string]string
	Fields []Field // nil: the defaults
}

// Limits of a list of fields.
const (
	maxFields = 100
	maxDeep   = 4
)

// ParseFields reads the parameter fields: name.modifier(value){sub,fields},other. An empty text is nil.
func ParseFields(text string) ([]Field, error) {
	p := &fieldParser{rest: text}
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	list, ok := p.list(0)
	if !ok || p.rest != "" {
		return nil, kabar.Refuse(kabar.ReasonInvalid, "fields", "Syntax error at %q: want field,field.limit(5),edge{field,field}", clip(p.rest))
	}
	return list, nil
}

type fieldParser struct {
	rest  string
	count int
}

// list reads fields up to the end or a closing brace.
func (p *fieldParser) list(deep int) (all []Field, ok bool) {
	for {
		f, ok := p.field(deep)
		if p.count++; !ok || p.count > maxFields {
			return nil, false
		}
		all = append(all, f)
		if !p.take(",") {
			return all, true
		}
	}
}

func (p *fieldParser) field(deep int) (f Field, ok bool) {
	if f.Name = p.name(); f.Name == "" {
		return f, false
	}
	for p.take(".") {
		name := p.name()
		if name == "" || !p.take("(") {
			return f, false
		}
		value, ok := p.argument()
		if !ok {
			return f, false
		}
		if f.Args == nil {
			f.Args = map[string]string{}
		}
		f.Args[name] = value
	}
	if p.take("{") {
		if deep == maxDeep {
			return f, false
		}
		if f.Fields, ok = p.list(deep + 1); !ok || !p.take("}") {
			return f, false
		}
	}
	return f, true
}

// argument reads up to the parenthesis that closes; those within are pairs.
func (p *fieldParser) argument() (string, bool) {
	open := 1
	for i, c := range p.rest {
		switch c {
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				value := p.rest[:i]
				p.rest = p.rest[i+1:]
				return strings.TrimSpace(value), true
			}
		}
	}
	return "", false
}

func (p *fieldParser) name() string {
	p.rest = strings.TrimLeft(p.rest, " \n")
	n := strings.IndexFunc(p.rest, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
	if n < 0 {
		n = len(p.rest)
	}
	name := p.rest[:n]
	p.rest = p.rest[n:]
	return name
}

func (p *fieldParser) take(s string) bool {
	p.rest = strings.TrimLeft(p.rest, " \n")
	rest, ok := strings.CutPrefix(p.rest, s)
	if ok {
		p.rest = rest
	}
	return ok
}

// clip shortens what an error repeats.
func clip(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
