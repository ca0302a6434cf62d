package payload

import (
	"encoding/json"
	"fmt"
	"mime"
	"strings"
	"unicode/utf8"

	"kabar"
)

// kinds are those of version 1.
var kinds = map[kabar.Kind]bool{
	kabar.KindText: true, kabar.KindImage: true, kabar.KindAudio: true, kabar.KindVideo: true, kabar.KindDocument: true,
	kabar.KindLocation: true, kabar.KindReaction: true, kabar.KindInteractive: true, kabar.KindTemplate: true,
	kabar.KindReply: true, kabar.KindButton: true, kabar.KindUnsupported: true,
}

// unsupported makes a message of a kind that this side does not know one that it can show.
func (m *Message) unsupported() error {
	content, err := kabar.EncodeContent(&kabar.Unsupported{Detail: fmt.Sprintf("a message of the kind %.40q, which this version does not know", m.Kind)})
	m.Kind, m.Content, m.Medium = kabar.KindUnsupported, content, nil
	return err
}

// Strip returns the form in which a content travels: without the keys, links and credentials of the sender's own store.
func Strip(c kabar.Content) (json.RawMessage, error) {
	b, err := kabar.EncodeContent(c)
	if err != nil {
		return nil, err
	}
	c, err = kabar.DecodeContent(c.Kind(), b) // a copy to change
	if err != nil {
		return nil, err
	}
	forget(c)
	return kabar.EncodeContent(c)
}

// forget removes what means something in one store only.
func forget(c kabar.Content) {
	if m := kabar.MediumOf(c); m != nil {
		m.ID, m.Link, m.Provider = 0, "", ""
	}
	switch c := c.(type) {
	case *kabar.Reaction:
		c.Target, c.Unknown = 0, ""
	case *kabar.Template:
		c.Components, c.Namespace, c.Category = nil, "", ""
	}
}

// Limits on what a customer's message tells about a file, in bytes.
const (
	maxFilename = 255
	maxMIME     = 100
	maxDetail   = 200
)

// Inbound returns the content of a customer's message for the business. What a customer cannot send becomes unsupported;
// keys are never taken over from outside; a medium is described by what opens it, and its file has a name without folders.
func Inbound(m *Message) (kabar.Content, error) {
	if m.Kind == kabar.KindInteractive || m.Kind == kabar.KindTemplate {
		return &kabar.Unsupported{Detail: fmt.Sprintf("a customer cannot send %q", m.Kind)}, nil
	}
	c, err := kabar.DecodeContent(m.Kind, m.Content)
	if err != nil {
		return nil, malformed("%v", err)
	}
	forget(c)
	switch c := c.(type) {
	case *kabar.Unsupported:
		c.Detail = clip(c.Detail, maxDetail)
	case *kabar.Media:
		if m.Medium == nil {
			return &kabar.Unsupported{Detail: "a medium without its bytes"}, nil
		}
		c.MIME, c.SHA256, c.Size = mimeType(m.Medium.MIME), m.Medium.SHA256, m.Medium.Size
		c.Filename = clip(c.Filename[strings.LastIndexAny(c.Filename, `/\`)+1:], maxFilename)
	}
	return c, nil
}

// mimeType returns a media type that can stand in a header.
func mimeType(s string) string {
	if _, _, err := mime.ParseMediaType(s); err != nil || len(s) > maxMIME || !strings.Contains(s, "/") {
		return "application/octet-stream"
	}
	return s
}

// clip cuts a string to at most n bytes, not inside a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
