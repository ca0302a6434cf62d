package ui

import (
	"slices"
	"strings"
	"testing"

	"kabar/internal/ui/uitest"
)

// tag is a tag as a browser would take it.
type tag struct {
	name  string
	attrs [][2]string
}

func (t tag) attr(name string) string {
	for _, a := range t.attrs {
		if a[0] == name {
			return a[1]
		}
	}
	return ""
}

// tags reads every tag of html. A bracket that begins none is an error: text has no brackets.
func tags(t *testing.T, html string) (out []tag) {
	t.Helper()
	for {
		_, rest, found := strings.Cut(html, "<")
		if !found {
			return out
		}
		end := strings.IndexAny(rest, " \t\r\n\f>")
		if end < 1 {
			t.Fatalf("a bracket that begins no tag: %.60q", rest)
		}
		next := tag{name: strings.ToLower(rest[:end])}
		next.attrs, html = attributes(rest[end:])
		out = append(out, next)
	}
}

// attributes reads up to the bracket that closes a tag.
func attributes(s string) (out [][2]string, rest string) {
	for {
		s = strings.TrimLeft(s, " \t\r\n\f/")
		if s == "" || s[0] == '>' {
			return out, strings.TrimPrefix(s, ">")
		}
		end := strings.IndexAny(s[1:], " \t\r\n\f/>=") + 1
		a := [2]string{strings.ToLower(s[:end])}
		s = s[end:]
		if value, ok := strings.CutPrefix(s, "="); ok {
			quote := " \t\r\n\f>"
			if value != "" && (value[0] == '"' || value[0] == '\'') {
				quote, value = value[:1], value[1:]
			}
			end := strings.IndexAny(value, quote)
			a[1], s = value[:end], strings.TrimPrefix(value[end:], strings.Trim(quote, " \t\r\n\f>"))
		}
		out = append(out, a)
	}
}

// skeleton returns the tags of html with the names of their attributes, without those that drawing a text makes: links
// and marks. A choice is a link or a button, depending on its address.
func skeleton(t *testing.T, html string) (out []string) {
	t.Helper()
	inLink, inMark := false, false
	for _, tag := range tags(t, html) {
		class := tag.attr("class")
		switch {
		case tag.name == "a" && (class == "link" || strings.HasPrefix(class, "link ")):
			inLink = true
		case tag.name == "span" && strings.Trim(class, "bems ") == "" && class != "":
			inMark = true
		case tag.name == "/a" && inLink:
			inLink = false
		case tag.name == "/span" && inMark:
			inMark = false
		case class == "choice":
			out = append(out, "choice")
		case tag.name == "/a" || tag.name == "/button":
			out = append(out, "/choice")
		default:
			out = append(out, shape(tag))
		}
		checkAttributes(t, tag)
	}
	return out
}

func shape(t tag) string {
	s := t.name
	for _, a := range t.attrs {
		s += " " + a[0]
	}
	return s
}

// checkAttributes checks that nothing in a tag runs, and that what leads somewhere leads to the web or to ourselves.
func checkAttributes(t *testing.T, tag tag) {
	t.Helper()
	for _, a := range tag.attrs {
		name, value := a[0], strings.ToLower(a[1])
		if strings.HasPrefix(name, "on") || name == "style" || name == "srcdoc" {
			t.Errorf("%s has the attribute %s=%q", tag.name, name, value)
		}
		if name != "href" && name != "src" && name != "action" {
			continue
		}
		ours := strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "//") || strings.HasPrefix(value, "#")
		if !ours && !strings.HasPrefix(value, "http://") && !strings.HasPrefix(value, "https://") {
			t.Errorf("%s leads to %q", tag.name, value)
		}
	}
}

// Whatever people write, wherever it is shown, makes no tag and no attribute.
func TestHostileTexts(t *testing.T) {
	pages := newPages(t)
	draw := func(s string) map[string][]string {
		all := make(map[string][]string)
		for name, c := range contents(s) {
			all[name] = skeleton(t, fragment(t, pages, "bubble", bubble(c, s)))
		}
		for _, name := range []string{"avatar", "command"} {
			all[name] = skeleton(t, fragment(t, pages, name, s))
		}
		_, body, _ := strings.Cut(fragment(t, pages, "top", Head{Title: s, Class: s, Stream: "/" + s}), "<title>")
		all["top"] = skeleton(t, body)
		return all
	}
	plain := draw("plain")
	texts := uitest.Hostile()
	if len(texts) < 500 {
		t.Fatalf("only %d texts", len(texts))
	}
	for _, s := range texts {
		for name, got := range draw(s) {
			if !slices.Equal(got, plain[name]) {
				t.Errorf("%s with %q draws\n%q\nnot\n%q", name, s, got, plain[name])
			}
		}
		if t.Failed() {
			return
		}
	}
}

// The test above can fail.
func TestSkeletonSees(t *testing.T) {
	plain := skeleton(t, `<p class="text">plain</p>`)
	for _, html := range []string{`<p class="text"><b>x</b></p>`, `<p class="text" id=x>plain</p>`, `<p class="text"><script>x</script></p>`} {
		if slices.Equal(skeleton(t, html), plain) {
			t.Errorf("%s looks like plain text", html)
		}
	}
}
