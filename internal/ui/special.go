package ui

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"kabar"
)

// The parts of messages that only the Cloud API sends: cards, calls, orders that are to be paid.

// CardParts is a card of a carousel.
type CardParts struct {
	Medium  *Medium
	Picture string // in place of a medium that did not come along: "Photo" or "Video"
	Goods   []Good // a product
	Text    []Span
	Choices []Choice
}

// special fills in what the types of the Cloud API show.
func (b Bubble) special(i *kabar.Interactive, p *Parts) {
	a := &i.Action
	switch {
	case i.Type == kabar.InteractivePermission:
		p.Choices = b.permission()
	case i.Type == kabar.InteractiveCall: // a label: there are no calls
		text := "Call"
		if a.Call != nil {
			text = cmp.Or(a.Call.Text, text)
		}
		p.Choices = []Choice{{Icon: "call", Title: text}}
	case a.Payment != nil:
		paymentParts(a.Payment, p)
	case a.Update != nil:
		p.Goods = []Good{{"Order " + a.Update.Reference, strings.ReplaceAll(a.Update.Status, "_", " ")}}
		p.Small = a.Update.Text
	case len(a.Cards) > 0 && !i.ShowsProducts():
		for n := range a.Cards {
			p.Cards = append(p.Cards, b.card(&a.Cards[n]))
		}
	}
}

// permission are the answers to a business that asks whether it may call.
func (b Bubble) permission() []Choice {
	return []Choice{{Icon: "call", Title: "Allow calls", Tap: b.tap("call", kabar.CallAccepted)},
		{Icon: "none", Title: "Don't allow", Tap: b.tap("call", kabar.CallRejected)}}
}

// templateCard is a card of a template's carousel, from 1.
func (b Bubble) templateCard(r *kabar.Rendered, card int) CardParts {
	out := CardParts{Text: Spans(r.Body), Goods: goods(r.Products)}
	b.picture(r.Header, &out)
	for _, button := range r.Buttons {
		if sells(button) && len(r.Products) > 0 {
			continue // what all cards show is ordered below them
		}
		out.Choices = append(out.Choices, b.templateChoice(button, card))
	}
	return out
}

// offerText says what is offered, and until when.
func offerText(o *kabar.RenderedOffer) string {
	switch {
	case o == nil:
		return ""
	case o.Ends == 0:
		return o.Text
	}
	return isolated(o.Text) + " · ends " + time.UnixMilli(o.Ends).UTC().Format("2 Jan 2006, 15:04 MST")
}

// isolated keeps the direction of a text, and an override that it does not end, from what stands behind it.
func isolated(s string) string { return "\u2068" + s + "\u2069" }

// picture fills in what a card shows above its text.
func (b Bubble) picture(h *kabar.Header, card *CardParts) {
	if h == nil {
		return
	}
	if h.Media != nil {
		if address, came := b.Cards[h.Media.ID]; came {
			card.Medium = b.mediumAt(h.Media, address)
			return
		}
	}
	card.Picture = map[kabar.Kind]string{kabar.KindImage: "Photo", kabar.KindVideo: "Video"}[h.Type]
}

func (b Bubble) card(c *kabar.CarouselCard) CardParts {
	out := CardParts{Text: Spans(c.Body)}
	b.picture(c.Header, &out)
	if c.Link != nil {
		out.Choices = append(out.Choices, Choice{Icon: "link", Title: c.Link.Text, Href: WebLink(c.Link.URL), Tap: b.tap("url", c.Link.URL)})
	}
	for _, button := range c.Buttons {
		out.Choices = append(out.Choices, Choice{Icon: "reply", Title: button.Title, Tap: b.tap("button", button.ID)})
	}
	return out
}

var extraNames = map[string]string{kabar.PaidTax: "Tax", kabar.PaidShipping: "Shipping", kabar.PaidDiscount: "Discount"}

// paymentParts shows an order as a bill. Nothing is paid here, so the button is a label.
func paymentParts(o *kabar.Payment, p *Parts) {
	p.Goods = bill(o)
	p.Small = "Order " + o.Reference
	p.Choices = []Choice{{Icon: "list", Title: "Review and pay"}}
}

// bill lists what an order consists of.
func bill(o *kabar.Payment) (goods []Good) {
	money := func(hundredths int64) string { return price(10*hundredths, o.Currency) }
	for _, i := range o.Items {
		goods = append(goods, Good{fmt.Sprintf("%d × %s", i.Quantity, i.Name), money(int64(i.Quantity) * cmp.Or(i.Sale, i.Amount))})
	}
	goods = append(goods, Good{"Subtotal", money(o.Subtotal)})
	for _, x := range o.Extras {
		of := x.Amount
		if x.Name == kabar.PaidDiscount {
			of = -of
		}
		goods = append(goods, Good{cmp.Or(x.Text, extraNames[x.Name], "Other"), money(of)})
	}
	goods = append(goods, Good{"Total", money(o.Total)})
	return goods
}

func callAnswer(c *kabar.CallPermission) string {
	if c.Response == kabar.CallAccepted {
		return "Calls allowed"
	}
	return "Calls not allowed"
}
