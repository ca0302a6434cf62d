package kabar

import "fmt"

// card returns what a request gives to a card of the carousel; nothing where it has no carousel.
func (f filler) card(n int) filler {
	card := filler{path: f.path, language: f.language, format: f.format}
	for i, c := range f.components {
		if c.Type == ComponentCarousel && n < len(c.Cards) {
			card.components, card.path = c.Cards[n].Components, fmt.Sprintf("%s[%d].cards[%d].components", f.path, i, n)
		}
	}
	return card
}

func (c *TemplateComponent) renderCards(f filler) ([]Rendered, error) {
	cards := make([]Rendered, len(c.Cards))
	for n := range c.Cards {
		r, err := render(c.Cards[n].Components, f.card(n), MaxCardBody)
		if err != nil {
			return nil, err
		}
		cards[n] = *r
	}
	return cards, nil
}

// checkFitsCards refuses a request that fills more cards or fewer than the template has, or parts that they have not.
func (c *TemplateComponent) checkFitsCards(filled Component, field string) error {
	if got, want := len(filled.Cards), len(c.Cards); got != want {
		return fault(ReasonTemplateParamCount, field+".cards", "are %d, the template's carousel has %d", got, want)
	}
	for n := range filled.Cards {
		path := fmt.Sprintf("%s.cards[%d].components", field, n)
		if err := checkFits(c.Cards[n].Components, path, filled.Cards[n].Components); err != nil {
			return err
		}
	}
	return nil
}

// render fills an offer: one that ends is told when.
func (o *TimedOffer) render(f filling) (*RenderedOffer, error) {
	if o == nil || !o.Expiry {
		r := new(RenderedOffer)
		if o != nil {
			r.Text = o.Text
		}
		return r, f.checkCount(0)
	}
	if err := f.checkCount(1); err != nil {
		return nil, err
	}
	p := &f.parameters[0]
	if p.Type != ParameterOffer {
		return nil, fault(ReasonTemplateFormat, f.field+".parameters[0].type", "is %q, the offer takes %q", p.Type, ParameterOffer)
	}
	return &RenderedOffer{Text: o.Text, Ends: p.Ends}, nil
}
