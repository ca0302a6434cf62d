package phone

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"kabar"
	"kabar/internal/payload"
)

// Choice says what a customer taps; one of the fields is set, and Card may be.
type Choice struct {
	Button string `json:"button"` // id of a reply button; payload or text of a template's quick reply, text of its other buttons
	Row    string `json:"row"`    // id of a row in a list
	URL    string `json:"url"`    // text or address of a template's link
	Call   string `json:"call"`   // accept or reject, to a business that asks whether it may call
	Card   int    `json:"card"`   // of a carousel, from 1: where the button is; 0: the first that is called so is meant
}

// Tapped is what came of a tap: a message to the business, or what the handset opens.
type Tapped struct {
	ID       string   `json:"id,omitempty"`
	URL      string   `json:"url,omitempty"`
	Products []string `json:"products,omitempty"` // of a catalog, by their retailer ids: what Phone.Order takes
	App      string   `json:"app,omitempty"`      // what a button would open that opens nothing here
}

// Tap answers an interactive or template message.
func (p *Phone) Tap(ctx context.Context, handle, id string, choice Choice) (out Tapped, err error) {
	err = p.onMessage(ctx, handle, id, func(t *tx, c *customer, m *message) error {
		if m.deleted || m.mine {
			return refuse(CodeConflict, "The message %s has nothing to tap on: it was deleted, or the customer wrote it. Tap on one of the business.", id)
		}
		content, to, err := choice.of(m.content, c, p.now())
		if err != nil {
			return err
		}
		if to != nil {
			out = to.Tapped
			return t.tellTap(c, m, to.tap)
		}
		out.ID, err = t.write(ctx, c, m.business, Draft{Content: content, ReplyTo: id})
		return err
	})
	return out, err
}

// opened is what a tap opens without a message. Nothing is fetched from where a link leads: whoever taps opens it.
type opened struct {
	Tapped
	tap *kabar.LinkTap // what the business is told; nil: it is not, for it counts only links of templates
}

// tellTap tells the business which link was opened; one that the customer has blocked hears nothing.
func (t *tx) tellTap(c *customer, m *message, tap *kabar.LinkTap) error {
	if tap == nil {
		return nil
	}
	ch, err := t.chat(c, m.business)
	if err != nil || ch.blocked {
		return err
	}
	tap.ID, tap.Message = newWire(), m.wire
	return t.post(c, ch, posting{payload: &payload.Payload{Tapped: tap}})
}

// of finds what the choice of a customer means in a message: an answer, or what it opens.
func (choice Choice) of(content kabar.Content, by *customer, now time.Time) (answer kabar.Content, to *opened, err error) {
	var known []string
	switch c := content.(type) {
	case *kabar.Interactive:
		if c.Type == kabar.InteractivePermission {
			answer, known = choice.permission(now)
		} else {
			answer, to, known = choice.inInteractive(c)
		}
	case *kabar.Template:
		if c.Rendered != nil && c.Rendered.Permission && choice.Call != "" {
			answer, known = choice.permission(now)
			break
		}
		answer, to, known = choice.inTemplate(c, by)
	}
	if answer == nil && to == nil {
		return nil, nil, choice.unknown(known)
	}
	return answer, to, nil
}

func (choice Choice) inInteractive(c *kabar.Interactive) (answer kabar.Content, to *opened, known []string) {
	answer, to, known = choice.among(0, c.Action.Buttons, c.Action.Link)
	for n := range c.Action.Cards {
		if answer != nil || to != nil {
			return answer, to, known
		}
		var more []string
		answer, to, more = choice.among(n+1, c.Action.Cards[n].Buttons, c.Action.Cards[n].Link)
		known = append(known, more...)
	}
	for _, s := range c.Action.Sections {
		for _, r := range s.Rows {
			known = append(known, fmt.Sprintf("row %q", r.ID))
			if choice.on(0) && matches(choice.Row, r.ID) {
				return &kabar.Reply{Type: kabar.ListReply, ID: r.ID, Title: r.Title, Description: r.Description}, nil, known
			}
		}
	}
	return answer, to, known
}

// among looks for the choice among what stands on a card, or below the message itself.
func (choice Choice) among(card int, buttons []kabar.ReplyButton, l *kabar.Link) (answer kabar.Content, to *opened, known []string) {
	for _, b := range buttons {
		known = append(known, fmt.Sprintf("button %q", b.ID))
		if choice.on(card) && matches(choice.Button, b.ID) {
			return &kabar.Reply{Type: kabar.ButtonReply, ID: b.ID, Title: b.Title}, nil, known
		}
	}
	if l != nil {
		known = append(known, fmt.Sprintf("url %q", l.Text))
		if choice.on(card) && matches(choice.URL, l.Text, l.URL) {
			return nil, &opened{Tapped: Tapped{URL: l.URL}}, known
		}
	}
	return nil, nil, known
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

// on says whether what stands on a card can be meant; 0 is the message itself.
func (choice Choice) on(card int) bool { return choice.Card == 0 || choice.Card == card }

// matches says whether want names something that has these names.
func matches(want string, names ...string) bool { return want != "" && slices.Contains(names, want) }

func (choice Choice) unknown(known []string) error {
	if len(known) == 0 {
		return refuse(CodeConflict, "The message has nothing to tap on. Tap on an interactive message or a template with buttons.")
	}
	return refuse(CodeNotFound, "The message has no such choice. It has %s.", strings.Join(known, ", "))
}
