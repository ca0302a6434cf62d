package kabar

import (
	"net/url"
	"strings"
	"unicode"
)

// Limits of a link preview; what is longer is cut, and a larger picture is left out.
const (
	MaxPreviewTitle       = 200      // characters
	MaxPreviewDescription = 300      // characters
	MaxPreviewImage       = 48 << 10 // bytes
)

// Preview is what a text's first link leads to, as its page says. It is fetched by the business's server and travels with
// the text, so that the customer's app asks nobody.
type Preview struct {
	URL         string `json:"url"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Image       []byte `json:"image,omitzero"` // a small JPEG
}

// Bounded returns the preview within its limits; nil when it leads nowhere or says nothing. Who receives one has it
// bounded before it is kept.
func (p *Preview) Bounded() *Preview {
	if p == nil || CheckURL("", p.URL) != nil || len(p.URL) > 2048 {
		return nil
	}
	out := &Preview{URL: p.URL, Title: cutTo(p.Title, MaxPreviewTitle), Description: cutTo(p.Description, MaxPreviewDescription)}
	if n := len(p.Image); n <= MaxPreviewImage {
		out.Image = p.Image
	}
	if out.Title == "" && out.Description == "" && len(out.Image) == 0 {
		return nil
	}
	return out
}

// cutTo makes one line of s, without characters that cannot be seen, of at most n characters.
func cutTo(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || unicode.In(r, unicode.Cc, unicode.Cf) && !unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
	runes := []rune(strings.Join(strings.Fields(s), " "))
	if len(runes) > n {
		runes = append(runes[:n-1], '…')
	}
	return string(runes)
}

// FirstLink returns the first link in a text that can be previewed: http:// or https://, with a host name; "" for none. What
// ends a sentence is not part of it.
func FirstLink(text string) string {
	for word := range strings.FieldsSeq(text) {
		at := strings.Index(word, "http://")
		if other := strings.Index(word, "https://"); at < 0 || other >= 0 && other < at {
			at = other
		}
		if at < 0 {
			continue
		}
		link := strings.TrimRight(word[at:], `.,;:!?'"»”’>`)
		for strings.HasSuffix(link, ")") && !strings.Contains(link, "(") {
			link = strings.TrimRight(strings.TrimSuffix(link, ")"), `.,;:!?'"»”’>`)
		}
		if u, err := url.Parse(link); err == nil && u.Hostname() != "" && u.User == nil && CheckURL("", link) == nil {
			return link
		}
	}
	return ""
}
