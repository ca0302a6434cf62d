package kabar

import "slices"

// LinkTap says that a customer has opened a link of a template's message. It is no message: nobody is told of it, but it counts.
type LinkTap struct {
	ID      string `json:"id"`             // the handset's choice
	Message string `json:"message"`        // network id of the message
	Card    int    `json:"card,omitempty"` // of its carousel, from 1; 0: the button stands below the message itself
	Button  int    `json:"button"`         // from 0, over all buttons of the message or the card
}

// MaxLinkTaps is how many taps on one link of one message count. Nobody taps that often, and each is remembered for a while.
const MaxLinkTaps = 100

// Place numbers the buttons of a message, those of its cards, too.
func (t *LinkTap) Place() int { return t.Card*MaxTemplateButtons + t.Button }

// LinkAt returns the link of a message that a tap is on; nil for none.
func LinkAt(c Content, tap *LinkTap) *RenderedButton {
	t, ok := c.(*Template)
	if !ok || t.Rendered == nil {
		return nil
	}
	r := t.Rendered
	if tap.Card != 0 {
		if tap.Card < 0 || tap.Card > len(r.Cards) {
			return nil
		}
		r = &r.Cards[tap.Card-1]
	}
	if tap.Button < 0 || tap.Button >= len(r.Buttons) || r.Buttons[tap.Button].Type != ButtonURL {
		return nil
	}
	return &r.Buttons[tap.Button]
}

// HasQuickReply reports whether a message of a template has a quick reply that is called so, below itself or on one of its cards.
func HasQuickReply(c Content, text string) bool {
	t, ok := c.(*Template)
	if !ok || t.Rendered == nil {
		return false
	}
	has := func(r Rendered) bool {
		return slices.ContainsFunc(r.Buttons, func(b RenderedButton) bool { return b.Type == ButtonQuickReply && b.Text == text })
	}
	return has(*t.Rendered) || slices.ContainsFunc(t.Rendered.Cards, has)
}
