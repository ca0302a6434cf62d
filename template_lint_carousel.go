package kabar

import (
	"fmt"
	"strings"
)

// carousel checks the cards of a carousel, which all have the same form.
func (c *defCheck) carousel(field string, part *TemplateComponent) {
	if n := len(part.Cards); n < minCards || n > maxCards {
		c.fault(RuleCarousel, field+".cards", "are %d, allowed are %d to %d", n, minCards, maxCards)
	}
	shape := ""
	for i := range part.Cards {
		place := indexed(field+".cards", i)
		c.card(place+".components", part.Cards[i].Components)
		if s := part.Cards[i].shape(); i == 0 {
			shape = s
		} else if s != shape {
			c.fault(RuleCarousel, place, "has the form %q, the first card %q; all must be the same", s, shape)
		}
	}
	for i := range c.def.Components {
		if t := c.def.Components[i].Type; t == TemplateHeader || t == TemplateFooter || t == TemplateButtons || t == TemplateOffer {
			c.fault(RuleCarousel, indexed("components", i), "is a %s; beside a carousel stands only a BODY", t)
		}
	}
}

func (c *defCheck) card(field string, parts []TemplateComponent) {
	header, buttons := false, 0
	for i := range parts {
		part, place := &parts[i], indexed(field, i)
		switch part.Type {
		case TemplateHeader:
			header = true
			if part.Format != FormatImage && part.Format != FormatVideo && part.Format != FormatProduct {
				c.fault(RuleCarousel, place+".format", "is %q, allowed on a card are IMAGE, VIDEO and PRODUCT", part.Format)
			}
			c.header(place, part)
		case TemplateBody:
			c.text(place+".text", part.Text, maxCardBody)
			c.placeholders(place+".text", part.Text)
			c.prose(place, part, true)
		case TemplateButtons:
			buttons = len(part.Buttons)
			c.buttons(place+".buttons", part.Buttons)
		default:
			c.fault(RuleCarousel, place+".type", "is %q, allowed on a card are HEADER, BODY and BUTTONS", part.Type)
		}
	}
	if !header {
		c.fault(RuleCarousel, field, "have no HEADER")
	}
	if buttons < 1 || buttons > maxCardKeys {
		c.fault(RuleCarousel, field, "have %d buttons, allowed are 1 to %d", buttons, maxCardKeys)
	}
}

// shape says what a card is made of.
func (card *TemplateCard) shape() string {
	var parts []string
	for _, p := range card.Components {
		words := []string{strings.TrimSpace(p.Type + " " + p.Format)}
		for _, b := range p.Buttons {
			words = append(words, string(b.Type))
		}
		parts = append(parts, strings.Join(words, " "))
	}
	return strings.Join(parts, ", ")
}

func indexed(field string, i int) string { return fmt.Sprintf("%s[%d]", field, i) }
