package kabar

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestPreviewShowsTheExamples(t *testing.T) {
	for text, want := range map[string]Rendered{
		`{"components":[{"type":"BODY","text":"A {{2}} b {{1}} c","example":{"body_text":[["one","two"]]}}]}`:                                     {Body: "A two b one c"},
		`{"components":[{"type":"BODY","text":"A {{x}} b {{y}} c","example":{"body_text_named_params":[{"param_name":"y","example":"{{x}}"}]}}]}`: {Body: "A {{x}} b {{x}} c"},
		`{"status":"REJECTED","components":[{"type":"HEADER","text":"H {{1}}","example":{"header_text":["one"]}},{"type":"BODY","text":"B"}]}`:    {Header: &Header{Type: KindText, Text: "H one"}, Body: "B"},
		`{"components":[{"type":"BODY","text":"B"},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Q"},{"type":"URL","text":"U","url":"https://a.example/{{1}}","example":["https://a.example/z"]}]}]}`: {Body: "B", Buttons: []RenderedButton{
			{Type: ButtonQuickReply, Text: "Q", Payload: "Q"}, {Type: ButtonURL, Text: "U", URL: "https://a.example/z"}}},
		`{"components":[{"type":"BODY","text":"B"},{"type":"BUTTONS","buttons":[{"type":"COPY_CODE","text":"C","example":"SAVE10"}]}]}`: {Body: "B", Buttons: []RenderedButton{{Type: ButtonCopyCode, Text: "C", Code: "SAVE10"}}},
		`{"components":[{"type":"BODY","text":"B"},{"type":"CAROUSEL","cards":[{"components":[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"C {{1}}","example":{"body_text":[["one"]]}}]}]}]}`: {
			Body: "B", Cards: []Rendered{{Header: &Header{Type: KindImage, Media: NewMedia(KindImage)}, Body: "C one"}}},
		`{"components":[{"type":"BODY","text":"B"},{"type":"LIMITED_TIME_OFFER","limited_time_offer":{"text":"Now","has_expiration":true}}]}`: {
			Body: "B", Offer: &RenderedOffer{Text: "Now", Ends: sampleEnd}},
		`{"components":[{"type":"BODY","text":"B"},{"type":"LIMITED_TIME_OFFER","limited_time_offer":{"text":"Now"}}]}`: {Body: "B", Offer: &RenderedOffer{Text: "Now"}},
	} {
		d := new(TemplateDef)
		if err := json.Unmarshal([]byte(text), d); err != nil {
			t.Fatal(err)
		}
		status := d.Status
		got, err := d.Preview()
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		a, _ := json.Marshal(got)
		if b, _ := json.Marshal(want); string(a) != string(b) || d.Status != status {
			t.Errorf("%s:\n%s, want\n%s", text, a, b)
		}
	}
	huge := &TemplateDef{Components: []TemplateComponent{{Type: TemplateBody, Text: "A {{999999999999}} b"}}}
	if _, err := huge.Preview(); err == nil {
		t.Error("as many variables as a number can say were filled in")
	}
}

func TestExamplesAreKept(t *testing.T) {
	for _, typ := range []string{TemplateBody, TemplateHeader} {
		for _, text := range []string{"A {{1}} b {{2}} c", "A {{2}} b {{1}} c", "A {{x}} b {{y}} c"} {
			c := &TemplateComponent{Type: typ, Text: text}
			c.SetExamples([]string{"one", "two"})
			if got := c.ExampleValues(); !slices.Equal(got, []string{"one", "two"}) || len(c.Example) == 0 {
				t.Errorf("%s %q: %q in %s", typ, text, got, c.Example)
			}
		}
	}
	c := &TemplateComponent{Type: TemplateBody, Text: "Nothing to fill in"}
	if c.SetExamples([]string{"one"}); c.Example != nil {
		t.Errorf("an example of nothing: %s", c.Example)
	}
}

// What is wrong with the form of an example is said in the words of the API, not in those of a JSON reader.
func TestExamplesOfAnotherForm(t *testing.T) {
	for _, c := range []struct {
		name, draft string
		change      func(d *TemplateDef)
		want        string
	}{
		{"a body's number", "text", func(d *TemplateDef) { d.Components[1].Example = rawJSON(`10`) }, `has another form than {"body_text":["…"]}`},
		{"a body's list of numbers", "text", func(d *TemplateDef) { d.Components[1].Example = rawJSON(`{"body_text":[[1,2]]}`) },
			`has another form than {"body_text":["…"]}`},
		{"a header's text", "text", func(d *TemplateDef) { d.Components[0].Example = rawJSON(`{"header_text":"7"}`) },
			`has another form than {"header_text":["…"]}`},
		{"a handle that is no list", "media", func(d *TemplateDef) { d.Components[0].Example = rawJSON(`{"header_handle":"4::aW"}`) },
			`has another form than {"header_handle":["…"]}`},
		{"a link's object", "text", func(d *TemplateDef) { buttonOf(d, 3, 2).Example = rawJSON(`{}`) }, "must be a string or a list of strings"},
		{"a code's number", "media", func(d *TemplateDef) { buttonOf(d, 2, 0).Example = rawJSON(`7`) }, "must be a string or a list of strings"},
	} {
		d := draft(t, c.draft)
		c.change(d)
		if faults := d.Lint(); len(faults) != 1 || faults[0].Detail != c.want {
			t.Errorf("%s: %v", c.name, faults)
		}
	}
}
