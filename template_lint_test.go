package kabar

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// drafts are templates without a fault, in which the tests break one thing.
var drafts = map[string]string{
	"text": `{"name":"order_2","language":"en_US","category":"utility","components":[
		{"type":"header","format":"text","text":"Order {{1}} is here","example":{"header_text":["7"]}},
		{"type":"body","text":"Dear {{1}}, your order {{2}} has been sent out and arrives soon.","example":{"body_text":[["Ana","7"]]}},
		{"type":"footer","text":"Shop"},
		{"type":"buttons","buttons":[{"type":"quick_reply","text":"Stop"},{"type":"quick_reply","text":"Help"},
			{"type":"url","text":"Track","url":"https://shop.example/{{1}}","example":["https://shop.example/7"]},
			{"type":"phone_number","text":"Call","phone_number":"+34600111222"}]}]}`,
	"named": `{"name":"n","language":"id","category":"UTILITY","parameter_format":"NAMED","components":[
		{"type":"BODY","text":"Halo {{nama}}, pesanan Anda sudah kami kirim.","example":{"body_text_named_params":[{"param_name":"nama","example":"Ana"}]}}]}`,
	"media": `{"name":"m","language":"en","category":"MARKETING","components":[{"type":"HEADER","format":"IMAGE","example":{"header_handle":["4::aW"]}},
		{"type":"BODY","text":"Come and see."},{"type":"BUTTONS","buttons":[{"type":"COPY_CODE","example":"SUMMER"},{"type":"FLOW","text":"Book","flow_id":1,"flow_action":"navigate","navigate_screen":"A"}]}]}`,
	"code": `{"name":"otp","language":"en","category":"AUTHENTICATION","message_send_ttl_seconds":60,"components":[{"type":"BODY","add_security_recommendation":true},
		{"type":"FOOTER","code_expiration_minutes":5},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"ZERO_TAP","zero_tap_terms_accepted":true,
		"supported_apps":[{"package_name":"com.shop.app","signature_hash":"K8a/AINcGX7"}]}]}]}`,
	"offer": `{"name":"o","language":"en","category":"MARKETING","components":[{"type":"LIMITED_TIME_OFFER","limited_time_offer":{"text":"Ends soon!","has_expiration":true}},
		{"type":"BODY","text":"Take it."},{"type":"BUTTONS","buttons":[{"type":"COPY_CODE","example":["A"]},{"type":"URL","text":"Go","url":"https://shop.example/"}]}]}`,
	"carousel": `{"name":"c","language":"en","category":"MARKETING","components":[{"type":"BODY","text":"Look at these."},{"type":"CAROUSEL","cards":[
		{"components":[{"type":"HEADER","format":"IMAGE","example":{"header_handle":["4::a"]}},{"type":"BODY","text":"A red mug."},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Buy"}]}]},
		{"components":[{"type":"HEADER","format":"IMAGE","example":{"header_handle":["4::a"]}},{"type":"BODY","text":"A blue mug."},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Buy"}]}]}]}]}`,
}

func draft(t testing.TB, name string) *TemplateDef {
	t.Helper()
	d := new(TemplateDef)
	if err := json.Unmarshal([]byte(drafts[name]), d); err != nil {
		t.Fatal(err)
	}
	d.Normalize()
	return d
}

func TestLintOfGoodDrafts(t *testing.T) {
	for name := range drafts {
		d := draft(t, name)
		if faults := d.Lint(); len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
		d.Compose() // the same with the texts that Compose writes
		if faults := d.Lint(); len(faults) > 0 {
			t.Errorf("%s, composed: %v", name, faults)
		}
	}
}

// letters is a word of n letters.
func letters(n int) string { return strings.Repeat("w", n) }

// buttonOf is a button of a part of a draft.
func buttonOf(d *TemplateDef, part, i int) *TemplateButton { return &d.Components[part].Buttons[i] }

// mistakes are the drafts' changes that break a rule.
var mistakes = []struct {
	name, draft string
	change      func(d *TemplateDef)
	want        string // rule and path of each fault
}{
	{"capitals", "text", func(d *TemplateDef) { d.Name = "Order" }, "name name"},
	{"a name of 513", "text", func(d *TemplateDef) { d.Name = letters(513) }, "name name"},
	{"an unknown language", "text", func(d *TemplateDef) { d.Language = "xx" }, "language language"},
	{"a country we do not know", "text", func(d *TemplateDef) { d.Language = "ja_FR" }, "language language"},
	{"English of Australia", "text", func(d *TemplateDef) { d.Language = "en_AU" }, ""},
	{"no category", "text", func(d *TemplateDef) { d.Category = CategoryService }, "category category"},
	{"a status", "text", func(d *TemplateDef) { d.Status = "GOOD" }, "status status"},
	{"a short life", "text", func(d *TemplateDef) { d.TTL = 29 }, "ttl message_send_ttl_seconds"},
	{"a long life", "text", func(d *TemplateDef) { d.TTL = 43_201 }, "ttl message_send_ttl_seconds"},
	{"30 days", "text", func(d *TemplateDef) { d.TTL = -1 }, ""},
	{"marketing of an hour", "media", func(d *TemplateDef) { d.TTL = 3600 }, "ttl message_send_ttl_seconds"},
	{"marketing for ever", "media", func(d *TemplateDef) { d.TTL = -1 }, "ttl message_send_ttl_seconds"},
	{"a code of 15 minutes", "code", func(d *TemplateDef) { d.TTL = 901 }, "ttl message_send_ttl_seconds"},

	{"no body", "text", func(d *TemplateDef) { d.Components = slices.Delete(d.Components, 1, 2) }, "body components"},
	{"two footers", "text", func(d *TemplateDef) { d.Components = append(d.Components, d.Components[2]) }, "components components[4]"},
	{"an unknown part", "text", func(d *TemplateDef) { d.Components[2].Type = "SIDE" }, "components components[2].type"},
	{"an empty body", "named", func(d *TemplateDef) { d.Components[0] = TemplateComponent{Type: TemplateBody} }, "required components[0].text"},
	{"a body of 1025", "media", func(d *TemplateDef) { d.Components[1].Text = letters(1025) }, "length components[1].text"},
	{"a body that is no UTF-8", "media", func(d *TemplateDef) { d.Components[1].Text = "a\xff" }, "characters components[1].text"},
	{"a tab", "media", func(d *TemplateDef) { d.Components[1].Text = "a\tb" }, "characters components[1].text"},
	{"three line breaks", "media", func(d *TemplateDef) { d.Components[1].Text = "a\n\n\nb" }, "characters components[1].text"},
	{"five spaces", "media", func(d *TemplateDef) { d.Components[1].Text = "a     b" }, "characters components[1].text"},
	{"a header of two lines", "text", func(d *TemplateDef) { d.Components[0] = TemplateComponent{Type: TemplateHeader, Text: "a\nb"} }, "characters components[0].text"},
	{"a header of 61", "text", func(d *TemplateDef) { d.Components[0] = TemplateComponent{Type: TemplateHeader, Text: letters(61)} }, "length components[0].text"},
	{"a header of sound", "media", func(d *TemplateDef) { d.Components[0].Format = "AUDIO" }, "header components[0].format"},
	{"a moving header", "text", func(d *TemplateDef) {
		d.Components[0] = TemplateComponent{Type: TemplateHeader, Format: FormatGIF, Example: rawJSON(`{"header_url":["https://shop.example/a.gif"]}`)}
	}, "header components[0].format"},
	{"a header of two variables", "text", func(d *TemplateDef) {
		d.Components[0].Text, d.Components[0].Example = "Your order {{1}} is on {{2}} and so on", rawJSON(`{"header_text":["a","b"]}`)
	}, "header components[0].text"},
	{"a picture with text", "media", func(d *TemplateDef) { d.Components[0].Text = "x" }, "header components[0].text"},
	{"a footer of 61", "text", func(d *TemplateDef) { d.Components[2].Text = letters(61) }, "length components[2].text"},
	{"a footer with a variable", "text", func(d *TemplateDef) { d.Components[2].Text = "by {{1}}" }, "footer components[2].text"},
	{"a footer of two lines", "text", func(d *TemplateDef) { d.Components[2].Text = "a\nb" }, "characters components[2].text"},

	{"a gap", "text", func(d *TemplateDef) {
		d.Components[1].Text = strings.Replace(d.Components[1].Text, "{{2}}", "{{3}}", 1)
	}, "variables components[1].text"},
	{"a name that is none", "text", func(d *TemplateDef) { d.Components[1].Text += " Bye {{Name}}." }, "variables components[1].text"},
	{"braces that close", "media", func(d *TemplateDef) { d.Components[1].Text = "a }} b" }, "variables components[1].text"},
	{"names without their format", "named", func(d *TemplateDef) { d.ParameterFormat = "" }, "variables components[0].text"},
	{"numbers in the format of names", "text", func(d *TemplateDef) { d.ParameterFormat = Named }, "variables components[0].text, variables components[1].text"},
	{"an unknown format", "media", func(d *TemplateDef) { d.ParameterFormat = "BOTH" }, "variables parameter_format"},
	{"a variable first", "named", func(d *TemplateDef) { d.Components[0].Text = "{{nama}} pesanan Anda sudah kami kirim." }, "variable-at-the-edge components[0].text"},
	{"a variable last", "named", func(d *TemplateDef) { d.Components[0].Text = "Pesanan Anda sudah kami kirim, {{nama}} " }, "variable-at-the-edge components[0].text"},
	{"variables together", "text", func(d *TemplateDef) {
		d.Components[1].Text = "Dear {{1}} {{2}}, your order has been sent out and arrives."
	}, "variables-adjoin components[1].text"},
	{"few words", "text", func(d *TemplateDef) { d.Components[1].Text = "Dear {{1}}: {{2}} is here." }, "variable-ratio components[1].text"},
	{"no example", "text", func(d *TemplateDef) { d.Components[1].Example = nil }, "example components[1].example"},
	{"a flat list of examples", "text", func(d *TemplateDef) { d.Components[1].Example = rawJSON(`{"body_text":["Ana","7"]}`) }, ""},
	{"one example too few", "text", func(d *TemplateDef) { d.Components[1].Example = rawJSON(`{"body_text":[["Ana"]]}`) }, "example components[1].example"},
	{"an empty example", "text", func(d *TemplateDef) { d.Components[1].Example = rawJSON(`{"body_text":[["Ana",""]]}`) }, "example components[1].example"},
	{"an example of a number", "text", func(d *TemplateDef) { d.Components[1].Example = rawJSON(`{"body_text":7}`) }, "example components[1].example"},
	{"an example of another name", "named", func(d *TemplateDef) {
		d.Components[0].Example = rawJSON(`{"body_text_named_params":[{"param_name":"name","example":"Ana"}]}`)
	}, "example components[0].example"},
	{"a picture without an example", "media", func(d *TemplateDef) { d.Components[0].Example = nil }, "example components[0].example"},
	{"a place with an example", "media", func(d *TemplateDef) { d.Components[0].Format = FormatLocation }, "example components[0].example"},

	{"11 buttons", "text", func(d *TemplateDef) {
		d.Components[3].Buttons = slices.Repeat([]TemplateButton{{Type: ButtonQuickReply, Text: "x"}}, 11)
	}, "buttons components[3].buttons, buttons components[3].buttons[10]"},
	{"no buttons", "text", func(d *TemplateDef) { d.Components[3].Buttons = nil }, "buttons components[3].buttons"},
	{"three links", "text", func(d *TemplateDef) {
		d.Components[3].Buttons = slices.Repeat([]TemplateButton{{Type: ButtonURL, Text: "x", URL: "https://shop.example"}}, 3)
	}, "buttons components[3].buttons[2]"},
	{"two calls", "text", func(d *TemplateDef) {
		d.Components[3].Buttons = append(d.Components[3].Buttons, d.Components[3].Buttons[3])
	}, "buttons components[3].buttons[4]"},
	{"an unknown button", "text", func(d *TemplateDef) { buttonOf(d, 3, 0).Type = "NEW" }, "buttons components[3].buttons[0].type"},
	{"a quick reply apart", "text", func(d *TemplateDef) {
		b := d.Components[3].Buttons
		b[1], b[2] = b[2], b[1]
	}, "button-order components[3].buttons[2]"},
	{"a text of 26", "text", func(d *TemplateDef) { buttonOf(d, 3, 0).Text = letters(26) }, "length components[3].buttons[0].text"},
	{"a text with a variable", "text", func(d *TemplateDef) { buttonOf(d, 3, 0).Text = "Hi {{1}}" }, "variables components[3].buttons[0].text"},
	{"a text of two lines", "text", func(d *TemplateDef) { buttonOf(d, 3, 0).Text = "a\nb" }, "characters components[3].buttons[0].text"},
	{"a link of 2001", "text", func(d *TemplateDef) { buttonOf(d, 3, 2).URL = "https://shop.example/" + letters(1975) + "{{1}}" }, "length components[3].buttons[2].url"},
	{"a link to nowhere", "text", func(d *TemplateDef) { buttonOf(d, 3, 2).URL = "shop/{{1}}" }, "link components[3].buttons[2].url"},
	{"a variable within a link", "text", func(d *TemplateDef) { buttonOf(d, 3, 2).URL = "https://shop.example/{{1}}/a" }, "link components[3].buttons[2].url"},
	{"a host to fill in", "text", func(d *TemplateDef) { buttonOf(d, 3, 2).URL = "https://shop.{{1}}" }, "link components[3].buttons[2].url"},
	{"a link without an example", "text", func(d *TemplateDef) { buttonOf(d, 3, 2).Example = nil }, "example components[3].buttons[2].example"},
	{"a number of letters", "text", func(d *TemplateDef) { buttonOf(d, 3, 3).Phone = "call me" }, "phone-number components[3].buttons[3].phone_number"},
	{"a number of 21", "text", func(d *TemplateDef) { buttonOf(d, 3, 3).Phone = "+34 600 111 222 33 44" }, "length components[3].buttons[3].phone_number"},
	{"a code without an example", "media", func(d *TemplateDef) { buttonOf(d, 2, 0).Example = nil }, "example components[2].buttons[0].example"},
	{"a code of 16", "media", func(d *TemplateDef) { buttonOf(d, 2, 0).Example = rawJSON(`"` + letters(16) + `"`) }, "length components[2].buttons[0].example"},
	{"no flow", "media", func(d *TemplateDef) { buttonOf(d, 2, 1).FlowID = "" }, "flow components[2].buttons[1]"},
	{"two flows", "media", func(d *TemplateDef) { buttonOf(d, 2, 1).FlowName = "x" }, "flow components[2].buttons[1]"},
	{"a flow to nowhere", "media", func(d *TemplateDef) { buttonOf(d, 2, 1).NavigateScreen = "" }, "flow components[2].buttons[1].navigate_screen"},
	{"a flow of its own that is faulty", "media", func(d *TemplateDef) { buttonOf(d, 2, 1).FlowID, buttonOf(d, 2, 1).FlowJSON = "", "{}" }, "flow components[2].buttons[1].flow_json"},
	{"a flow of its own without the screen", "media", func(d *TemplateDef) {
		b := buttonOf(d, 2, 1)
		b.FlowID, b.FlowJSON, b.NavigateScreen = "", flowText, "THIRD"
	}, "flow components[2].buttons[1].navigate_screen"},
	{"a flow of its own that asks a server", "media", func(d *TemplateDef) {
		b := buttonOf(d, 2, 1)
		b.FlowID, b.FlowJSON = "", strings.Replace(flowText, `"version"`, `"data_api_version": "3.0", "version"`, 1)
	}, "flow components[2].buttons[1].flow_json"},
	{"a flow that acts", "media", func(d *TemplateDef) { buttonOf(d, 2, 1).FlowAction = "act" }, "flow components[2].buttons[1].flow_action"},

	{"a code in a utility", "code", func(d *TemplateDef) {
		d.Category = CategoryUtility
		d.Components[0].Text, d.Components[1].Text = "Your code is below.", "Shop"
	}, "one-time-password components[2].buttons[0].type"},
	{"a code with its own text", "code", func(d *TemplateDef) { d.Components[0].Text = "My code {{1}}." }, "one-time-password components[0].text"},
	{"a code of 91 minutes", "code", func(d *TemplateDef) { d.Components[1].CodeMinutes = 91 }, "one-time-password components[1].code_expiration_minutes"},
	{"a code with a header", "code", func(d *TemplateDef) {
		d.Components = append(d.Components, TemplateComponent{Type: TemplateHeader, Text: "x"})
	}, "one-time-password components[3]"},
	{"a code without a button", "code", func(d *TemplateDef) { d.Components = d.Components[:2] }, "one-time-password components"},
	{"a code with two buttons", "code", func(d *TemplateDef) {
		d.Components[2].Buttons = append(d.Components[2].Buttons, TemplateButton{Type: ButtonQuickReply, Text: "x"})
	}, "one-time-password components[2].buttons, one-time-password components[2].buttons[1].type"},
	{"an unknown way", "code", func(d *TemplateDef) { buttonOf(d, 2, 0).OTPType = "TAP" }, "one-time-password components[2].buttons[0].otp_type"},
	{"terms not accepted", "code", func(d *TemplateDef) { buttonOf(d, 2, 0).ZeroTap = false }, "one-time-password components[2].buttons[0].zero_tap_terms_accepted"},
	{"no application", "code", func(d *TemplateDef) { buttonOf(d, 2, 0).Apps = nil }, "one-time-password components[2].buttons[0].supported_apps"},
	{"the older form", "code", func(d *TemplateDef) {
		b := buttonOf(d, 2, 0)
		b.Package, b.Signature, b.Apps = b.Apps[0].Package, b.Apps[0].Signature, nil
	}, ""},
	{"a package of one part", "code", func(d *TemplateDef) { buttonOf(d, 2, 0).Apps[0].Package = "shop" }, "one-time-password components[2].buttons[0].supported_apps[0].package_name"},
	{"a short signature", "code", func(d *TemplateDef) { buttonOf(d, 2, 0).Apps[0].Signature = "K8a" }, "one-time-password components[2].buttons[0].supported_apps[0].signature_hash"},
	{"a long text of autofill", "code", func(d *TemplateDef) { buttonOf(d, 2, 0).Autofill = letters(26) }, "length components[2].buttons[0].autofill_text"},

	{"an offer of 17", "offer", func(d *TemplateDef) { d.Components[0].Offer.Text = letters(17) }, "length components[0].limited_time_offer.text"},
	{"an offer without one", "offer", func(d *TemplateDef) { d.Components[0].Offer = nil }, "required components[0].limited_time_offer"},
	{"an offer of utility", "offer", func(d *TemplateDef) { d.Category = CategoryUtility }, "limited-time-offer category"},
	{"an offer with a footer", "offer", func(d *TemplateDef) {
		d.Components = append(d.Components, TemplateComponent{Type: TemplateFooter, Text: "x"})
	}, "limited-time-offer components[0]"},
	{"an offer of 601", "offer", func(d *TemplateDef) { d.Components[1].Text = letters(601) }, "length components[1].text"},
	{"an offer without a link", "offer", func(d *TemplateDef) { d.Components[2].Buttons = d.Components[2].Buttons[:1] }, "limited-time-offer components[0]"},
	{"an offer with a call", "offer", func(d *TemplateDef) {
		d.Components[2].Buttons = append(d.Components[2].Buttons, TemplateButton{Type: ButtonPhone, Text: "x", Phone: "+34600111222"})
	}, "limited-time-offer components[0]"},

	{"one card", "carousel", func(d *TemplateDef) { d.Components[1].Cards = d.Components[1].Cards[:1] }, "carousel components[1].cards"},
	{"11 cards", "carousel", func(d *TemplateDef) { d.Components[1].Cards = slices.Repeat(d.Components[1].Cards[:1], 11) }, "carousel components[1].cards"},
	{"cards of two forms", "carousel", func(d *TemplateDef) { d.Components[1].Cards[1].Components[0].Format = FormatVideo }, "carousel components[1].cards[1]"},
	{"a card of 161", "carousel", func(d *TemplateDef) { d.Components[1].Cards[0].Components[1].Text = letters(161) }, "length components[1].cards[0].components[1].text"},
	{"a card without a header", "carousel", func(d *TemplateDef) {
		for i := range 2 {
			d.Components[1].Cards[i].Components = d.Components[1].Cards[i].Components[1:]
		}
	}, "carousel components[1].cards[0].components, carousel components[1].cards[1].components"},
	{"a card with three buttons", "carousel", func(d *TemplateDef) {
		for i := range 2 {
			p := &d.Components[1].Cards[i].Components[2]
			p.Buttons = slices.Repeat(p.Buttons[:1], 3)
		}
	}, "carousel components[1].cards[0].components, carousel components[1].cards[1].components"},
	{"a footer beside cards", "carousel", func(d *TemplateDef) {
		d.Components = append(d.Components, TemplateComponent{Type: TemplateFooter, Text: "x"})
	}, "carousel components[2]"},
	{"a product with a body of 161", "media", func(d *TemplateDef) {
		d.Components[1].Text, d.Components[2].Buttons = letters(161), []TemplateButton{{Type: ButtonProduct, Text: "View"}}
	}, "length components[1].text"},
}

// Every rule is broken at least once, in the way that each case names, and nothing but that is told.
func TestLint(t *testing.T) {
	broken := map[TemplateRule]bool{}
	for _, tt := range mistakes {
		t.Run(tt.name, func(t *testing.T) {
			d := draft(t, tt.draft)
			tt.change(d)
			var got []string
			for _, f := range d.Lint() {
				if f.Detail == "" || f.Suggestion == "" {
					t.Errorf("%+v says too little", f)
				}
				broken[f.Rule] = true
				got = append(got, string(f.Rule)+" "+f.Path)
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("faults %q, want %q: %v", s, tt.want, d.Lint())
			}
		})
	}
	for _, rule := range TemplateRules() {
		if !broken[rule] {
			t.Errorf("no case breaks the rule %q", rule)
		}
	}
}

// Lint tells all faults at once.
func TestLintTellsEverything(t *testing.T) {
	d := draft(t, "text")
	d.Name, d.Language, d.Components[1].Example, d.Components[3].Buttons[3].Phone = "", "xx", nil, "x"
	if faults := d.Lint(); len(faults) != 4 {
		t.Errorf("faults: %v", faults)
	}
}

func TestCompose(t *testing.T) {
	d := draft(t, "code")
	d.Language = "id"
	d.Compose()
	if d.Components[0].Text != "*{{1}}* adalah kode verifikasi Anda. Demi keamanan, jangan bagikan kode ini." ||
		d.Components[1].Text != "Kode ini kedaluwarsa dalam 5 menit." || d.Components[2].Buttons[0].Text != "Salin kode" || d.Components[2].Buttons[0].Autofill == "" {
		t.Errorf("%+v", d.Components)
	}
	for _, code := range []string{"en", "es_MX", "pt_BR", "fr", "de", "ja"} {
		body, footer, button, autofill := AuthenticationTexts(code, true, 90)
		if !strings.Contains(body, "{{1}}") || !strings.Contains(footer, "90") || len([]rune(footer)) > maxFooterText || len([]rune(button)) > maxButtonText || autofill == "" {
			t.Errorf("%s: %q, %q, %q", code, body, footer, button)
		}
	}
}

func TestLintFlows(t *testing.T) {
	draft := &FlowDef{Name: "book", Status: FlowDraft, JSON: flowText}
	published := &FlowDef{Name: "book", Status: FlowPublished, JSON: flowText}
	for name, c := range map[string]struct {
		button TemplateButton
		flow   *FlowDef
		want   string // in the fault; empty: none
	}{
		"a flow":           {TemplateButton{FlowID: "7", NavigateScreen: "LAST"}, published, ""},
		"by its name":      {TemplateButton{FlowName: "book"}, published, ""},
		"of its own":       {TemplateButton{FlowJSON: flowText}, nil, ""},
		"none":             {TemplateButton{FlowID: "7"}, nil, `"7"`},
		"a draft":          {TemplateButton{FlowID: "7"}, draft, "draft"},
		"no such screen":   {TemplateButton{FlowName: "book", NavigateScreen: "THIRD"}, published, "THIRD"},
		"without a server": {TemplateButton{FlowName: "book", FlowAction: "DATA_EXCHANGE"}, published, "data_api_version"},
	} {
		c.button.Type, c.button.Text = ButtonFlow, "Book"
		d := &TemplateDef{Components: []TemplateComponent{{Type: TemplateBody}, {Type: TemplateButtons, Buttons: []TemplateButton{c.button}}}}
		faults, err := d.LintFlows(func(id, name string) (*FlowDef, error) { return c.flow, nil })
		switch {
		case err != nil:
			t.Error(err)
		case (len(faults) == 0) != (c.want == "") || len(faults) > 0 && (faults[0].Path != "components[1].buttons[0]" || !strings.Contains(faults[0].Detail, c.want)):
			t.Errorf("%s: %v, want %q", name, faults, c.want)
		}
	}
}
