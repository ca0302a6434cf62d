package payload_test

import (
	"encoding/json"
	"strings"

	"kabar"
	"kabar/internal/payload"
)

// Ids as they travel.
const (
	ours   = "01000000000000002a"               // a business's
	theirs = "000102030405060708090a0b0c0d0e0f" // a customer's
	at     = 1_790_000_000_123
)

// sample is a payload of which every field that travels is set.
type sample struct {
	name    string
	payload *payload.Payload
}

func samples() []sample {
	all := []sample{
		{"receipt", &payload.Payload{Receipt: &payload.Receipt{Status: "played", IDs: []string{ours, theirs}}}},
		{"retry", &payload.Payload{Retry: &payload.Retry{IDs: []string{theirs}}}},
		{"profile", &payload.Payload{Profile: &kabar.Profile{Name: "Warung", Description: "Nasi & mie", Address: "Jl. Merdeka 1", Email: "a@example.com",
			Websites: []string{"https://example.com"}}}},
		{"profile of a shop", &payload.Payload{Profile: &kabar.Profile{Name: "Warung", Vertical: "Restaurant", About: "Open", Photo: []byte("a JPEG")}}},
		{"profile with opening hours", &payload.Payload{Profile: &kabar.Profile{Name: "Warung",
			Hours: &kabar.Hours{Timezone: "Asia/Jakarta", Days: map[string][]kabar.Span{"monday": {{Open: 540, Close: 1440}}}}}}},
		{"deleted", &payload.Payload{Deleted: &payload.Deleted{ID: theirs}}},
		{"blocked", &payload.Payload{Blocked: &payload.Blocked{Blocked: true}}},
		{"reported", &payload.Payload{Reported: &payload.Reported{}}},
		{"hello", &payload.Payload{Hello: &payload.Hello{}}},
		{"flow asked", &payload.Payload{Asked: &kabar.FlowQuestion{ID: theirs, Message: ours, Action: kabar.FlowExchange, Screen: "A", Data: []byte(`{"a":1}`)}}},
		{"flow step", &payload.Payload{Step: &kabar.FlowStep{Question: theirs, Message: ours, Screen: "B", Data: []byte(`{"b":2}`)}}},
		{"flow that is over", &payload.Payload{Step: &kabar.FlowStep{Question: theirs, Message: ours, Fault: kabar.FlowOver, Text: "Sold out"}}},
		{"tapped", &payload.Payload{Tapped: &kabar.LinkTap{ID: theirs, Message: ours, Card: 2, Button: 1}}},
		{"tapped below the message", &payload.Payload{Tapped: &kabar.LinkTap{ID: theirs, Message: ours}}},
		{"typing", &payload.Payload{Typing: &payload.Typing{On: true}}},
	}
	for _, c := range contents() {
		raw, err := payload.Strip(c.content)
		if err != nil {
			panic(err)
		}
		m := &payload.Message{ID: ours, Kind: c.content.Kind(), Content: raw}
		if kabar.MediumOf(c.content) != nil {
			m.Medium = medium()
		}
		if c.content.Kind() == kabar.KindReaction {
			m.Target = theirs
		}
		p := &payload.Payload{Message: m}
		if c.content.Kind() == kabar.KindText {
			p.Name, m.ID, m.ReplyTo, m.Forwarded, m.Frequent = "Ana", theirs, ours, true, true
			m.Referral = &kabar.Referral{Headline: "Sale", Body: "Half price", SourceType: "ad", SourceID: "7", SourceURL: "https://example.com/ad"}
		}
		all = append(all, sample{c.name, p})
	}
	all = append(all, sample{"cards with their media", &payload.Payload{Message: &payload.Message{ID: ours, Kind: kabar.KindTemplate,
		Content: []byte(`{"name":"sale","language":{"code":"en"},"rendered":{"body":"Look","cards":[{"header":{"type":"image","media":{}},"body":"One"},` +
			`{"header":{"type":"image","media":{}},"body":"Two"}]}}`), Cards: []payload.Medium{*medium(), *medium()}}}})
	return append(all, sample{"what a message can be about", &payload.Payload{Name: "Ana", Was: "628111", Message: &payload.Message{ID: theirs,
		Kind: kabar.KindText, Content: []byte(`{"body":"Hi"}`), Referral: &kabar.Referral{Headline: "Sale", Kind: kabar.KindImage}, Picture: medium(),
		Product: &kabar.ProductRef{Catalog: "c1", RetailerID: "p1"}}}})
}

func medium() *payload.Medium {
	return &payload.Medium{Blob: strings.Repeat("B", 43), Key: []byte(strings.Repeat("k", 32)), CipherHash: []byte(strings.Repeat("h", 32)),
		CipherSize: 1040, Size: 1000, SHA256: strings.Repeat("0a", 32), MIME: "image/png"}
}

type named struct {
	name    string
	content kabar.Content
}

// contents has every kind with every field set, those that must not travel, too.
func contents() []named {
	hour := 9
	interactive := func(t kabar.InteractiveType, a kabar.Action) *kabar.Interactive {
		return &kabar.Interactive{Type: t, Header: &kabar.Header{Type: kabar.KindImage, Media: media(kabar.KindImage)}, Body: "Choose", Footer: "Thanks", Action: a}
	}
	rendered := &kabar.Rendered{Header: &kabar.Header{Type: kabar.KindVideo, Media: media(kabar.KindVideo)}, Body: "Hello Ana", Footer: "Bye",
		Buttons: []kabar.RenderedButton{{Type: kabar.ButtonURL, Text: "Open", URL: "https://example.com/1", Phone: "+62811", Payload: "tap"}}}
	return []named{
		{"text", &kabar.Text{Body: "<hi> & 你好", PreviewURL: true}},
		{"text-preview", &kabar.Text{Body: "see https://example.com/", PreviewURL: true,
			Preview: &kabar.Preview{URL: "https://example.com/", Title: "Warung", Description: "Nasi & mie", Image: []byte("a JPEG")}}},
		{"image", media(kabar.KindImage)},
		{"audio", media(kabar.KindAudio)},
		{"video", media(kabar.KindVideo)},
		{"document", media(kabar.KindDocument)},
		{"location", &kabar.Location{Latitude: -6.2, Longitude: 106.8, Name: "Monas", Address: "Jakarta", URL: "https://example.com/monas"}},
		{"reaction", &kabar.Reaction{Target: 7, Unknown: "x", Emoji: "👍"}},
		{"reaction taken back", &kabar.Reaction{}},
		{"interactive button", interactive(kabar.InteractiveButton, kabar.Action{Buttons: []kabar.ReplyButton{{ID: "y", Title: "Yes"}}})},
		{"interactive list", &kabar.Interactive{Type: kabar.InteractiveList, Header: &kabar.Header{Type: kabar.KindText, Text: "Menu"}, Body: "Choose",
			Action: kabar.Action{Button: "Open", Sections: []kabar.Section{{Title: "Food", Rows: []kabar.Row{{ID: "1", Title: "Nasi", Description: "goreng"}}}}}}},
		{"template", &kabar.Template{Name: "hello", Namespace: "ns", Language: kabar.Language{Policy: "deterministic", Code: "en"},
			Components: []kabar.Component{{Type: kabar.ComponentBody, Parameters: []kabar.Parameter{{Type: kabar.ParameterDateTime, DateTime: &kabar.DateTime{Hour: &hour}}}}},
			Rendered:   rendered, Category: kabar.CategoryUtility}},
		{"template of a shop", &kabar.Template{Name: "hello", Language: kabar.Language{Policy: "deterministic", Code: "en"}, Rendered: &kabar.Rendered{
			Header: &kabar.Header{Type: kabar.KindLocation, Location: &kabar.Location{Latitude: -6.2, Longitude: 106.8}}, Body: "Hello Ana",
			Buttons: []kabar.RenderedButton{{Type: kabar.ButtonCopyCode, Text: "Copy", Code: "SALE"}, {Type: kabar.ButtonCatalog, Text: "Shop", Product: "p1"},
				{Type: kabar.ButtonFlow, Text: "Book", Flow: &kabar.RenderedFlow{ID: "1", Name: "book", Action: kabar.FlowNavigate, Screen: "A", Token: "t", Data: `{"a":1}`}}}}}},
		{"template with cards", &kabar.Template{Name: "sale", Language: kabar.Language{Code: "en"}, Rendered: &kabar.Rendered{Body: "Look",
			Cards: []kabar.Rendered{{Header: &kabar.Header{Type: kabar.KindImage, Media: media(kabar.KindImage)}, Body: "Tea",
				Buttons: []kabar.RenderedButton{{Type: kabar.ButtonQuickReply, Text: "More", Payload: "more"}}}},
			Offer: &kabar.RenderedOffer{Text: "Half price", Ends: 1_900_000_000_000}}}},
		{"template with products", &kabar.Template{Name: "shop", Language: kabar.Language{Code: "en"}, Rendered: &kabar.Rendered{
			Header: &kabar.Header{Type: kabar.HeaderProduct, Product: &kabar.ProductRef{Catalog: "c1", RetailerID: "p1"}}, Body: "Look",
			Buttons: []kabar.RenderedButton{{Type: kabar.ButtonProducts, Text: "View", Product: "p1", Sections: []kabar.Section{{Title: "Food", Products: []string{"p1"}}}},
				{Type: kabar.ButtonProduct, Text: "View"}}, Products: []kabar.Product{product()}}}},
		{"template that asks to call", &kabar.Template{Name: "call", Language: kabar.Language{Code: "en"}, Rendered: &kabar.Rendered{Body: "May we?", Permission: true,
			Header: &kabar.Header{Type: kabar.KindVideo, Media: gif()}, Buttons: []kabar.RenderedButton{{Type: kabar.ButtonCall, Text: "Call", Minutes: 60},
				{Type: kabar.ButtonOrder, Text: "Pay", Payment: &kabar.Payment{Reference: "r", Goods: "digital-goods", Currency: "INR", Status: "pending"}}}}}},
		{"template with a flow", &kabar.Template{Name: "hello", Language: kabar.Language{Code: "en"}, Rendered: &kabar.Rendered{Body: "Hello Ana",
			Buttons: []kabar.RenderedButton{{Type: kabar.ButtonFlow, Text: "Book", Flow: &kabar.RenderedFlow{ID: "1", Form: "{}"}}}}}},
		{"reply to a button", &kabar.Reply{Type: kabar.ButtonReply, ID: "y", Title: "Yes"}},
		{"reply to a list", &kabar.Reply{Type: kabar.ListReply, ID: "1", Title: "Nasi", Description: "goreng"}},
		{"reply to a form", &kabar.Reply{Type: kabar.FormReply, Form: &kabar.Form{Name: kabar.FormFlow, Body: "Sent", Response: `{"size":"L"}`}}},
		{"sticker", sticker()},
		{"contacts", &kabar.Contacts{Cards: []kabar.Card{card()}}},
		{"order", &kabar.Order{Catalog: "c1", Text: "soon", Items: []kabar.OrderItem{{RetailerID: "p1", Quantity: 2, Price: 12500, Currency: "EUR"}}}},
		{"interactive product", &kabar.Interactive{Type: kabar.InteractiveProduct, Action: kabar.Action{Catalog: "c1", Product: "p1", Products: []kabar.Product{product()}}}},
		{"interactive products", &kabar.Interactive{Type: kabar.InteractiveProducts, Header: &kabar.Header{Type: kabar.KindText, Text: "Shop"}, Body: "Choose",
			Action: kabar.Action{Catalog: "c1", Sections: []kabar.Section{{Title: "Food", Products: []string{"p1"}}}, Products: []kabar.Product{product()}}}},
		{"interactive link", &kabar.Interactive{Type: kabar.InteractiveLink, Body: "Look", Action: kabar.Action{Link: &kabar.Link{Text: "Open", URL: "https://example.com"}}}},
		{"interactive flow", &kabar.Interactive{Type: kabar.InteractiveFlow, Body: "Book", Action: kabar.Action{Flow: &kabar.Flow{Version: "3", ID: "1", Token: "t",
			Text: "Go", Action: kabar.FlowNavigate, Payload: json.RawMessage(`{"screen":"A"}`)}}}},
		{"interactive flow by name", &kabar.Interactive{Type: kabar.InteractiveFlow, Body: "Book", Action: kabar.Action{Flow: &kabar.Flow{Version: "3", ID: "1", Name: "book",
			Draft: true, Text: "Go", Form: "{}"}}}},
		{"interactive carousel", &kabar.Interactive{Type: kabar.InteractiveCarousel, Body: "Look", Action: kabar.Action{Cards: []kabar.CarouselCard{
			{Type: kabar.CardLink, Header: &kabar.Header{Type: kabar.KindImage, Media: media(kabar.KindImage)}, Body: "One", Link: &kabar.Link{Text: "Open", URL: "https://example.com"}},
			{Type: kabar.CardLink, Header: &kabar.Header{Type: kabar.KindImage, Media: media(kabar.KindImage)}, Buttons: []kabar.ReplyButton{{ID: "y", Title: "Yes"}}},
			{Type: kabar.CardProduct, Catalog: "c1", Product: "p1"}}}}},
		{"interactive call", &kabar.Interactive{Type: kabar.InteractiveCall, Body: "Call", Action: kabar.Action{Call: &kabar.CallButton{Text: "Now", Minutes: 10}}}},
		{"interactive call permission", &kabar.Interactive{Type: kabar.InteractivePermission, Body: "May we?"}},
		{"interactive order details", &kabar.Interactive{Type: kabar.InteractivePayment, Body: "Pay", Action: kabar.Action{Payment: &kabar.Payment{Reference: "r", Goods: "digital-goods",
			Currency: "INR", Configuration: "c", Total: 1100, Status: "pending", Items: []kabar.PaidItem{{RetailerID: "1", Name: "bread", Amount: 1500, Sale: 1000, Quantity: 1}},
			Subtotal: 1000, Extras: []kabar.PaidAmount{{Name: kabar.PaidTax, Amount: 100, Text: "VAT"}}}}}},
		{"interactive order status", &kabar.Interactive{Type: kabar.InteractiveUpdate, Body: "Sent", Action: kabar.Action{Update: &kabar.OrderUpdate{Reference: "r", Status: "shipped",
			Text: "by bike"}}}},
		{"reply to a call permission", &kabar.Reply{Type: kabar.CallReply, Call: &kabar.CallPermission{Response: kabar.CallAccepted, Expires: 1_790_000_000, Source: "user_action"}}},
		{"interactive address", &kabar.Interactive{Type: kabar.InteractiveAddress, Body: "Where", Action: kabar.Action{Address: &kabar.AddressForm{Country: "IN",
			Values: map[string]string{"name": "Ana"}, Errors: map[string]string{"city": "unknown"}, Saved: []kabar.SavedAddress{{ID: "1", Value: map[string]string{"name": "Ana"}}}}}}},
		{"button", &kabar.Button{Text: "Yes", Payload: "tap"}},
		{"unsupported", &kabar.Unsupported{Detail: "a hologram"}},
		{"ephemeral", &kabar.Unsupported{Ephemeral: true}},
	}
}

func product() kabar.Product {
	return kabar.Product{Account: 9, Catalog: "c1", RetailerID: "p1", Name: "Nasi", Price: 12500, Currency: "EUR", Image: "https://example.com/p.jpg", Availability: kabar.InStock}
}

func card() kabar.Card {
	return kabar.Card{Name: kabar.CardName{Formatted: "Ana R", First: "Ana", Last: "R", Middle: "M", Suffix: "Jr", Prefix: "Dr"},
		Phones: []kabar.CardPhone{{Phone: "+62811", Type: "CELL", WaID: "62811"}}, Emails: []kabar.CardEmail{{Email: "a@example.com", Type: "WORK"}},
		Addresses: []kabar.CardAddress{{Street: "1", City: "2", State: "3", Zip: "4", Country: "5", CountryCode: "6", Type: "HOME"}},
		URLs:      []kabar.CardURL{{URL: "https://example.com", Type: "WORK"}}, Org: &kabar.CardOrg{Company: "C", Department: "D", Title: "T"},
		Birthday: "2001-02-03", IMs: []kabar.CardIM{{Service: "AIM", UserID: "ana"}}}
}

func sticker() *kabar.Media {
	m := media(kabar.KindSticker)
	m.Pack = &kabar.StickerPack{ID: "p", Name: "Cats", Publisher: "Ana", Emojis: []string{"🐈"}, IOS: "https://example.com/i", Android: "https://example.com/a", FirstParty: true}
	return m
}

// media returns a medium with every field set.
func media(kind kabar.Kind) *kabar.Media {
	m := kabar.NewMedia(kind)
	m.ID, m.Link, m.Provider = 77, "https://internal.example.com/x", "secret"
	m.MIME, m.SHA256, m.Size, m.Caption, m.Filename, m.Voice = "image/png", strings.Repeat("0a", 32), 1000, "look", "a.png", true
	return m
}

func gif() *kabar.Media {
	m := media(kabar.KindVideo)
	m.GIF = true
	return m
}
