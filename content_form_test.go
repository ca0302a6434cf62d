package kabar

import (
	"strings"
	"testing"
)

func TestLink(t *testing.T) {
	const field = "interactive.action.parameters"
	link := func(l *Link) *Interactive {
		return &Interactive{Type: InteractiveLink, Body: "b", Action: Action{Link: l}}
	}
	runRows(t, []row{
		{"valid", link(&Link{"See", "https://shop.example/a"}), "", ""},
		{"with a picture", &Interactive{Type: InteractiveLink, Header: &Header{Type: KindImage, Media: &Media{kind: KindImage, ID: 7}}, Body: "b", Action: Action{Link: &Link{"See", "https://shop.example"}}}, "", ""},
		{"not given", link(nil), ReasonMissing, field},
		{"no url", link(&Link{Text: "See"}), ReasonMissing, field + ".url"},
		{"no website", link(&Link{"See", "javascript:alert(1)"}), ReasonInvalid, field + ".url"},
	})
	runRows(t, lengths(field+".display_text", 20, ReasonMissing, ReasonInvalid, func(s string) Content {
		return link(&Link{s, "https://shop.example"})
	}))
}

func TestFlow(t *testing.T) {
	const field = "interactive.action.parameters"
	flow := func(change func(f *Flow)) *Interactive {
		f := &Flow{Version: "3", ID: "123456789012345", Text: "Book"}
		change(f)
		return &Interactive{Type: InteractiveFlow, Body: "b", Action: Action{Flow: f}}
	}
	payload := func(s string) *Interactive { return flow(func(f *Flow) { f.Payload = []byte(s) }) }
	runRows(t, []row{
		{"the least", flow(func(*Flow) {}), "", ""},
		{"not given", &Interactive{Type: InteractiveFlow, Body: "b"}, ReasonMissing, field},
		{"no version", flow(func(f *Flow) { f.Version = "" }), ReasonMissing, field + ".flow_message_version"},
		{"another version", flow(func(f *Flow) { f.Version = "4" }), ReasonInvalid, field + ".flow_message_version"},
		{"no id", flow(func(f *Flow) { f.ID = "" }), ReasonMissing, field + ".flow_id"},
		{"a name for an id", flow(func(f *Flow) { f.ID = "booking" }), ReasonFlow, field + ".flow_id"},
		{"too long an id", flow(func(f *Flow) { f.ID = strings.Repeat("1", 21) }), ReasonFlow, field + ".flow_id"},
		{"navigate", flow(func(f *Flow) { f.Action, f.Payload = "navigate", []byte(`{"screen":"A","data":{"x":[1]}}`) }), "", ""},
		{"exchange", flow(func(f *Flow) { f.Action, f.Payload = "data_exchange", []byte(`{}`) }), "", ""},
		{"another action", flow(func(f *Flow) { f.Action = "jump" }), ReasonInvalid, field + ".flow_action"},
		{"no screen", payload(`{"data":{}}`), ReasonMissing, field + ".flow_action_payload.screen"},
		{"payload of another type", payload(`[1]`), ReasonInvalid, field + ".flow_action_payload"},
		{"data of another type", payload(`{"screen":"A","data":[]}`), ReasonInvalid, field + ".flow_action_payload"},
		{"payload too large", payload(`{"screen":"A","data":{"x":"` + strings.Repeat("x", MaxFormSize) + `"}}`), ReasonInvalid, field},
	})
	runRows(t, lengths(field+".flow_cta", 30, ReasonMissing, ReasonInvalid, func(s string) Content {
		return flow(func(f *Flow) { f.Text = s })
	}))
	runRows(t, freeText(field+".flow_token", "", func(s string) Content { return flow(func(f *Flow) { f.Token = s }) }))
}

func TestAddressForm(t *testing.T) {
	const field = "interactive.action.parameters"
	form := func(a *AddressForm) *Interactive {
		return &Interactive{Type: InteractiveAddress, Body: "b", Action: Action{Address: a}}
	}
	values := func(s string) map[string]string { return map[string]string{"name": s} }
	runRows(t, []row{
		{"India", form(&AddressForm{Country: "IN", Values: values("Ana"), Errors: values("too short"), Saved: []SavedAddress{{"1", values("Ana")}}}), "", ""},
		{"Singapore", form(&AddressForm{Country: "SG"}), "", ""},
		{"another field", form(&AddressForm{Country: "SG", Values: map[string]string{"planet": "Earth"}}), "", ""},
		{"not given", form(nil), ReasonMissing, field + ".country"},
		{"no country", form(&AddressForm{}), ReasonMissing, field + ".country"},
		{"another country", form(&AddressForm{Country: "ES"}), ReasonInvalid, field + ".country"},
		{"a value not UTF-8", form(&AddressForm{Country: "IN", Values: values("\xff")}), ReasonInvalid, field + ".values.name"},
		{"an error not UTF-8", form(&AddressForm{Country: "IN", Errors: values("\xff")}), ReasonInvalid, field + ".validation_errors.name"},
		{"a saved one without id", form(&AddressForm{Country: "IN", Saved: []SavedAddress{{}}}), ReasonMissing, field + ".saved_addresses[0].id"},
		{"too large", form(&AddressForm{Country: "IN", Values: values(strings.Repeat("x", MaxFormSize))}), ReasonInvalid, field},
	})
}

func TestLocationRequest(t *testing.T) {
	ask := func(change func(i *Interactive)) *Interactive {
		i := &Interactive{Type: InteractivePlace, Body: "Where?"}
		change(i)
		return i
	}
	runRows(t, []row{
		{"valid", ask(same), "", ""},
		{"no body", ask(func(i *Interactive) { i.Body = "" }), ReasonMissing, "interactive.body.text"},
		{"a header", ask(func(i *Interactive) { i.Header = &Header{Type: KindText, Text: "h"} }), ReasonHeader, "interactive.header"},
		{"a flow", ask(func(i *Interactive) { i.Action.Flow = &Flow{} }), ReasonNotRequired, "interactive.action.parameters"},
		{"an address", ask(func(i *Interactive) { i.Action.Address = &AddressForm{} }), ReasonNotRequired, "interactive.action.parameters"},
		{"a catalog", ask(func(i *Interactive) { i.Action.Catalog = "c" }), ReasonNotRequired, "interactive.action.catalog_id"},
		{"a product", ask(func(i *Interactive) { i.Action.Product = "p" }), ReasonNotRequired, "interactive.action.product_retailer_id"},
	})
}
