package ui

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"kabar"
)

var noon = time.Date(2026, 11, 23, 12, 5, 0, 0, time.UTC)

func media(kind kabar.Kind, change func(*kabar.Media)) *kabar.Media {
	m := kabar.NewMedia(kind)
	change(m)
	return m
}

// contents has every kind of content with s in every place where a person can put text.
func contents(s string) map[string]kabar.Content {
	caption := func(m *kabar.Media) { m.Caption, m.MIME, m.Size = s, s, 1234 }
	return map[string]kabar.Content{
		"text":    &kabar.Text{Body: s},
		"preview": &kabar.Text{Body: s, Preview: &kabar.Preview{URL: "https://example.com/a", Title: s, Description: s, Image: []byte("x")}},
		"no-link": &kabar.Text{Body: s, Preview: &kabar.Preview{URL: "javascript:" + s, Title: s}},
		"image":   media(kabar.KindImage, caption), "video": media(kabar.KindVideo, caption),
		"audio":    media(kabar.KindAudio, func(*kabar.Media) {}),
		"voice":    media(kabar.KindAudio, func(m *kabar.Media) { m.Voice = true }),
		"document": media(kabar.KindDocument, func(m *kabar.Media) { m.Filename, m.Caption, m.MIME, m.Size = s, s, "application/"+s, 182_400 }),
		"location": &kabar.Location{Latitude: 41.40338, Longitude: -2.17403, Name: s, Address: s, URL: s},
		"reaction": &kabar.Reaction{Emoji: s},
		"reply":    &kabar.Reply{Type: kabar.ListReply, ID: s, Title: s, Description: s},
		"button":   &kabar.Button{Text: s, Payload: s},
		"buttons": &kabar.Interactive{Type: kabar.InteractiveButton, Body: s, Footer: s, Header: &kabar.Header{Type: kabar.KindText, Text: s},
			Action: kabar.Action{Buttons: []kabar.ReplyButton{{ID: s, Title: s}, {ID: "2", Title: s}}}},
		"picture-buttons": &kabar.Interactive{Type: kabar.InteractiveButton, Body: s,
			Header: &kabar.Header{Type: kabar.KindImage, Media: media(kabar.KindImage, func(*kabar.Media) {})},
			Action: kabar.Action{Buttons: []kabar.ReplyButton{{ID: "1", Title: s}}}},
		"list": &kabar.Interactive{Type: kabar.InteractiveList, Body: s, Action: kabar.Action{Button: s,
			Sections: []kabar.Section{{Title: s, Rows: []kabar.Row{{ID: s, Title: s, Description: s}, {ID: "2", Title: s}}}}}},
		"template": &kabar.Template{Name: s, Rendered: &kabar.Rendered{Header: &kabar.Header{Type: kabar.KindText, Text: s}, Body: s, Footer: s,
			Buttons: []kabar.RenderedButton{
				{Type: kabar.ButtonQuickReply, Text: s, Payload: s}, {Type: kabar.ButtonURL, Text: s, URL: s}, {Type: kabar.ButtonPhone, Text: s, Phone: s},
			}}},
		"template-file": &kabar.Template{Name: "invoice", Rendered: &kabar.Rendered{Body: s,
			Header: &kabar.Header{Type: kabar.KindDocument, Media: media(kabar.KindDocument, func(m *kabar.Media) { m.Filename = s })}}},
		"template-bare": &kabar.Template{Name: s},
		"unsupported":   &kabar.Unsupported{Detail: s},
		"ephemeral":     &kabar.Unsupported{Ephemeral: true},
		"sticker":       media(kabar.KindSticker, func(*kabar.Media) {}),
		"contacts": &kabar.Contacts{Cards: []kabar.Card{{Name: kabar.CardName{Formatted: s}, Phones: []kabar.CardPhone{{Phone: s}},
			Emails: []kabar.CardEmail{{Email: s}}, Org: &kabar.CardOrg{Company: s}}, {Name: kabar.CardName{Formatted: s}}}},
		"order": &kabar.Order{Catalog: s, Text: s, Items: []kabar.OrderItem{{RetailerID: s, Quantity: 2, Price: 12500, Currency: s}, {RetailerID: s, Quantity: 1, Price: 1005}}},
		"form":  &kabar.Reply{Type: kabar.FormReply, Form: &kabar.Form{Name: kabar.FormFlow, Body: s, Response: `{"flow_token":"t","size":"L","seats":2}`}},
		"product": &kabar.Interactive{Type: kabar.InteractiveProduct, Body: s, Footer: s, Action: kabar.Action{Products: []kabar.Product{
			{RetailerID: s, Name: s, Price: 12500, Currency: s, Availability: kabar.InStock}, {RetailerID: "gone", Price: 1, Availability: kabar.OutOfStock}}}},
		"link": &kabar.Interactive{Type: kabar.InteractiveLink, Body: s, Action: kabar.Action{Link: &kabar.Link{Text: s, URL: "https://example.com/?" + s}}},
		"flow": &kabar.Interactive{Type: kabar.InteractiveFlow, Body: s, Action: kabar.Action{Flow: &kabar.Flow{Text: s}}},
		"address": &kabar.Interactive{Type: kabar.InteractiveAddress, Body: s, Action: kabar.Action{Address: &kabar.AddressForm{Country: "SG",
			Values: map[string]string{"name": s}, Errors: map[string]string{"city": s}}}},
		"flow-form": &kabar.Interactive{Type: kabar.InteractiveFlow, Body: s, Action: kabar.Action{Flow: &kabar.Flow{Text: s, Form: flowForm(s)}}},
		"flow-asks": &kabar.Interactive{Type: kabar.InteractiveFlow, Body: s, Action: kabar.Action{Flow: &kabar.Flow{Text: s, Form: asking(flowForm(s)), Action: kabar.FlowExchange}}},
		"template-flow": &kabar.Template{Name: s, Rendered: &kabar.Rendered{Body: s, Buttons: []kabar.RenderedButton{{Type: kabar.ButtonURL, Text: s, URL: s},
			{Type: kabar.ButtonFlow, Text: s, Flow: &kabar.RenderedFlow{ID: "1", Form: flowForm(s)}}}}},
		"carousel": &kabar.Interactive{Type: kabar.InteractiveCarousel, Body: s, Action: kabar.Action{Cards: []kabar.CarouselCard{
			{Type: kabar.CardLink, Header: &kabar.Header{Type: kabar.KindImage}, Body: s, Link: &kabar.Link{Text: s, URL: s}},
			{Type: kabar.CardLink, Header: &kabar.Header{Type: kabar.KindVideo}, Body: s, Buttons: []kabar.ReplyButton{{ID: s, Title: s}}}}}},
		"carousel-media": &kabar.Interactive{Type: kabar.InteractiveCarousel, Body: s, Action: kabar.Action{Cards: []kabar.CarouselCard{
			{Type: kabar.CardLink, Header: &kabar.Header{Type: kabar.KindImage, Media: media(kabar.KindImage, func(m *kabar.Media) { m.ID = 1 })}, Body: s},
			{Type: kabar.CardLink, Header: &kabar.Header{Type: kabar.KindVideo, Media: media(kabar.KindVideo, func(m *kabar.Media) { m.ID = 2 })}, Body: s},
			{Type: kabar.CardLink, Header: &kabar.Header{Type: kabar.KindImage, Media: media(kabar.KindImage, func(m *kabar.Media) { m.ID = 3 })}, Body: s},
			{Type: kabar.CardLink, Header: &kabar.Header{Type: kabar.KindImage, Media: media(kabar.KindImage, func(m *kabar.Media) { m.ID = 4 })}, Body: s}}}},
		"carousel-products": &kabar.Interactive{Type: kabar.InteractiveCarousel, Body: s, Action: kabar.Action{
			Cards:    []kabar.CarouselCard{{Type: kabar.CardProduct, Catalog: s, Product: s}},
			Products: []kabar.Product{{RetailerID: s, Name: s, Price: 12500, Currency: s, Availability: kabar.InStock}}}},
		"carousel-template": &kabar.Template{Name: "sale", Rendered: &kabar.Rendered{Body: s, Offer: &kabar.RenderedOffer{Text: s, Ends: 1_900_000_000_000},
			Cards: []kabar.Rendered{{Header: &kabar.Header{Type: kabar.KindImage}, Body: s, Buttons: []kabar.RenderedButton{
				{Type: kabar.ButtonQuickReply, Text: s, Payload: s}, {Type: kabar.ButtonURL, Text: s, URL: s}}}}}},
		"products-template": &kabar.Template{Name: s, Rendered: &kabar.Rendered{Body: s, Buttons: []kabar.RenderedButton{{Type: kabar.ButtonProducts, Text: s}},
			Products: []kabar.Product{{RetailerID: s, Name: s, Price: 12500, Currency: s, Availability: kabar.InStock}}}},
		"catalog-template": &kabar.Template{Name: s, Rendered: &kabar.Rendered{Body: s, Buttons: []kabar.RenderedButton{{Type: kabar.ButtonCatalog, Text: s}},
			Products: []kabar.Product{{RetailerID: s, Name: s, Price: 12500, Currency: s, Availability: kabar.InStock}}}},
		"products-missing": &kabar.Template{Name: s, Rendered: &kabar.Rendered{Body: s, Buttons: []kabar.RenderedButton{{Type: kabar.ButtonProducts, Text: s}}}},
		"product-cards": &kabar.Template{Name: s, Rendered: &kabar.Rendered{Body: s, Cards: []kabar.Rendered{{
			Header: &kabar.Header{Type: kabar.HeaderProduct, Product: &kabar.ProductRef{Catalog: s, RetailerID: s}}, Body: s,
			Buttons:  []kabar.RenderedButton{{Type: kabar.ButtonProduct, Text: s}},
			Products: []kabar.Product{{RetailerID: s, Name: s, Price: 12500, Currency: s, Availability: kabar.InStock}}}}}},
		"calls-template": &kabar.Template{Name: s, Rendered: &kabar.Rendered{Body: s, Permission: true,
			Header: &kabar.Header{Type: kabar.KindVideo, Media: media(kabar.KindVideo, func(m *kabar.Media) { m.GIF = true })},
			Buttons: []kabar.RenderedButton{{Type: kabar.ButtonCall, Text: s, Minutes: 60},
				{Type: kabar.ButtonOrder, Text: s, Payment: &kabar.Payment{Currency: s, Items: []kabar.PaidItem{{Name: s, Amount: 500, Quantity: 2}}}}}}},
		"call":            &kabar.Interactive{Type: kabar.InteractiveCall, Body: s, Action: kabar.Action{Call: &kabar.CallButton{Text: s}}},
		"call-permission": &kabar.Interactive{Type: kabar.InteractivePermission, Body: s},
		"call-answer":     &kabar.Reply{Type: kabar.CallReply, Call: &kabar.CallPermission{Response: kabar.CallAccepted}},
		"payment": &kabar.Interactive{Type: kabar.InteractivePayment, Body: s, Action: kabar.Action{Payment: &kabar.Payment{Reference: s, Currency: s, Total: 1100,
			Items: []kabar.PaidItem{{Name: s, Amount: 500, Quantity: 2}}, Subtotal: 1000,
			Extras: []kabar.PaidAmount{{Name: kabar.PaidTax, Amount: 200}, {Name: kabar.PaidDiscount, Amount: 100, Text: s}}}}},
		"order-status": &kabar.Interactive{Type: kabar.InteractiveUpdate, Body: s, Action: kabar.Action{Update: &kabar.OrderUpdate{Reference: s, Status: "partially_shipped", Text: s}}},
		"place":        &kabar.Interactive{Type: kabar.InteractivePlace, Body: s},
	}
}

// flowForm has a component of each kind that is drawn.
func flowForm(s string) string {
	parts := []map[string]any{{"type": "TextHeading", "text": s}, {"type": "TextBody", "text": []string{s, s}}, {"type": "Form", "children": []any{map[string]any{"type": "TextCaption", "text": s}}}}
	choices := []map[string]string{{"id": s, "title": s}, {"id": "2", "title": s, "description": s}}
	for n, kind := range []string{"TextInput", "TextArea", "DatePicker", "OptIn", "Dropdown", "RadioButtonsGroup", "CheckboxGroup", "ChipsSelector"} {
		parts = append(parts, map[string]any{"type": kind, "name": fmt.Sprint("f", n), "label": s, "helper-text": s, "required": n%2 == 0, "data-source": choices, "init-value": s})
	}
	parts = append(parts, map[string]any{"type": "TextInput", "name": "mail", "label": s, "input-type": "email"}, map[string]any{"type": "Image", "src": s},
		map[string]any{"type": "Footer", "label": s, "on-click-action": map[string]any{"name": "complete", "payload": map[string]any{}}})
	b, err := json.Marshal(map[string]any{"version": "5.0", "screens": []any{map[string]any{"id": "ONE", "title": s, "terminal": true,
		"layout": map[string]any{"type": "SingleColumnLayout", "children": parts}}}})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// asking is a flow that asks the business's server.
func asking(form string) string {
	return strings.Replace(form, `"screens"`, `"data_api_version":"3.0","screens"`, 1)
}

// bubble is a bubble around c with everything on it.
func bubble(c kabar.Content, s string) Bubble {
	return Bubble{
		ID: "gBGG+/=", Into: "thread", Who: s, At: noon, Ticks: TicksRead, Unread: true, Forwarded: true, Content: c,
		Media: "/api/customers/34600111222/media/7", Action: "/api/customers/34600111222/messages/gBGG+%2F=",
		Frequent: true, Ad: &Ad{Headline: s, Body: s, URL: "https://example.com/ad", Picture: "/api/customers/34600111222/media/8"}, About: s,
		Page:      &Page{Screen: "ONE", Answers: kabar.FlowAnswers{"ONE": {"f1": s, "f3": true, "f6": []any{"2"}}}, Back: true, Told: s},
		Quote:     &Quote{ID: "m1", Who: s, Line: LineOf(&kabar.Text{Body: s})},
		Reactions: []Reaction{{Emoji: s}, {Mine: true, Emoji: "👍"}, {Emoji: "👍"}},
	}
}
