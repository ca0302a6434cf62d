package kabar

import "fmt"

// CardFilling fills the placeholders of one card of a template's carousel: its header, its body and its buttons.
type CardFilling struct {
	Components []Component `json:"components,omitempty"`
}

// RenderedOffer is an offer above the buttons of a template message.
type RenderedOffer struct {
	Text string `json:"text"`
	Ends int64  `json:"expiration_time_ms,omitempty"` // Unix milliseconds; 0: the message does not say when
}

// checkCards checks what fills the cards of a carousel.
func (c *Component) checkCards(field string) error {
	if c.Type != ComponentCarousel {
		if len(c.Cards) > 0 {
			return fault(ReasonNotRequired, field+".cards", "belong to a carousel")
		}
		return nil
	}
	if n := len(c.Cards); n < MinCards || n > MaxCards {
		return fault(ReasonInvalid, field+".cards", "are %d, allowed are %d to %d", n, MinCards, MaxCards)
	}
	for n := range c.Cards {
		path, parts := fmt.Sprintf("%s.cards[%d].components", field, n), c.Cards[n].Components
		for i := range parts {
			if t := parts[i].Type; t == ComponentCarousel || t == ComponentOffer {
				return fault(ReasonInvalid, fmt.Sprintf("%s[%d].type", path, i), "is %q, allowed on a card are header, body and button", t)
			}
		}
		if err := checkComponents(path, parts); err != nil {
			return err
		}
	}
	return nil
}
