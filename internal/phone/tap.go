package phone

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"kabar"
)

// Choice says what a customer taps; one of the fields is set.
type Choice struct {
	Button string `json:"button"` // id of a reply button; payload or text of a template's quick reply
	Row    string `json:"row"`    // id of a row in a list
	URL    string `json:"url"`    // text or address of a template's link
	Call   string `json:"call"`   // accept or reject, to a business that asks whether it may call
}

// Tapped is what came of a tap: a message to the business, or a link that the handset opens.
type Tapped struct {
	ID  string `json:"id,omitempty"`
	URL string `json:"url,omitempty"`
}

// Tap answers an interactive or template message.
func (p *Phone) Tap(ctx context.Context, handle, id string, choice Choice) (out Tapped, err error) {
	err = p.onMessage(ctx, handle, id, func(t *tx, c *customer, m *message) error {
		if m.deleted || m.mine {
			return refuse(CodeConflict, "The message %s has nothing to tap on: it was deleted, or the customer wrote it. Tap on one of the business.", id)
		}
		content, link, err := choice.of(m.content, p.now())
		if err != nil || content == nil {
			out.URL = link
			return err
		}
		out.ID, err = t.write(ctx, c, m.business, Draft{Content: content, ReplyTo: id})
		return err
	})
	return out, err
}

// of finds what the choice means in a message: an answer, or a link.
func (choice Choice) of(content kabar.Content, now time.Time) (answer kabar.Content, link string, err error) {
	var known []string
	switch c := content.(type) {
	case *kabar.Interactive:
		if c.Type == kabar.InteractivePermission {
			answer, known = choice.permission(now)
		} else {
			answer, link, known = choice.inInteractive(c)
		}
	case *kabar.Template:
		if c.Rendered != nil && c.Rendered.Permission && choice.Call != "" {
			answer, known = choice.permission(now)
			break
		}
		answer, link, known = choice.inTemplate(c)
	}
	if answer == nil && link == "" {
		return nil, "", choice.unknown(known)
	}
	return answer, link, nil
}

func (choice Choice) inInteractive(c *kabar.Interactive) (answer kabar.Content, link string, known []string) {
	buttons, links := slices.Clone(c.Action.Buttons), []*kabar.Link{c.Action.Link}
	for n := range c.Action.Cards {
		buttons, links = append(buttons, c.Action.Cards[n].Buttons...), append(links, c.Action.Cards[n].Link)
	}
	for _, b := range buttons {
		known = append(known, fmt.Sprintf("button %q", b.ID))
		if matches(choice.Button, b.ID) {
			return &kabar.Reply{Type: kabar.ButtonReply, ID: b.ID, Title: b.Title}, "", nil
		}
	}
	for _, l := range links {
		if l == nil {
			continue
		}
		known = append(known, fmt.Sprintf("url %q", l.Text))
		if matches(choice.URL, l.Text, l.URL) {
			return nil, l.URL, nil
		}
	}
	for _, s := range c.Action.Sections {
		for _, r := range s.Rows {
			known = append(known, fmt.Sprintf("row %q", r.ID))
			if matches(choice.Row, r.ID) {
				return &kabar.Reply{Type: kabar.ListReply, ID: r.ID, Title: r.Title, Description: r.Description}, "", nil
			}
		}
	}
	return nil, "", known
}

// permitted is how long a business may call once a customer has allowed it.
const permitted = 7 * 24 * time.Hour

// permission answers a business that asks whether it may call.
func (choice Choice) permission(now time.Time) (answer kabar.Content, known []string) {
	c := &kabar.CallPermission{Response: choice.Call, Source: "user_action"}
	switch choice.Call {
	case kabar.CallAccepted:
		c.Expires = now.Add(permitted).Unix()
	case kabar.CallRejected:
	default:
		return nil, []string{fmt.Sprintf("call %q", kabar.CallAccepted), fmt.Sprintf("call %q", kabar.CallRejected)}
	}
	return &kabar.Reply{Type: kabar.CallReply, Call: c}, nil
}

func (choice Choice) inTemplate(c *kabar.Template) (answer kabar.Content, link string, known []string) {
	if c.Rendered == nil {
		return nil, "", nil
	}
	buttons := slices.Clone(c.Rendered.Buttons)
	for _, card := range c.Rendered.Cards {
		buttons = append(buttons, card.Buttons...)
	}
	for _, b := range buttons {
		switch b.Type {
		case kabar.ButtonQuickReply:
			known = append(known, fmt.Sprintf("button %q", b.Payload))
			if matches(choice.Button, b.Payload, b.Text) {
				return &kabar.Button{Text: b.Text, Payload: b.Payload}, "", nil
			}
		case kabar.ButtonURL:
			known = append(known, fmt.Sprintf("url %q", b.Text))
			if matches(choice.URL, b.Text, b.URL) {
				return nil, b.URL, nil
			}
		default: // a telephone number calls; it answers nothing
		}
	}
	return nil, "", known
}

// matches says whether want names something that has these names.
func matches(want string, names ...string) bool { return want != "" && slices.Contains(names, want) }

func (choice Choice) unknown(known []string) error {
	if len(known) == 0 {
		return refuse(CodeConflict, "The message has nothing to tap on. Tap on an interactive message or a template with buttons.")
	}
	return refuse(CodeNotFound, "The message has no such choice. It has %s.", strings.Join(known, ", "))
}
