// Package ui is what the phone page and the console share: the layout, the script, the stylesheet, the picture of a
// message ([Bubble]), and streams of server-sent events ([Stream]).
//
// Pages are html/template, rendered into memory before the first byte is sent, so that a fault never leaves half a page.
// The script knows four things: it sends forms as JSON, swaps fragments in by their id, follows a stream, and resumes
// after its last event; a page says in data attributes what it wants (static/app.js lists them). There is no inline
// script or style, nothing is fetched from elsewhere, and text of people is only ever text: templates escape it, and the
// one place that makes links out of it lets http and https through (text.go).
//
// The package knows no sessions, no routes and no data source; headers of pages are those of package web. Everything
// here is safe for concurrent use, except a Stream, which belongs to one request.
package ui

import (
	"bytes"
	"embed"
	"fmt"
	"hash/fnv"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"unicode"
)

//go:embed html
var shared embed.FS

// Head is what the layout needs to know of a page.
type Head struct {
	Title  string
	Class  string // of the body element
	Stream string // address of the page's stream; empty: none
}

// Pages is a set of templates that share layout, icons and bubble.
type Pages struct {
	set *template.Template
}

// NewPages parses the shared templates and those in own that match the pattern. A page begins with
// {{template "top" .Head}} and ends with {{template "bottom"}}.
func NewPages(assets *Assets, own fs.FS, pattern string) (*Pages, error) {
	set := template.New("").Option("missingkey=error").Funcs(template.FuncMap{
		"asset": assets.Path, "bytes": Bytes, "initials": Initials, "hue": Hue,
		"faces": func() []string { return []string{"👍", "❤️", "😂", "😮", "😢", "🙏"} },
	})
	set, err := set.ParseFS(shared, "html/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse shared templates: %w", err)
	}
	if own != nil {
		if set, err = set.ParseFS(own, pattern); err != nil {
			return nil, fmt.Errorf("parse templates: %w", err)
		}
	}
	return &Pages{set}, nil
}

// Fragment renders the template called name.
func (p *Pages) Fragment(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := p.set.ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// Write renders the template called name and answers with it. When rendering fails nothing has been written.
func (p *Pages) Write(w http.ResponseWriter, status int, name string, data any) error {
	body, err := p.Fragment(name, data)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone needs no answer
	return nil
}

// Bytes writes a size for people: "512 B", "18 kB", "2.4 MB".
func Bytes(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 999_500:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// Initials returns up to two letters that stand for a name without a picture.
func Initials(name string) string {
	var out []rune
	for word := range strings.FieldsSeq(name) {
		for _, r := range word {
			if unicode.IsLetter(r) {
				out = append(out, unicode.ToUpper(r))
				break
			}
		}
		if len(out) == 2 {
			break
		}
	}
	if len(out) == 0 {
		return "#"
	}
	return string(out)
}

const hues = 8 // as many as the stylesheet has

// Hue returns the class of the colour of a name: the same name always has the same.
func Hue(name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // never fails
	return fmt.Sprintf("hue%d", h.Sum32()%hues)
}
