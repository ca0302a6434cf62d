package phone_test

import (
	"fmt"
	"testing"

	"kabar"
	"kabar/internal/payload"
)

var shelf = &kabar.Interactive{
	Type: kabar.InteractiveProducts, Header: &kabar.Header{Type: kabar.KindText, Text: "Menu"}, Body: "Which?",
	Action: kabar.Action{Catalog: "c1", Sections: []kabar.Section{{Title: "Food", Products: []string{"rice", "gone"}}}, Products: []kabar.Product{
		{Catalog: "c1", RetailerID: "rice", Name: "Rice", Price: 12500, Currency: "EUR", Availability: kabar.InStock},
		{Catalog: "c1", RetailerID: "gone", Name: "Gone", Price: 1000, Currency: "EUR", Availability: kabar.OutOfStock},
	}},
}

// asked has the business say something, and returns the handset's id of it.
func asked(h *handsets, b *business, ana string, content kabar.Content) string {
	b.say(ana, content)
	var id string
	h.expect(ana, "the question", func(m map[string]any) bool {
		id, _ = m["id"].(string)
		i, ok := content.(*kabar.Interactive)
		return m["from"] == shop && ok && path(m, "interactive", "type") == string(i.Type)
	})
	return id
}

func lastMessage(b *business) *payload.Message {
	all := b.all(func(a arrived) bool { return a.Message != nil })
	return all[len(all)-1].Message
}

func TestOrder(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	on := "/customers/" + ana + "/messages/"
	id := asked(h, b, ana, shelf)
	for body, status := range map[string]int{
		`{}`: 422, `{"items":[]}`: 422, `{"items":[{"product_retailer_id":"x","quantity":1}]}`: 404,
		`{"items":[{"product_retailer_id":"gone","quantity":1}]}`: 409, `{"items":[{"product_retailer_id":"rice"}]}`: 422,
		`{"items":[{"product_retailer_id":"rice","quantity":10000}]}`: 422,
	} {
		if got, answer := h.call("POST", on+id+"/order", body); got != status && (status != 422 || got != 400) {
			t.Errorf("%s is answered %d %v", body, got, answer)
		}
	}
	order := h.want(201, "POST", on+id+"/order", `{"text":"soon","items":[{"product_retailer_id":"rice","quantity":2}]}`)["id"].(string)
	h.expectStatus(ana, order, "delivered")
	want := `{"catalog_id":"c1","text":"soon","product_items":[{"product_retailer_id":"rice","quantity":2,"item_price":12500,"currency":"EUR"}]}`
	if m := lastMessage(b); m.Kind != kabar.KindOrder || string(m.Content) != want || len(m.ReplyTo) != 18 {
		t.Errorf("the business got %s %s, in answer to %q", m.Kind, m.Content, m.ReplyTo)
	}
	all := h.messages(ana)
	if shown := all[len(all)-1]; fmt.Sprint(path(shown, "order", "product_items")) != "[map[currency:EUR item_price:12.5 product_retailer_id:rice quantity:2]]" {
		t.Errorf("the order is shown as %v", shown)
	}
	if status, _ := h.call("POST", on+order+"/order", `{"items":[{"product_retailer_id":"rice","quantity":2}]}`); status != 409 {
		t.Errorf("an order from an order is answered %d", status)
	}
}

// What a template shows is ordered, too: above its text, behind its button and on its cards, each product once.
func TestOrderFromATemplate(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	rice, tea := kabar.Product{Catalog: "c1", RetailerID: "rice", Name: "Rice", Price: 12500, Currency: "EUR", Availability: kabar.InStock},
		kabar.Product{Catalog: "c1", RetailerID: "tea", Name: "Tea", Price: 1000, Currency: "EUR", Availability: kabar.InStock}
	card := func(p kabar.Product) kabar.Rendered {
		return kabar.Rendered{Header: &kabar.Header{Type: kabar.HeaderProduct, Product: &kabar.ProductRef{Catalog: "c1", RetailerID: p.RetailerID}}, Products: []kabar.Product{p}}
	}
	b.say(ana, &kabar.Template{Name: "shop", Language: kabar.Language{Code: "en"}, Rendered: &kabar.Rendered{Body: "Look",
		Products: []kabar.Product{rice}, Cards: []kabar.Rendered{card(rice), card(tea)}}})
	shown := h.expect(ana, "the template", func(m map[string]any) bool { return m["from"] == shop && m["type"] == "template" })
	id := shown["id"].(string)
	order := h.want(201, "POST", "/customers/"+ana+"/messages/"+id+"/order", `{"items":[{"product_retailer_id":"tea","quantity":2}]}`)["id"].(string)
	h.expectStatus(ana, order, "delivered")
	want := `{"catalog_id":"c1","product_items":[{"product_retailer_id":"tea","quantity":2,"item_price":1000,"currency":"EUR"}]}`
	if m := lastMessage(b); m.Kind != kabar.KindOrder || string(m.Content) != want || len(m.ReplyTo) != 18 {
		t.Errorf("the business got %s %s, in answer to %q", m.Kind, m.Content, m.ReplyTo)
	}
	if got := path(shown, "template", "products"); fmt.Sprint(got) != "[map[availability:in stock currency:EUR name:Rice price:12.5 product_retailer_id:rice]]" {
		t.Errorf("the products are shown as %v", got)
	}
	if got := path(shown, "template", "cards").([]any)[1]; fmt.Sprint(path(got.(map[string]any), "products")) != "[map[availability:in stock currency:EUR name:Tea price:1 product_retailer_id:tea]]" {
		t.Errorf("a card is shown as %v", got)
	}
}

func TestAnswerAForm(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	on := "/customers/" + ana + "/messages/"
	flow := asked(h, b, ana, &kabar.Interactive{Type: kabar.InteractiveFlow, Body: "Book", Action: kabar.Action{Flow: &kabar.Flow{Version: "3", ID: "1", Token: "t-1", Text: "Go"}}})
	address := asked(h, b, ana, &kabar.Interactive{Type: kabar.InteractiveAddress, Body: "Where", Action: kabar.Action{Address: &kabar.AddressForm{Country: "IN"}}})
	for _, c := range []struct{ id, want string }{
		{flow, `{"type":"nfm_reply","form":{"name":"flow","body":"Sent","response":"{\"flow_token\":\"t-1\",\"size\":2}"}}`},
		{address, `{"type":"nfm_reply","form":{"name":"address_message","body":"Address sent","response":"{\"values\":{\"size\":2}}"}}`},
	} {
		answer := h.want(201, "POST", on+c.id+"/answer", `{"response":{"size":2}}`)["id"].(string)
		h.expectStatus(ana, answer, "delivered")
		if m := lastMessage(b); m.Kind != kabar.KindReply || string(m.Content) != c.want || len(m.ReplyTo) != 18 {
			t.Errorf("the business got %s %s", m.Kind, m.Content)
		}
	}
	place := asked(h, b, ana, &kabar.Interactive{Type: kabar.InteractivePlace, Body: "Where?"})
	if status, _ := h.call("POST", on+place+"/answer", `{"response":{"a":1}}`); status != 400 {
		t.Errorf("an answer without a location is answered %d", status)
	}
	all := h.messages(ana)
	h.expectStatus(ana, h.want(201, "POST", on+place+"/answer", `{"location":{"latitude":1.5,"longitude":2}}`)["id"].(string), "delivered")
	if m := lastMessage(b); m.Kind != kabar.KindLocation || string(m.Content) != `{"latitude":1.5,"longitude":2}` || len(m.ReplyTo) != 18 {
		t.Errorf("the business got %s %s", m.Kind, m.Content)
	}
	if got := path(all[len(all)-2], "interactive", "nfm_reply", "name"); got != "address_message" {
		t.Errorf("the answer is shown as %v", all[len(all)-1])
	}
	if status, _ := h.call("POST", on+flow+"/answer", `{"response":{}}`); status != 400 {
		t.Errorf("an empty answer is answered %d", status)
	}
	mine := h.writes(ana, "hi")
	if status, _ := h.call("POST", on+mine+"/answer", `{"response":{"a":1}}`); status != 409 {
		t.Errorf("an answer to a text is answered %d", status)
	}
}

func TestForward(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	on := "/customers/" + ana + "/messages/"
	id := h.writes(ana, "news")
	first := h.want(201, "POST", on+id+"/forward", "")["id"].(string)
	h.expectStatus(ana, first, "delivered")
	if m := lastMessage(b); !m.Forwarded || m.Frequent || string(m.Content) != `{"body":"news"}` {
		t.Errorf("the business got %+v", m)
	}
	often := h.want(201, "POST", on+first+"/forward", `{"frequently_forwarded":true}`)["id"].(string)
	again := h.want(201, "POST", on+often+"/forward", "")["id"].(string)
	h.expectStatus(ana, again, "delivered")
	if m := lastMessage(b); !m.Forwarded || !m.Frequent {
		t.Errorf("the business got %+v", m)
	}
	picture := h.upload(ana, "image/png", []byte("\x89PNG\r\n\x1a\npicture"))
	sent := h.want(201, "POST", "/customers/"+ana+"/messages", `{"type":"image","image":{"id":"`+picture+`","caption":"look"}}`)["id"].(string)
	h.expectStatus(ana, h.want(201, "POST", on+sent+"/forward", "")["id"].(string), "delivered")
	if m := lastMessage(b); m.Kind != kabar.KindImage || m.Medium == nil || !m.Forwarded {
		t.Errorf("the business got %+v", m)
	}
	location := h.want(201, "POST", "/customers/"+ana+"/messages", `{"type":"unsupported"}`)["id"].(string)
	if status, _ := h.call("POST", on+location+"/forward", ""); status != 409 {
		t.Errorf("what cannot be forwarded is answered %d", status)
	}
}

func TestComeFromAnAd(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	picture := h.upload(ana, "image/png", []byte("\x89PNG\r\n\x1a\npicture"))
	ad := func(members string) string {
		return `{"text":{"body":"hi"},"referral":{"headline":"Sale",` + members + `}}`
	}
	id := h.want(201, "POST", "/customers/"+ana+"/messages", ad(`"body":"Half price","source_id":"7","source_url":"https://example.com","image":{"id":"`+picture+`"}`))["id"].(string)
	h.expectStatus(ana, id, "delivered")
	m := lastMessage(b)
	if m.Picture == nil || m.Medium != nil || m.Referral.Kind != kabar.KindImage || m.Referral.SourceType != "ad" || m.Referral.Headline != "Sale" {
		t.Errorf("the business got %+v, %+v", m, m.Referral)
	}
	if shown := h.messages(ana)[0]; path(shown, "referral", "image", "id") != picture || path(shown, "referral", "source_url") != "https://example.com" {
		t.Errorf("the handset shows %v", shown)
	}
	for _, bad := range []string{ad(`"source_type":"poster"`), ad(`"image":{"id":"x"}`), ad(`"image":{}`), ad(`"video":{"id":"` + picture + `"}`), ad(`"video":{"id":"a"},"image":{"id":"b"}`),
		`{"type":"image","image":{"id":"` + picture + `"},"referral":{"image":{"id":"` + picture + `"}}}`} {
		if status, answer := h.call("POST", "/customers/"+ana+"/messages", bad); status != 400 && status != 404 {
			t.Errorf("%s is answered %d %v", bad, status, answer)
		}
	}
}

// A flow that came with the message is filled in screen by screen, and its end says what the business gets.
func TestFillInAFlow(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	on := "/customers/" + ana + "/messages/"
	known := asked(h, b, ana, &kabar.Interactive{Type: kabar.InteractiveFlow, Body: "Book", Action: kabar.Action{Flow: &kabar.Flow{Version: "3", ID: "1", Token: "t-2", Text: "Go",
		Form: `{"version":"5.0","screens":[{"id":"ONE","terminal":true,"layout":{"type":"SingleColumnLayout","children":[{"type":"TextInput","name":"who","label":"Who","required":true},
			{"type":"Footer","label":"Send","on-click-action":{"name":"complete","payload":{"guest":"${form.who}"}}}]}}]}`}}})
	if status, out := h.call("POST", on+known+"/answer", `{"screens":{"ONE":{}}}`); status != 400 {
		t.Errorf("a flow without what it requires is answered %d %v", status, out)
	}
	address := asked(h, b, ana, &kabar.Interactive{Type: kabar.InteractiveAddress, Body: "Where", Action: kabar.Action{Address: &kabar.AddressForm{Country: "IN"}}})
	if status, _ := h.call("POST", on+address+"/answer", `{"screens":{"ONE":{"who":"Ana"}}}`); status != 409 {
		t.Errorf("screens of what is no flow are answered %d", status)
	}
	h.expectStatus(ana, h.want(201, "POST", on+known+"/answer", `{"screens":{"ONE":{"who":"Ana"}}}`)["id"].(string), "delivered")
	if m := lastMessage(b); string(m.Content) != `{"type":"nfm_reply","form":{"name":"flow","body":"Sent","response":"{\"flow_token\":\"t-2\",\"guest\":\"Ana\"}"}}` {
		t.Errorf("the business got %s", m.Content)
	}
}

// The flow of a template's button is filled in as one of a message of its own.
func TestFillInTheFlowOfATemplate(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	b.say(ana, &kabar.Template{Name: "book", Language: kabar.Language{Code: "en"}, Rendered: &kabar.Rendered{Body: "A table is free", Buttons: []kabar.RenderedButton{
		{Type: kabar.ButtonFlow, Text: "Book", Flow: &kabar.RenderedFlow{ID: "1", Token: "t-4", Data: `{"hint":"Name"}`,
			Form: `{"version":"5.0","screens":[{"id":"ONE","terminal":true,"layout":{"type":"SingleColumnLayout","children":[{"type":"TextInput","name":"who","label":"${data.hint}"},
				{"type":"Footer","label":"Send","on-click-action":{"name":"complete","payload":{"guest":"${form.who}","hint":"${data.hint}"}}}]}}]}`}}}}})
	m := h.expect(ana, "the template", func(m map[string]any) bool { return m["from"] == shop && m["type"] == "template" })
	on := "/customers/" + ana + "/messages/" + m["id"].(string)
	h.expectStatus(ana, h.want(201, "POST", on+"/answer", `{"screens":{"ONE":{"who":"Ana"}}}`)["id"].(string), "delivered")
	if m := lastMessage(b); string(m.Content) != `{"type":"nfm_reply","form":{"name":"flow","body":"Sent","response":"{\"flow_token\":\"t-4\",\"guest\":\"Ana\",\"hint\":\"Name\"}"}}` || len(m.ReplyTo) != 18 {
		t.Errorf("the business got %s", m.Content)
	}
}
