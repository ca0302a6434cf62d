package golden

import (
	"fmt"
	"strings"

	"kabar"
)

// Templates are those of the first number's account.
func Templates() []*kabar.TemplateDef {
	body := kabar.TemplateComponent{Type: kabar.TemplateBody, Text: "Halo dari Warung Kabar."}
	all := []*kabar.TemplateDef{
		{Name: "hello_kabar", Language: "en", Category: kabar.CategoryUtility, Status: kabar.TemplateApproved, Components: []kabar.TemplateComponent{body}},
		{Name: "parcel_update", Language: "es_ES", Category: kabar.CategoryMarketing, Status: kabar.TemplateApproved, Components: []kabar.TemplateComponent{
			{Type: kabar.TemplateHeader, Format: "IMAGE"},
			{Type: kabar.TemplateBody, Text: "Hola {{1}}, son {{2}}, llega el {{3}}."},
			{Type: kabar.TemplateFooter, Text: "Warung Kabar"},
			{Type: kabar.TemplateButtons, Buttons: []kabar.TemplateButton{
				{Type: kabar.ButtonQuickReply, Text: "Vale"}, {Type: kabar.ButtonURL, Text: "Ver", URL: "https://example.com/{{1}}"}}},
		}},
		{Name: "long", Language: "en", Category: kabar.CategoryUtility, Status: kabar.TemplateApproved, Components: []kabar.TemplateComponent{
			{Type: kabar.TemplateBody, Text: "{{1}} {{2}}"}, {Type: kabar.TemplateFooter, Text: "x"}}},
	}
	all = append(all, &kabar.TemplateDef{Name: "hsm_order", Language: "es_ES", Category: kabar.CategoryUtility, Status: kabar.TemplateApproved,
		Components: []kabar.TemplateComponent{{Type: kabar.TemplateBody, Text: "Hola {{1}}: {{2}}, {{3}}; {{4}}"}}})
	all = append(all, buttonTemplates()...)
	all = append(all, saleTemplate())
	all = append(all, shopTemplates()...)
	for status := range map[kabar.TemplateStatus]bool{kabar.TemplatePending: true, kabar.TemplateRejected: true, kabar.TemplatePaused: true, kabar.TemplateDisabled: true} {
		all = append(all, &kabar.TemplateDef{Name: "is_" + strings.ToLower(string(status)), Language: "en", Category: kabar.CategoryUtility, Status: status,
			Components: []kabar.TemplateComponent{body}})
	}
	return all
}

// saleTemplate has a carousel and an offer that ends.
func saleTemplate() *kabar.TemplateDef {
	card := kabar.TemplateCard{Components: []kabar.TemplateComponent{{Type: kabar.TemplateHeader, Format: kabar.FormatImage},
		{Type: kabar.TemplateBody, Text: "{{1}} for {{2}}"}, {Type: kabar.TemplateButtons, Buttons: []kabar.TemplateButton{
			{Type: kabar.ButtonQuickReply, Text: "More"}, {Type: kabar.ButtonURL, Text: "Buy", URL: "https://example.com/{{1}}"}}}}}
	return &kabar.TemplateDef{Name: "sale", Language: "en", Category: kabar.CategoryMarketing, Status: kabar.TemplateApproved, Components: []kabar.TemplateComponent{
		{Type: kabar.TemplateBody, Text: "Hi {{1}}"}, {Type: kabar.TemplateCarousel, Cards: []kabar.TemplateCard{card, card}},
		{Type: kabar.TemplateOffer, Offer: &kabar.TimedOffer{Text: "Half price", Expiry: true}}}}
}

// shopTemplates show products of a catalog: behind a button, above the text, on cards.
func shopTemplates() (all []*kabar.TemplateDef) {
	body, header := kabar.TemplateComponent{Type: kabar.TemplateBody, Text: "For {{1}}."}, kabar.TemplateComponent{Type: kabar.TemplateHeader, Format: kabar.FormatProduct}
	button := func(t kabar.TemplateButtonType) kabar.TemplateComponent {
		return kabar.TemplateComponent{Type: kabar.TemplateButtons, Buttons: []kabar.TemplateButton{{Type: t, Text: "View"}}}
	}
	card := kabar.TemplateCard{Components: []kabar.TemplateComponent{header, body, button(kabar.ButtonProduct)}}
	for name, parts := range map[string][]kabar.TemplateComponent{
		"shop_many": {body, button(kabar.ButtonProducts)}, "shop_one": {header, body, button(kabar.ButtonProduct)},
		"shop_cards": {body, {Type: kabar.TemplateCarousel, Cards: []kabar.TemplateCard{card, card}}}, "shop_none": {body, button(kabar.ButtonProduct)}} {
		all = append(all, &kabar.TemplateDef{Name: name, Language: "en", Category: kabar.CategoryMarketing, Status: kabar.TemplateApproved, Components: parts})
	}
	return all
}

// buttonTemplates have every kind of button and header that the ones above have not, and what cannot be sent.
func buttonTemplates() (all []*kabar.TemplateDef) {
	part := func(name string, c kabar.TemplateComponent) {
		all = append(all, &kabar.TemplateDef{Name: name, Language: "en", Category: kabar.CategoryUtility, Status: kabar.TemplateApproved,
			Components: []kabar.TemplateComponent{c, {Type: kabar.TemplateBody, Text: "Halo."}}})
	}
	button := func(name string, b kabar.TemplateButton) {
		part(name, kabar.TemplateComponent{Type: kabar.TemplateButtons, Buttons: []kabar.TemplateButton{b}})
	}
	part("place", kabar.TemplateComponent{Type: kabar.TemplateHeader, Format: kabar.FormatLocation})
	part("picture", kabar.TemplateComponent{Type: kabar.TemplateHeader, Format: "IMAGE"})
	part("film", kabar.TemplateComponent{Type: kabar.TemplateHeader, Format: "VIDEO"})
	button("coupon", kabar.TemplateButton{Type: kabar.ButtonCopyCode, Text: "Copy"})
	button("password", kabar.TemplateButton{Type: kabar.ButtonOTP, Text: "Copy"})
	button("shop", kabar.TemplateButton{Type: kabar.ButtonCatalog, Text: "See"})
	button("booking", kabar.TemplateButton{Type: kabar.ButtonFlow, Text: "Book", FlowID: "77", FlowAction: "navigate", NavigateScreen: "DATES"})
	button("track", kabar.TemplateButton{Type: kabar.ButtonURL, Text: "Track", URL: "https://example.com/{{1}}"})
	button("wrong_phone", kabar.TemplateButton{Type: kabar.ButtonPhone, Text: "Call", Phone: "ask us"})
	button("call", kabar.TemplateButton{Type: kabar.ButtonCall, Text: "Call"})
	button("order", kabar.TemplateButton{Type: kabar.ButtonOrder, Text: "Review and pay"})
	button("contact", kabar.TemplateButton{Type: kabar.ButtonContact, Text: "Share"})
	button("app", kabar.TemplateButton{Type: kabar.ButtonApp, Text: "Open the app"})
	part("may_we_call", kabar.TemplateComponent{Type: kabar.TemplateCall})
	all = append(all, &kabar.TemplateDef{Name: "gif", Language: "en", Category: kabar.CategoryMarketing, Status: kabar.TemplateApproved,
		Components: []kabar.TemplateComponent{{Type: kabar.TemplateHeader, Format: kabar.FormatGIF}, {Type: kabar.TemplateBody, Text: "Halo."}}})
	return all
}

// Products are those of the first number's account, in two catalogs: c1 has p0 to p39, c2 one more.
func Products() (all []*kabar.Product) {
	for i := range 41 {
		p := &kabar.Product{Catalog: "c1", RetailerID: fmt.Sprint("p", i), Name: fmt.Sprint("Product ", i), Price: int64(12500 + i),
			Currency: "EUR", Image: "https://cdn.example/p.jpg", Availability: kabar.InStock}
		if i == 40 {
			p.Catalog = "c2"
		}
		all = append(all, p)
	}
	return all
}
