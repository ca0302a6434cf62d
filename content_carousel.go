package kabar

import (
	"fmt"
	"strings"
)

// Limits of carousels. Lengths are in characters.
const (
	MinCards     = 2
	MaxCards     = 10
	MaxCardBody  = 160
	MaxCardLines = 2 // line breaks in the text of a card
)

// The types of cards: all cards of a carousel have the same.
const (
	CardLink    = "cta_url" // a picture or a video, with a link or with reply buttons
	CardProduct = "product" // a product of a catalog
)

// CarouselCard is one of the cards of a carousel that stand beside each other.
type CarouselCard struct {
	Type    string        `json:"type"` // CardLink or CardProduct
	Header  *Header       `json:"header,omitempty"`
	Body    string        `json:"body,omitempty"`
	Link    *Link         `json:"link,omitempty"`
	Buttons []ReplyButton `json:"buttons,omitempty"`
	Catalog string        `json:"catalog,omitempty"`
	Product string        `json:"product,omitempty"` // as its retailer calls it
}

// checkCards checks the cards one by one, and that all have the form of the first.
func checkCards(field string, cards []CarouselCard) error {
	switch n := len(cards); {
	case cards == nil:
		return fault(ReasonMissing, field, "is required, with %d to %d cards", MinCards, MaxCards)
	case n < MinCards || n > MaxCards:
		return fault(ReasonInvalid, field, "has %d cards, allowed are %d to %d", n, MinCards, MaxCards)
	}
	ids := make(seen)
	for n := range cards {
		at := fmt.Sprintf("%s[%d]", field, n)
		if err := cards[n].check(at, ids); err != nil {
			return err
		}
		if form := cards[n].form(); form != cards[0].form() {
			return fault(ReasonInvalid, at, "is a card of %s, the first of %s; all must be alike", form, cards[0].form())
		}
		if c := cards[n].Catalog; c != cards[0].Catalog {
			return fault(ReasonInvalid, at+".action.catalog_id", "is %q, that of the first card is %q; all must be the same", c, cards[0].Catalog)
		}
	}
	return nil
}

func (c *CarouselCard) check(field string, ids seen) error {
	switch c.Type {
	case CardProduct:
		return first(
			checkAbsent(field+".header", c.Header == nil, "a card of a product has no header"),
			checkID(field+".action.catalog_id", c.Catalog),
			checkID(field+".action.product_retailer_id", c.Product),
			ids.check(field+".action.product_retailer_id", c.Product),
		)
	case CardLink:
		return first(c.checkHeader(field+".header"), c.checkBody(field+".body.text"), c.checkAction(field+".action", ids))
	case "":
		return fault(ReasonMissing, field+".type", "is required: %s or %s", CardLink, CardProduct)
	}
	return fault(ReasonInvalid, field+".type", "is %.40q, allowed are %s and %s", c.Type, CardLink, CardProduct)
}

func (c *CarouselCard) checkHeader(field string) error {
	switch h := c.Header; {
	case h == nil:
		return fault(ReasonMissing, field, "is required, with an image or a video")
	case h.Type != KindImage && h.Type != KindVideo:
		return fault(ReasonHeader, field+".type", "is %.40q, a card allows only image and video", h.Type)
	}
	return c.Header.checkMedia(field)
}

func (c *CarouselCard) checkBody(field string) error {
	if n := strings.Count(c.Body, "\n"); n > MaxCardLines {
		return fault(ReasonInvalid, field, "has %d line breaks, the limit is %d", n, MaxCardLines)
	}
	return checkMax(field, c.Body, MaxCardBody)
}

func (c *CarouselCard) checkAction(field string, ids seen) error {
	if c.Buttons == nil {
		return c.Link.check(field + ".parameters")
	}
	at := field + ".buttons"
	err := first(checkAbsent(field+".parameters", c.Link == nil, "a card has a link or buttons"), checkCount(at, c.Buttons, MaxReplyButtons),
		checkButtons(at, c.Buttons))
	for n, b := range c.Buttons {
		err = first(err, ids.check(fmt.Sprintf("%s[%d].quick_reply.id", at, n), b.ID))
	}
	return err
}

// form says what a card is made of.
func (c *CarouselCard) form() string {
	switch {
	case c.Type == CardProduct:
		return "a product"
	case c.Link != nil:
		return fmt.Sprintf("%s and a link", c.Header.Type)
	}
	return fmt.Sprintf("%s and %d buttons", c.Header.Type, len(c.Buttons))
}
