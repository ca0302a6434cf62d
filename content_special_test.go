package kabar

import (
	"strings"
	"testing"
)

func carouselOf(n int, change func([]CarouselCard)) *Interactive {
	i := &Interactive{Type: InteractiveCarousel, Body: "Look", Action: Action{Cards: make([]CarouselCard, n)}}
	for c := range i.Action.Cards {
		i.Action.Cards[c] = CarouselCard{Type: CardLink, Header: &Header{Type: KindImage, Media: &Media{kind: KindImage, ID: 7}}, Body: "b",
			Link: &Link{Text: "Open", URL: "https://example.com"}}
	}
	change(i.Action.Cards)
	return i
}

func TestCarousel(t *testing.T) {
	const cards = "interactive.action.cards"
	none := func([]CarouselCard) {}
	reply := func(ids ...string) (all []ReplyButton) {
		for _, id := range ids {
			all = append(all, ReplyButton{ID: id, Title: id})
		}
		return all
	}
	buttons := func(a, b []ReplyButton) *Interactive {
		return carouselOf(2, func(c []CarouselCard) {
			c[0].Link, c[1].Link = nil, nil
			c[0].Buttons, c[1].Buttons = a, b
		})
	}
	product := CarouselCard{Type: CardProduct, Catalog: "c1", Product: "p1"}
	runRows(t, []row{
		{"two", carouselOf(2, none), "", ""},
		{"ten", carouselOf(10, none), "", ""},
		{"one", carouselOf(1, none), ReasonInvalid, cards},
		{"eleven", carouselOf(11, none), ReasonInvalid, cards},
		{"none", &Interactive{Type: InteractiveCarousel, Body: "b"}, ReasonMissing, cards},
		{"elsewhere", &Interactive{Type: InteractivePermission, Body: "b", Action: Action{Cards: make([]CarouselCard, 2)}}, ReasonNotRequired, cards},
		{"a header", carouselWithHeader(), ReasonHeader, "interactive.header"},
		{"no type", carouselOf(2, func(c []CarouselCard) { c[1].Type = "" }), ReasonMissing, cards + "[1].type"},
		{"unknown type", carouselOf(2, func(c []CarouselCard) { c[1].Type = "x" }), ReasonInvalid, cards + "[1].type"},
		{"no picture", carouselOf(2, func(c []CarouselCard) { c[0].Header = nil }), ReasonMissing, cards + "[0].header"},
		{"text above", carouselOf(2, func(c []CarouselCard) { c[0].Header = &Header{Type: KindText, Text: "x"} }), ReasonHeader, cards + "[0].header.type"},
		{"unlike pictures", carouselOf(2, func(c []CarouselCard) {
			c[1].Header = &Header{Type: KindVideo, Media: &Media{kind: KindVideo, ID: 7}}
		}), ReasonInvalid, cards + "[1]"},
		{"long text", carouselOf(2, func(c []CarouselCard) { c[0].Body = strings.Repeat("x", 161) }), ReasonInvalid, cards + "[0].body.text"},
		{"three breaks", carouselOf(2, func(c []CarouselCard) { c[0].Body = "a\nb\nc\nd" }), ReasonInvalid, cards + "[0].body.text"},
		{"no link", carouselOf(2, func(c []CarouselCard) { c[0].Link = nil }), ReasonMissing, cards + "[0].action.parameters"},
		{"buttons", buttons(reply("a", "b"), reply("c", "d")), "", ""},
		{"unlike buttons", buttons(reply("a", "b"), reply("c")), ReasonInvalid, cards + "[1]"},
		{"the same id twice", buttons(reply("a"), reply("a")), ReasonInvalid, cards + "[1].action.buttons[0].quick_reply.id"},
		{"products", carouselOf(2, func(c []CarouselCard) {
			c[0], c[1] = product, CarouselCard{Type: CardProduct, Catalog: "c1", Product: "p2"}
		}), "", ""},
		{"a product twice", carouselOf(2, func(c []CarouselCard) { c[0], c[1] = product, product }), ReasonInvalid, cards + "[1].action.product_retailer_id"},
		{"two catalogs", carouselOf(2, func(c []CarouselCard) {
			c[0], c[1] = product, CarouselCard{Type: CardProduct, Catalog: "c2", Product: "p2"}
		}), ReasonInvalid, cards + "[1].action.catalog_id"},
		{"a product and a link", carouselOf(2, func(c []CarouselCard) { c[1] = product }), ReasonInvalid, cards + "[1]"},
	})
}

func carouselWithHeader() *Interactive {
	i := carouselOf(2, func([]CarouselCard) {})
	i.Header = &Header{Type: KindText, Text: "x"}
	return i
}

func paymentOf(change func(*Payment)) *Interactive {
	p := &Payment{Reference: "r-1", Goods: "digital-goods", Currency: "INR", Total: 1100, Status: "pending", Subtotal: 1000,
		Items:  []PaidItem{{Name: "bread", Amount: 500, Quantity: 2}},
		Extras: []PaidAmount{{Name: PaidTax, Amount: 100}, {Name: PaidShipping, Amount: 100}, {Name: PaidDiscount, Amount: 100}}}
	change(p)
	return &Interactive{Type: InteractivePayment, Body: "Pay", Action: Action{Payment: p}}
}

func TestPaymentAndUpdate(t *testing.T) {
	const at = "interactive.action.parameters"
	update := func(u OrderUpdate) *Interactive {
		return &Interactive{Type: InteractiveUpdate, Body: "b", Action: Action{Update: &u}}
	}
	runRows(t, []row{
		{"right", paymentOf(func(*Payment) {}), "", ""},
		{"nothing", &Interactive{Type: InteractivePayment, Body: "b"}, ReasonMissing, at},
		{"no reference", paymentOf(func(p *Payment) { p.Reference = "" }), ReasonMissing, at + ".reference_id"},
		{"a space", paymentOf(func(p *Payment) { p.Reference = "a b" }), ReasonInvalid, at + ".reference_id"},
		{"other goods", paymentOf(func(p *Payment) { p.Goods = "services" }), ReasonInvalid, at + ".type"},
		{"no currency", paymentOf(func(p *Payment) { p.Currency = "inr" }), ReasonInvalid, at + ".currency"},
		{"not pending", paymentOf(func(p *Payment) { p.Status = "shipped" }), ReasonInvalid, at + ".order.status"},
		{"no items", paymentOf(func(p *Payment) { p.Items = nil }), ReasonMissing, at + ".order.items"},
		{"none of one", paymentOf(func(p *Payment) { p.Items[0].Quantity = 0 }), ReasonInvalid, at + ".order.items[0].quantity"},
		{"a wrong sum", paymentOf(func(p *Payment) { p.Total = 1000 }), ReasonInvalid, at + ".total_amount.value"},
		{"less than nothing", paymentOf(func(p *Payment) { p.Extras[0].Amount = -1 }), ReasonInvalid, at + ".order.tax.value"},
		{"an update", update(OrderUpdate{Reference: "r", Status: "shipped"}), "", ""},
		{"no update", &Interactive{Type: InteractiveUpdate, Body: "b"}, ReasonMissing, at},
		{"unknown status", update(OrderUpdate{Reference: "r", Status: "lost"}), ReasonInvalid, at + ".order.status"},
		{"long text", update(OrderUpdate{Reference: "r", Status: "shipped", Text: strings.Repeat("x", 121)}), ReasonInvalid, at + ".order.description"},
	})
}

func TestCalls(t *testing.T) {
	call := func(c *CallButton) *Interactive {
		return &Interactive{Type: InteractiveCall, Body: "b", Action: Action{Call: c}}
	}
	runRows(t, []row{
		{"a question", &Interactive{Type: InteractivePermission, Body: "b"}, "", ""},
		{"no words", &Interactive{Type: InteractivePermission}, ReasonMissing, "interactive.body.text"},
		{"bare", call(nil), "", ""},
		{"with all", call(&CallButton{Text: "Now", Minutes: 43200}), "", ""},
		{"too long", call(&CallButton{Minutes: 43201}), ReasonInvalid, "interactive.action.parameters.ttl_minutes"},
		{"long text", call(&CallButton{Text: strings.Repeat("x", 21)}), ReasonInvalid, "interactive.action.parameters.display_text"},
	})
}
