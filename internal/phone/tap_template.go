package phone

import (
	"cmp"
	"fmt"

	"kabar"
)

// Taps on the buttons of templates.

// otherApp is what a button of the type APP opens: the contract does not say how it names one.
const otherApp = "an application of the business, which this handset does not have"

func (choice Choice) inTemplate(c *kabar.Template, by *customer) (answer kabar.Content, to *opened, known []string) {
	if c.Rendered == nil {
		return nil, nil, nil
	}
	for card, r := range append([]kabar.Rendered{*c.Rendered}, c.Rendered.Cards...) {
		for n, b := range r.Buttons {
			what, names := tapNames(c, b)
			if what == "" {
				continue
			}
			known = append(known, fmt.Sprintf("%s %q", what, names[0]))
			if !choice.on(card) || !matches(map[string]string{"button": choice.Button, "url": choice.URL}[what], names...) {
				continue
			}
			if answer, to = tapped(c, b, by); to != nil && b.Type == kabar.ButtonURL {
				to.tap = &kabar.LinkTap{Card: card, Button: n}
			}
			return answer, to, known
		}
	}
	return nil, nil, known
}

// tapNames returns which member of a Choice a button is named by, and its names there; nothing when a tap on it leads nowhere.
func tapNames(c *kabar.Template, b kabar.RenderedButton) (what string, names []string) {
	switch b.Type {
	case kabar.ButtonQuickReply:
		return "button", []string{b.Payload, b.Text}
	case kabar.ButtonURL:
		return "url", []string{b.Text, b.URL}
	case kabar.ButtonContact, kabar.ButtonApp:
		return "button", []string{b.Text}
	case kabar.ButtonCatalog, kabar.ButtonProducts, kabar.ButtonProduct:
		if len(orderable(c)) > 0 {
			return "button", []string{b.Text}
		}
	default: // a telephone number calls, a code is copied, a flow is opened by Phone.Flow: a tap answers nothing
	}
	return "", nil
}

// tapped is what a tap on a button of a template comes to.
func tapped(c *kabar.Template, b kabar.RenderedButton, by *customer) (answer kabar.Content, to *opened) {
	switch b.Type {
	case kabar.ButtonQuickReply:
		return &kabar.Button{Text: b.Text, Payload: b.Payload}, nil
	case kabar.ButtonContact:
		return by.contact(), nil
	case kabar.ButtonURL:
		return nil, &opened{Tapped: Tapped{URL: b.URL}}
	case kabar.ButtonApp:
		return nil, &opened{Tapped: Tapped{App: otherApp}}
	default:
		return nil, &opened{Tapped: Tapped{Products: orderable(c)}}
	}
}

// orderable lists what can be ordered from a message.
func orderable(c kabar.Content) (ids []string) {
	for _, p := range kabar.ShownProducts(c) {
		if p.CanBeOrdered() {
			ids = append(ids, p.RetailerID)
		}
	}
	return ids
}

// contact is the customer's own card. One who hides the number has none here, so it has the name alone.
func (c *customer) contact() *kabar.Contacts {
	name := cmp.Or(c.name, c.handle)
	card := kabar.Card{Name: kabar.CardName{Formatted: name, First: name}}
	if !c.hidden {
		card.Phones = []kabar.CardPhone{{Phone: "+" + c.handle, Type: "CELL", WaID: c.handle}}
	}
	return &kabar.Contacts{Cards: []kabar.Card{card}}
}
