package phone_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/msgid"
	"kabar/internal/patience"
	"kabar/internal/payload"
)

func TestACustomerAndABusinessTalk(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	id := h.writes(ana, "Hello")
	got := b.expectText("Hello")
	if got.from != ana || got.Name != "Ana" || len(got.Message.ID) != 32 {
		t.Errorf("the business got %q from %q called %q", got.Message.ID, got.from, got.Name)
	}
	h.expectStatus(ana, id, "delivered")
	b.post(ana, &payload.Payload{Receipt: &payload.Receipt{Status: "read", IDs: []string{got.Message.ID}}})
	h.expectStatus(ana, id, "read")

	wire := b.text(ana, "Welcome")
	m := h.expectText(ana, "Welcome")
	b.expectReceipt("delivered", wire)
	if m["status"] != "received" {
		t.Errorf("before reading the status is %v", m["status"])
	}
	h.want(200, "POST", "/customers/"+ana+"/messages/"+m["id"].(string)+"/read", "")
	b.expectReceipt("read", wire)
	h.expectStatus(ana, m["id"].(string), "read")
	if list := h.messages(ana); len(list) != 2 || list[0]["id"] != id {
		t.Errorf("the handset shows %v", list)
	}
}

// Every kind that a customer can send arrives as the business's side knows it, and shows in the handset's own list.
func TestKindsACustomerSends(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	b.text(ana, "Which one?")
	asked := h.expectText(ana, "Which one?")["id"].(string)
	tests := []struct {
		kind kabar.Kind
		body string
		want string // content on the wire
		show string // type in the list
	}{
		{kabar.KindText, `{"type":"text","text":{"body":"a"},"context":{"message_id":"` + asked + `"}}`, `{"body":"a"}`, "text"},
		{kabar.KindLocation, `{"type":"location","location":{"latitude":-6.2,"longitude":106.8,"name":"Monas","address":"Jakarta","url":"https://example.com"}}`,
			`{"latitude":-6.2,"longitude":106.8,"name":"Monas","address":"Jakarta","url":"https://example.com"}`, "location"},
		{kabar.KindReaction, `{"type":"reaction","reaction":{"message_id":"` + asked + `","emoji":"👍"}}`, `{"emoji":"👍"}`, "reaction"},
		{kabar.KindReply, `{"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"y","title":"Yes"}}}`,
			`{"type":"button_reply","id":"y","title":"Yes"}`, "interactive"},
		{kabar.KindReply, `{"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"r","title":"Row","description":"d"}}}`,
			`{"type":"list_reply","id":"r","title":"Row","description":"d"}`, "interactive"},
		{kabar.KindButton, `{"type":"button","button":{"text":"Stop","payload":"STOP"}}`, `{"text":"Stop","payload":"STOP"}`, "button"},
		{kabar.KindUnsupported, `{"type":"unsupported"}`, `{}`, "unsupported"},
		{kabar.KindUnsupported, `{"type":"ephemeral"}`, `{"ephemeral":true}`, "ephemeral"},
		{kabar.KindContacts, `{"type":"contacts","contacts":[{"name":{"formatted_name":"Budi","first_name":"Budi"}}]}`,
			`{"cards":[{"name":{"formatted_name":"Budi","first_name":"Budi"}}]}`, "contacts"},
		{kabar.KindOrder, `{"type":"order","order":{"catalog_id":"c","product_items":[{"product_retailer_id":"p","quantity":1,"item_price":1.005,"currency":"EUR"}]},"context":{"referred_product":{"catalog_id":"c","product_retailer_id":"p"}}}`,
			`{"catalog_id":"c","product_items":[{"product_retailer_id":"p","quantity":1,"item_price":1005,"currency":"EUR"}]}`, "order"},
		{kabar.KindReply, `{"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","response_json":"{\"a\":1}"}}}`,
			`{"type":"nfm_reply","form":{"name":"flow","body":"Sent","response":"{\"a\":1}"}}`, "interactive"},
	}
	for _, tt := range tests {
		id := h.want(201, "POST", "/customers/"+ana+"/messages", tt.body)["id"].(string)
		h.expectStatus(ana, id, "delivered")
		all := b.all(func(a arrived) bool { return a.Message != nil })
		got := all[len(all)-1].Message
		if got.Kind != tt.kind || string(got.Content) != tt.want {
			t.Errorf("%s arrived as %s %s, want %s %s", tt.body, got.Kind, got.Content, tt.kind, tt.want)
		}
		list := h.messages(ana)
		if shown := list[len(list)-1]; shown["type"] != tt.show || tt.show != "unsupported" && tt.show != "ephemeral" && shown[tt.show] == nil {
			t.Errorf("%s is shown as %v", tt.body, shown)
		}
	}
	first := b.all(func(a arrived) bool { return a.Message != nil })[0].Message
	if len(first.ReplyTo) != 18 {
		t.Errorf("the reply quotes %q", first.ReplyTo)
	}
}

func TestForwardedAndReferral(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	h.want(201, "POST", "/customers/"+ana+"/messages",
		`{"text":{"body":"ad"},"forwarded":true,"referral":{"headline":"Shoes","source_type":"ad","source_id":"7","source_url":"https://example.com"}}`)
	m := b.expectText("ad").Message
	if !m.Forwarded || m.Frequent || m.Referral == nil || m.Referral.Headline != "Shoes" || m.Referral.SourceID != "7" {
		t.Errorf("the business got %+v, referral %+v", m, m.Referral)
	}
	shown := h.messages(ana)[0]
	if path(shown, "context", "forwarded") != true || path(shown, "referral", "headline") != "Shoes" {
		t.Errorf("the handset shows %v", shown)
	}
	h.want(201, "POST", "/customers/"+ana+"/messages", `{"text":{"body":"chain"},"frequently_forwarded":true}`)
	if m := b.expectText("chain").Message; !m.Forwarded || !m.Frequent {
		t.Errorf("the business got %+v", m)
	}
}

var choices = &kabar.Interactive{
	Type: kabar.InteractiveButton, Header: &kabar.Header{Type: kabar.KindText, Text: "Pizza"}, Body: "Hungry?", Footer: "Today",
	Action: kabar.Action{Buttons: []kabar.ReplyButton{{ID: "yes", Title: "Yes"}, {ID: "no", Title: "No"}}},
}

var menu = &kabar.Interactive{
	Type: kabar.InteractiveList, Body: "Menu",
	Action: kabar.Action{Button: "Open", Sections: []kabar.Section{{Title: "A", Rows: []kabar.Row{{ID: "1", Title: "Margherita", Description: "classic"}}}}},
}

var offer = &kabar.Template{
	Name: "offer", Language: kabar.Language{Code: "en"},
	Rendered: &kabar.Rendered{Body: "20% off", Footer: "ends today", Buttons: []kabar.RenderedButton{
		{Type: kabar.ButtonQuickReply, Text: "Stop", Payload: "STOP-1"},
		{Type: kabar.ButtonURL, Text: "Shop", URL: "https://example.com/shop"},
	}, Cards: []kabar.Rendered{
		{Body: "Tea", Buttons: []kabar.RenderedButton{{Type: kabar.ButtonQuickReply, Text: "More", Payload: "MORE-1"}}},
		{Body: "Cups", Buttons: []kabar.RenderedButton{{Type: kabar.ButtonQuickReply, Text: "More", Payload: "MORE-2"},
			{Type: kabar.ButtonURL, Text: "Shop", URL: "https://example.com/cups"}}},
	}},
}

var cards = &kabar.Interactive{Type: kabar.InteractiveCarousel, Body: "Which?", Action: kabar.Action{Cards: []kabar.CarouselCard{
	{Type: kabar.CardLink, Header: &kabar.Header{Type: kabar.KindImage, Media: kabar.NewMedia(kabar.KindImage)}, Buttons: []kabar.ReplyButton{{ID: "a", Title: "This"}}},
	{Type: kabar.CardLink, Header: &kabar.Header{Type: kabar.KindImage, Media: kabar.NewMedia(kabar.KindImage)}, Buttons: []kabar.ReplyButton{{ID: "b", Title: "That"}}},
}}}

func TestTap(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	ids := map[string]string{}
	for name, content := range map[string]kabar.Content{"interactive": choices, "template": offer} {
		b.say(ana, content)
		ids[name] = h.expect(ana, name, func(m map[string]any) bool { return m["type"] == name })["id"].(string)
	}
	b.say(ana, menu)
	ids["list"] = h.expect(ana, "the menu", func(m map[string]any) bool { return path(m, "interactive", "type") == "list" })["id"].(string)
	b.say(ana, cards)
	ids["cards"] = h.expect(ana, "the cards", func(m map[string]any) bool { return path(m, "interactive", "type") == "carousel" })["id"].(string)
	b.say(ana, &kabar.Interactive{Type: kabar.InteractivePermission, Body: "May we call?"})
	ids["call"] = h.expect(ana, "the question", func(m map[string]any) bool { return path(m, "interactive", "type") == "call_permission_request" })["id"].(string)
	b.say(ana, &kabar.Template{Name: "call", Language: kabar.Language{Code: "en"}, Rendered: &kabar.Rendered{Body: "May we call?", Permission: true}})
	ids["call template"] = h.expect(ana, "the template", func(m map[string]any) bool { return path(m, "template", "call_permission_request") == true })["id"].(string)
	tests := []struct {
		on, tap string
		status  int
		want    string // of the content that arrives, or of the answer
	}{
		{"interactive", `{"button":"no"}`, 201, `{"type":"button_reply","id":"no","title":"No"}`},
		{"list", `{"row":"1"}`, 201, `{"type":"list_reply","id":"1","title":"Margherita","description":"classic"}`},
		{"template", `{"button":"STOP-1"}`, 201, `{"text":"Stop","payload":"STOP-1"}`},
		{"template", `{"button":"Stop"}`, 201, `{"text":"Stop","payload":"STOP-1"}`},
		{"template", `{"url":"Shop"}`, 200, "https://example.com/shop"},
		{"template", `{"url":"https://example.com/cups"}`, 200, "https://example.com/cups"},
		{"template", `{"url":"Shop","card":2}`, 200, "https://example.com/cups"},
		{"template", `{"url":"Shop","card":1}`, 404, `url "Shop"`},
		{"template", `{"url":"Shop","card":-1}`, 404, `url "Shop"`},
		{"template", `{"button":"More","card":2}`, 201, `{"text":"More","payload":"MORE-2"}`},
		{"cards", `{"button":"b","card":2}`, 201, `{"type":"button_reply","id":"b","title":"That"}`},
		{"cards", `{"button":"b","card":1}`, 404, `button "b"`},
		{"list", `{"row":"1","card":1}`, 404, `row "1"`},
		{"interactive", `{"button":"maybe"}`, 404, `"yes"`},
		{"interactive", `{"row":"yes"}`, 404, `"no"`},
		{"list", `{"row":"2"}`, 404, `row "1"`},
		{"template", `{"button":"MORE-2"}`, 201, `{"text":"More","payload":"MORE-2"}`},
		{"template", `{"url":"Stop"}`, 404, `url "Shop"`},
		{"cards", `{"button":"b"}`, 201, `{"type":"button_reply","id":"b","title":"That"}`},
		{"cards", `{"button":"c"}`, 404, `button "a"`},
		{"call", `{"call":"reject"}`, 201, `{"type":"call_permission_reply","call":{"response":"reject","source":"user_action"}}`},
		{"call", `{"call":"later"}`, 404, `call "accept"`},
		{"call template", `{"call":"reject"}`, 201, `{"type":"call_permission_reply","call":{"response":"reject","source":"user_action"}}`},
		{"call template", `{"call":"later"}`, 404, `call "accept"`},
		{"template", `{"call":"reject"}`, 404, `"Shop"`},
		{"interactive", `{"call":"accept"}`, 404, `"yes"`},
		{"interactive", `{}`, 400, "Give the one"},
		{"interactive", `{"button":"yes","row":"1"}`, 400, "Give the one"},
	}
	for _, tt := range tests {
		before := len(b.all(func(a arrived) bool { return a.Message != nil }))
		status, out := h.call("POST", "/customers/"+ana+"/messages/"+ids[tt.on]+"/tap", tt.tap)
		if status != tt.status {
			t.Errorf("%s on %s: %d %v, want %d", tt.tap, tt.on, status, out, tt.status)
			continue
		}
		switch status {
		case 200:
			if out["url"] != tt.want {
				t.Errorf("%s on %s: %v", tt.tap, tt.on, out)
			}
		case 201:
			h.expectStatus(ana, out["id"].(string), "delivered")
			got := b.all(func(a arrived) bool { return a.Message != nil })
			if len(got) != before+1 || string(got[before].Message.Content) != tt.want || len(got[before].Message.ReplyTo) != 18 {
				t.Errorf("%s on %s arrived as %s", tt.tap, tt.on, got[len(got)-1].Message.Content)
			}
		default:
			if text, _ := path(out, "error", "message").(string); !strings.Contains(text, tt.want) {
				t.Errorf("%s on %s: %q does not tell %q", tt.tap, tt.on, text, tt.want)
			}
		}
	}
}

func TestWhatABusinessSendsIsShown(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	b.say(ana, choices)
	b.say(ana, menu)
	b.say(ana, offer)
	b.say(ana, &kabar.Location{Latitude: 1, Longitude: 2, Name: "Here"})
	patience.Until(t, "four messages", func() bool { return len(h.messages(ana)) == 4 })
	list := h.messages(ana)
	for i, want := range []map[string]string{
		{"type": "interactive", "interactive.header.text": "Pizza", "interactive.body.text": "Hungry?", "interactive.footer.text": "Today"},
		{"type": "interactive", "interactive.action.button": "Open", "interactive.body.text": "Menu"},
		{"type": "template", "template.name": "offer", "template.body": "20% off", "template.footer": "ends today", "template.language.code": "en"},
		{"type": "location", "location.name": "Here"},
	} {
		for where, value := range want {
			if got := path(list[i], strings.Split(where, ".")...); got != value {
				t.Errorf("message %d: %s is %v, want %s", i, where, got, value)
			}
		}
	}
	first := path(list[0], "interactive", "action", "buttons").([]any)[0]
	if path(first, "type") != "reply" || path(first, "reply", "id") != "yes" || path(first, "reply", "title") != "Yes" {
		t.Errorf("the first button is %v", first)
	}
}

func TestReactAndDelete(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	mine := h.writes(ana, "mine")
	wireOfMine := b.expectText("mine").Message.ID
	wire := b.text(ana, "theirs")
	theirs := h.expectText(ana, "theirs")["id"].(string)

	h.want(201, "POST", "/customers/"+ana+"/messages/"+theirs+"/react", `{"emoji":"🎉"}`)
	b.expect("the reaction", func(a arrived) bool {
		return a.Message != nil && a.Message.Kind == kabar.KindReaction && a.Message.Target == wire
	})
	b.post(ana, &payload.Payload{Message: func() *payload.Message {
		m := b.message(&kabar.Reaction{Emoji: "❤️"})
		m.Target = wireOfMine
		return m
	}()})
	reactions := func(id string) any {
		return h.expect(ana, id, func(m map[string]any) bool { return m["id"] == id })["reactions"]
	}
	patience.Until(t, "both reactions", func() bool { return reactions(mine) != nil && reactions(theirs) != nil })
	if r := reactions(theirs).([]any)[0]; path(r, "from") != ana || path(r, "emoji") != "🎉" {
		t.Errorf("on theirs: %v", r)
	}
	if r := reactions(mine).([]any)[0]; path(r, "from") != shop || path(r, "emoji") != "❤️" {
		t.Errorf("on mine: %v", r)
	}
	h.want(201, "POST", "/customers/"+ana+"/messages/"+theirs+"/react", `{"emoji":""}`)
	if r := reactions(theirs); r != nil {
		t.Errorf("after taking it back: %v", r)
	}

	h.want(200, "DELETE", "/customers/"+ana+"/messages/"+mine, "")
	h.want(200, "DELETE", "/customers/"+ana+"/messages/"+mine, "") // twice is once
	b.expect("the deletion", func(a arrived) bool { return a.Deleted != nil && a.Deleted.ID == wireOfMine })
	b.post(ana, &payload.Payload{Deleted: &payload.Deleted{ID: wire}})
	gone := func(id string) {
		m := h.expect(ana, id+" deleted", func(m map[string]any) bool { return m["id"] == id && m["deleted"] == true })
		if m["text"] != nil {
			t.Errorf("a deleted message shows %v", m)
		}
	}
	gone(mine)
	gone(theirs)
	if n := len(b.all(func(a arrived) bool { return a.Deleted != nil })); n != 1 {
		t.Errorf("%d deletions, want 1", n)
	}
	if status, out := h.call("DELETE", "/customers/"+ana+"/messages/"+theirs, ""); status != 409 {
		t.Errorf("deleting the business's message: %d %v", status, out)
	}
}

func TestHandsetsBehave(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	h.patch(ana, `{"auto_read":true}`)
	first := b.text(ana, "one")
	b.expectReceipt("read", first)
	if told := b.told("delivered"); len(told) != 0 {
		t.Errorf("delivered was told of %v, which had been read", told)
	}

	h.patch(ana, `{"read_receipts":false}`)
	second := b.text(ana, "two")
	b.expectReceipt("delivered", second)
	h.expectStatus(ana, h.expectText(ana, "two")["id"].(string), "read")

	h.patch(ana, `{"auto_read":false,"auto_reply":true}`)
	third := b.text(ana, "three")
	reply := b.expect("an automatic reply", func(a arrived) bool { return strings.Contains(textOf(a), "three") })
	if reply.Message.ReplyTo != third {
		t.Errorf("the reply quotes %q, want %q", reply.Message.ReplyTo, third)
	}
	b.expectReceipt("delivered", b.say(ana, &kabar.Location{Latitude: 1}))
	for _, a := range b.all(func(a arrived) bool { return a.Receipt != nil && a.Receipt.Status == "read" }) {
		if strings.Contains(strings.Join(a.Receipt.IDs, " "), second) {
			t.Error("a read receipt although they are off")
		}
	}
	if n := len(b.all(func(a arrived) bool { return a.Message != nil })); n != 1 {
		t.Errorf("%d messages of the customer, want the one reply", n)
	}
}

func TestBlockReportTypingProfile(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	h.writes(ana, "hi")
	b.expectText("hi")
	b.post(ana, &payload.Payload{Profile: &kabar.Profile{Name: "Toko", Websites: []string{"https://example.com"}}})
	patience.Until(t, "the profile", func() bool {
		p, err := h.BusinessProfile(t.Context(), ana, "")
		return err == nil && p.Name == "Toko" && len(p.Websites) == 1
	})

	h.want(200, "POST", "/customers/"+ana+"/typing", "")
	patience.Until(t, "typing at the business", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.typing == 1 })
	changes := h.Watch(t.Context())
	b.shows(ana)
	for c := range changes {
		if c.Typing && c.Customer == ana {
			break
		}
	}

	h.want(200, "POST", "/customers/"+ana+"/report", "")
	b.expect("the report", func(a arrived) bool { return a.Reported != nil })
	h.patch(ana, `{"blocked":true}`)
	h.patch(ana, `{"blocked":true}`)
	b.expect("the block", func(a arrived) bool { return a.Blocked != nil && a.Blocked.Blocked })
	if status, _ := h.call("POST", "/customers/"+ana+"/messages", `{"text":{"body":"x"}}`); status != 409 {
		t.Errorf("writing to a blocked business: %d", status)
	}
	b.text(ana, "spam")
	b.post(ana, &payload.Payload{Profile: &kabar.Profile{Name: "Toko 2"}}) // what comes after it has arrived, too
	patience.Until(t, "the second profile", func() bool {
		p, err := h.BusinessProfile(t.Context(), ana, "")
		return err == nil && p.Name == "Toko 2"
	})
	h.patch(ana, `{"blocked":false}`)
	b.expect("the end of the block", func(a arrived) bool { return a.Blocked != nil && !a.Blocked.Blocked })
	b.text(ana, "sorry")
	h.expectText(ana, "sorry")
	for _, m := range h.messages(ana) {
		if path(m, "text", "body") == "spam" {
			t.Error("a message got through the block")
		}
	}
	if n := len(b.all(func(a arrived) bool { return a.Blocked != nil })); n != 2 {
		t.Errorf("%d notices of blocks, want 2", n)
	}
}

func TestAHiddenNumberStaysHidden(t *testing.T) {
	h, b := together(t)
	c := h.want(201, "POST", "/customers", `{"name":"Nobody","hide_number":true}`)
	handle := c["wa_id"].(string)
	if c["bsuid"] != handle || !strings.Contains(handle, ".") || c["hide_number"] != true {
		t.Fatalf("created %v", c)
	}
	id := h.writes(handle, "psst")
	if got := b.expectText("psst"); got.from != handle {
		t.Errorf("from %q, want %q", got.from, handle)
	}
	h.expectStatus(handle, id, "delivered")
	wire := b.text(handle, "who is there?")
	m := h.expectText(handle, "who is there?")
	for _, id := range []string{id, m["id"].(string)} {
		outbound, digits, stanza, err := msgid.Decode(id)
		if err != nil || digits != shop || outbound && hex.EncodeToString(stanza) != wire {
			t.Errorf("id %s: %v %q %x %v; want the business's digits", id, outbound, digits, stanza, err)
		}
	}
}
