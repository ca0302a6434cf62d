package kabar

import (
	"encoding/json"
	"fmt"
)

// Kind names a kind of content. The values are stable: they are stored, and they travel inside the encryption.
type Kind string

// Content is what a message says. Each kind is one type in a file of its own, content_<kind>.go. Contents are neutral:
// they hold keys, not the ids of an API, and both dialects translate to and from them.
type Content interface {
	Kind() Kind
	// Validate checks the limits of an outbound message (contract On-Premises API, section 1.5). It returns nil or an
	// *Error that names the field as the sender of the request knows it. Inbound content is not validated against these
	// limits: what a customer could send, a business can receive.
	Validate() error
}

// contents makes an empty content of each kind; a new kind is one line here and one file.
var contents = map[Kind]func() Content{
	KindText:        func() Content { return new(Text) },
	KindImage:       func() Content { return &Media{kind: KindImage} },
	KindAudio:       func() Content { return &Media{kind: KindAudio} },
	KindVideo:       func() Content { return &Media{kind: KindVideo} },
	KindDocument:    func() Content { return &Media{kind: KindDocument} },
	KindSticker:     func() Content { return &Media{kind: KindSticker} },
	KindLocation:    func() Content { return new(Location) },
	KindContacts:    func() Content { return new(Contacts) },
	KindReaction:    func() Content { return new(Reaction) },
	KindInteractive: func() Content { return new(Interactive) },
	KindTemplate:    func() Content { return new(Template) },
	KindReply:       func() Content { return new(Reply) },
	KindButton:      func() Content { return new(Button) },
	KindOrder:       func() Content { return new(Order) },
	KindUnsupported: func() Content { return new(Unsupported) },
}

// EncodeContent returns the stored form of c: one JSON object.
func EncodeContent(c Content) ([]byte, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode %s content: %w", c.Kind(), err)
	}
	return b, nil
}

// DecodeContent reads what EncodeContent wrote.
func DecodeContent(kind Kind, b []byte) (Content, error) {
	make, ok := contents[kind]
	if !ok {
		return nil, fmt.Errorf("decode content: unknown kind %q", kind)
	}
	c := make()
	if err := json.Unmarshal(b, c); err != nil {
		return nil, fmt.Errorf("decode %s content: %w", kind, err)
	}
	return c, nil
}

// AllMedia returns every medium of a content that travels with it: its own, if it has one, and those on its cards behind it.
func AllMedia(c Content) (all []*Media) {
	if m := MediumOf(c); m != nil {
		all = append(all, m)
	}
	return append(all, CardMedia(c)...)
}

// StoredMedia returns the ids of the media of a message that are stored: those of its content, and of the ad that it came by.
func (m *Message) StoredMedia() (ids []MediaID) {
	for _, of := range AllMedia(m.Content) {
		if of.ID != 0 {
			ids = append(ids, of.ID)
		}
	}
	if r := m.Context.Referral; r != nil && r.Medium != 0 {
		ids = append(ids, r.Medium)
	}
	return ids
}

// CardMedia returns the media on the cards of a content, in the order of the cards.
func CardMedia(c Content) (all []*Media) {
	add := func(h *Header) {
		if h != nil && h.Media != nil {
			all = append(all, h.Media)
		}
	}
	switch c := c.(type) {
	case *Interactive:
		for n := range c.Action.Cards {
			add(c.Action.Cards[n].Header)
		}
	case *Template:
		if c.Rendered != nil {
			for n := range c.Rendered.Cards {
				add(c.Rendered.Cards[n].Header)
			}
		}
	}
	return all
}

// MediumOf returns the medium of a content: the content itself, or what stands in its header; nil if it has none.
func MediumOf(c Content) *Media {
	switch c := c.(type) {
	case *Media:
		return c
	case *Interactive:
		if c.Header != nil {
			return c.Header.Media
		}
	case *Template:
		if c.Rendered != nil && c.Rendered.Header != nil {
			return c.Rendered.Header.Media
		}
	}
	return nil
}
