package payload

import (
	"encoding/json"
	"fmt"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"kabar"
)

// kinds are those of version 1.
var kinds = map[kabar.Kind]bool{
	kabar.KindText: true, kabar.KindImage: true, kabar.KindAudio: true, kabar.KindVideo: true, kabar.KindDocument: true,
	kabar.KindLocation: true, kabar.KindReaction: true, kabar.KindInteractive: true, kabar.KindTemplate: true,
	kabar.KindReply: true, kabar.KindButton: true, kabar.KindUnsupported: true,
	kabar.KindSticker: true, kabar.KindContacts: true, kabar.KindOrder: true,
}

// unsupported makes a message of a kind that this side does not know one that it can show.
func (m *Message) unsupported() error {
	content, err := kabar.EncodeContent(&kabar.Unsupported{Detail: fmt.Sprintf("a message of the kind %.40q, which this version does not know", m.Kind)})
	m.Kind, m.Content, m.Medium, m.Cards = kabar.KindUnsupported, content, nil, nil
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
	for _, m := range kabar.AllMedia(c) {
		m.ID, m.Link, m.Provider = 0, "", ""
	}
	switch c := c.(type) {
	case *kabar.Reaction:
		c.Target, c.Unknown = 0, ""
	case *kabar.Template:
		c.ID, c.Components, c.Namespace, c.Category = 0, nil, "", ""
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
	case *kabar.Text:
		c.Preview = nil // a customer's link is not to be shown as the customer likes
	case *kabar.Unsupported:
		c.Detail = clip(c.Detail, maxDetail)
	case *kabar.Order:
		if !isOrder(c) {
			return &kabar.Unsupported{Detail: "an order without products, or of no quantity"}, nil
		}
	case *kabar.Reply:
		switch {
		case c.Type == kabar.FormReply && !isFilled(c.Form):
			return &kabar.Unsupported{Detail: "a form that was not filled in"}, nil
		case c.Type == kabar.CallReply && (c.Call == nil || c.Call.Response != kabar.CallAccepted && c.Call.Response != kabar.CallRejected):
			return &kabar.Unsupported{Detail: "no answer to the question whether the business may call"}, nil
		}
	case *kabar.Media:
		if m.Medium == nil {
			return &kabar.Unsupported{Detail: "a medium without its bytes"}, nil
		}
		c.MIME, c.SHA256, c.Size = mimeType(m.Medium.MIME), m.Medium.SHA256, m.Medium.Size
		c.Filename = clip(c.Filename[strings.LastIndexAny(c.Filename, `/\`)+1:], maxFilename)
	}
	return c, nil
}

// isOrder reports whether an order can be read as one: a business counts and adds up what it says.
func isOrder(o *kabar.Order) bool {
	bad := func(i kabar.OrderItem) bool { return i.Quantity < 1 || i.Price < 0 }
	return len(o.Items) > 0 && !slices.ContainsFunc(o.Items, bad)
}

// isFilled reports whether a form holds answers: a JSON object.
func isFilled(f *kabar.Form) bool {
	var answers map[string]any
	return f != nil && json.Unmarshal([]byte(f.Response), &answers) == nil && answers != nil
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

// Referral returns the referral of a customer's message for the business, without keys from outside; nil for none. Its
// picture is described by what opens it.
func Referral(m *Message) *kabar.Referral {
	if m.Referral == nil {
		return nil
	}
	r := *m.Referral
	r.Medium = 0
	if m.Picture == nil || r.Kind != kabar.KindImage && r.Kind != kabar.KindVideo {
		r.Kind = ""
	}
	return &r
}

// Type returns the medium's media type in a form that can stand in a header.
func (m *Medium) Type() string { return mimeType(m.MIME) }
