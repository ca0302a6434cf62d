package preview

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxText is how many bytes of a title or description are looked at.
const maxText = 4 << 10

// page is what a page says of itself.
type page struct{ title, description, image string }

// read reads the head of an HTML page. It takes any bytes.
func read(b []byte) page {
	var og, own page
	in := html.NewTokenizer(bytes.NewReader(b))
	in.SetMaxBuf(maxPage)
	for {
		switch in.Next() {
		case html.ErrorToken: // the end, or too much in one piece
			return og.orElse(own)
		case html.StartTagToken, html.SelfClosingTagToken:
			switch token := in.Token(); token.DataAtom {
			case atom.Meta:
				note(token, &og, &own)
			case atom.Title:
				if own.title == "" && in.Next() == html.TextToken {
					own.title = clip(in.Token().Data)
				}
			case atom.Body:
				return og.orElse(own)
			default: // nothing that describes the page
			}
		default: // text and the like
		}
	}
}

// note takes over what a meta element says.
func note(token html.Token, og, own *page) {
	var name, content string
	for _, a := range token.Attr {
		switch a.Key {
		case "property", "name":
			name = strings.ToLower(strings.TrimSpace(a.Val))
		case "content":
			content = clip(strings.TrimSpace(a.Val))
		}
	}
	for _, m := range []struct {
		name string
		into *string
	}{
		{"og:title", &og.title}, {"og:description", &og.description}, {"og:image", &og.image}, {"og:image:url", &og.image},
		{"og:image:secure_url", &og.image}, {"twitter:title", &own.title}, {"twitter:image", &own.image}, {"description", &own.description},
	} {
		if name == m.name && *m.into == "" {
			*m.into = content
		}
	}
}

// orElse takes from other what p does not say.
func (p page) orElse(other page) page {
	for _, f := range []struct{ to, from *string }{{&p.title, &other.title}, {&p.description, &other.description}, {&p.image, &other.image}} {
		if *f.to == "" {
			*f.to = *f.from
		}
	}
	return p
}

func clip(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.ToValidUTF8(s, "")
}
