package phone_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/patience"
)

// opens are the taps on links that the business has heard of, in order.
func (b *business) opens() (taps []*kabar.LinkTap) {
	for _, a := range b.all(func(a arrived) bool { return a.Tapped != nil }) {
		taps = append(taps, a.Tapped)
	}
	return taps
}

// A business hears of each tap on a link of a template, in the order of what the customer says, also when that was said offline; of
// links of other messages, and while it is blocked, it hears nothing.
func TestTapsOnLinks(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	wire := b.say(ana, offer)
	id := h.expect(ana, "the template", func(m map[string]any) bool { return m["type"] == "template" })["id"].(string)
	b.say(ana, &kabar.Interactive{Type: kabar.InteractiveLink, Body: "Look", Action: kabar.Action{Link: &kabar.Link{Text: "Open", URL: "https://example.com/open"}}})
	other := h.expect(ana, "the link", func(m map[string]any) bool { return m["type"] == "interactive" })["id"].(string)
	tap := func(on, what string) {
		t.Helper()
		h.want(200, "POST", "/customers/"+ana+"/messages/"+on+"/tap", what)
	}
	says := func(text string) {
		t.Helper()
		h.want(201, "POST", "/customers/"+ana+"/messages", `{"text":{"body":"`+text+`"}}`)
	}
	tap(id, `{"url":"Shop"}`)
	says("between")
	tap(other, `{"url":"Open"}`)
	tap(id, `{"url":"Shop"}`)
	tap(id, `{"url":"https://example.com/cups"}`)
	patience.Until(t, "the taps arrive", func() bool { return len(b.opens()) == 3 })

	h.patch(ana, `{"online":false}`)
	tap(id, `{"url":"Shop"}`)
	says("from a tunnel")
	tap(id, `{"url":"Shop","card":2}`)
	h.restart()
	h.patch(ana, `{"online":true}`)
	patience.Until(t, "what was tapped offline arrives", func() bool { return len(b.opens()) == 5 })

	h.patch(ana, `{"blocked":true}`)
	tap(id, `{"url":"Shop"}`)
	h.patch(ana, `{"blocked":false}`)
	says("the end")
	b.expectText("the end")

	var got []string
	seen := map[string]bool{}
	for _, a := range b.all(func(a arrived) bool { return a.Message != nil || a.Tapped != nil }) {
		if a.Message != nil {
			got = append(got, textOf(a))
			continue
		}
		if a.Tapped.Message != wire || seen[a.Tapped.ID] {
			t.Errorf("the tap %+v is not of %s, or has the id of another", a.Tapped, wire)
		}
		seen[a.Tapped.ID] = true
		got = append(got, fmt.Sprintf("%d/%d", a.Tapped.Card, a.Tapped.Button))
	}
	if want := "[0/1 between 0/1 2/1 0/1 from a tunnel 2/1 the end]"; fmt.Sprint(got) != want {
		t.Errorf("the business hears %s, want %s", got, want)
	}
}

// A button of a template that asks for the customer's contact is answered with it; one that opens an application or the catalog opens it,
// and says what there is.
func TestTapsOnOtherButtons(t *testing.T) {
	h, b := together(t)
	ana := h.customer("Ana")
	b.say(ana, &kabar.Template{Name: "more", Language: kabar.Language{Code: "en"}, Rendered: &kabar.Rendered{Body: "Halo", Buttons: []kabar.RenderedButton{
		{Type: kabar.ButtonContact, Text: kabar.ContactText}, {Type: kabar.ButtonApp, Text: "Open the app"}, {Type: kabar.ButtonCatalog, Text: "View catalog"},
		{Type: kabar.ButtonPhone, Text: "Call", Phone: "1"}},
		Products: []kabar.Product{{Catalog: "c", RetailerID: "p1", Currency: "EUR", Availability: kabar.InStock}, {Catalog: "c", RetailerID: "p2", Availability: "out of stock"}}}})
	m := h.expect(ana, "the template", func(m map[string]any) bool { return m["type"] == "template" })["id"].(string)
	tap := func(status int, what string) map[string]any {
		t.Helper()
		return h.want(status, "POST", "/customers/"+ana+"/messages/"+m+"/tap", what)
	}
	if got := tap(200, `{"button":"View catalog"}`)["products"]; fmt.Sprint(got) != "[p1]" {
		t.Errorf("the catalog shows %v", got)
	}
	if got := tap(200, `{"button":"Open the app"}`)["app"]; got == nil {
		t.Error("a button that opens nothing does not say what it would open")
	}
	if got := fmt.Sprint(tap(404, `{"button":"Call"}`)); !strings.Contains(got, `button \"View catalog\"`) && !strings.Contains(got, `button "View catalog"`) {
		t.Errorf("what there is to tap on is said so: %s", got)
	}
	tap(201, `{"button":"Share contact info"}`)
	patience.Until(t, "the contact arrives", func() bool {
		return len(b.all(func(a arrived) bool {
			var c kabar.Contacts
			return a.Message != nil && a.Message.Kind == kabar.KindContacts && json.Unmarshal(a.Message.Content, &c) == nil &&
				c.Cards[0].Name.Formatted == "Ana" && c.Cards[0].Phones[0] == (kabar.CardPhone{Phone: "+" + ana, Type: "CELL", WaID: ana})
		})) == 1
	})
}
