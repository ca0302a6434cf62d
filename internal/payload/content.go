package payload

import (
	"encoding/json"
	"fmt"

	"kabar"
)

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

// Inbound returns the content of a customer's message for the business. What a customer cannot send becomes unsupported;
// keys are never taken over from outside.
func Inbound(m *Message) (kabar.Content, error) {
	switch m.Kind {
	case kabar.KindInteractive, kabar.KindTemplate, kabar.KindUnsupported:
		return &kabar.Unsupported{Detail: fmt.Sprintf("a customer cannot send %q", m.Kind)}, nil
	}
	c, err := kabar.DecodeContent(m.Kind, m.Content)
	if err != nil {
		return nil, malformed("%v", err)
	}
	forget(c)
	if md := kabar.MediumOf(c); md != nil && m.Medium == nil {
		return &kabar.Unsupported{Detail: "a medium without its bytes"}, nil
	}
	return c, nil
}
