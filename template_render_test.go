package kabar

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// parcelDef is a template with every part.
func parcelDef() *TemplateDef {
	return &TemplateDef{
		Name: "parcel_update", Language: "es_ES", Category: CategoryUtility, Status: TemplateApproved,
		Components: []TemplateComponent{
			{Type: TemplateHeader, Format: "IMAGE"},
			{Type: TemplateBody, Text: "Hola {{1}}: {{2}} el {{3}}, {{1}}."},
			{Type: TemplateFooter, Text: "Shop {{1}}"},
			{Type: TemplateButtons, Buttons: []TemplateButton{
				{Type: ButtonQuickReply, Text: "OK"},
				{Type: ButtonURL, Text: "Track", URL: "https://shop.example/{{1}}"},
				{Type: ButtonPhone, Text: "Call", Phone: "+34600111222"},
				{Type: ButtonURL, Text: "Home", URL: "https://shop.example/"},
			}},
		},
	}
}

// parcelRequest fills parcelDef.
func parcelRequest() *Template {
	return request(
		headerWith(mediaOf(KindImage)), bodyWith(textOf("Ana"), euros("12,50 €"), dateOf("3 May")),
		buttonWith("quick_reply", 0, payloadOf("OK-1")), buttonWith("url", 1, textOf("track/991")),
	)
}

// bodyDef is an approved template of a body alone.
func bodyDef(text string) *TemplateDef {
	return &TemplateDef{Name: "n", Language: "en", Status: TemplateApproved, Components: []TemplateComponent{{Type: TemplateBody, Text: text}}}
}

func TestRender(t *testing.T) {
	r := parcelRequest()
	got, err := parcelDef().Render(r, nil)
	want := &Rendered{
		Header: &Header{Type: KindImage, Media: r.Components[0].Parameters[0].Media},
		Body:   "Hola Ana: 12,50 € el 3 May, Ana.",
		Footer: "Shop {{1}}",
		Buttons: []RenderedButton{
			{Type: ButtonQuickReply, Text: "OK", Payload: "OK-1"},
			{Type: ButtonURL, Text: "Track", URL: "https://shop.example/track/991"},
			{Type: ButtonPhone, Text: "Call", Phone: "+34600111222"},
			{Type: ButtonURL, Text: "Home", URL: "https://shop.example/"},
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Render = %+v, %v; want %+v", got, err, want)
	}
}

func TestRenderBodies(t *testing.T) {
	tests := []struct {
		name, text string
		parameters []Parameter
		want       string
	}{
		{"no placeholder", "Hello", nil, "Hello"},
		{"nothing at all", "", nil, ""},
		{"one", "a{{1}}b", []Parameter{textOf("-")}, "a-b"},
		{"twice", "{{1}}{{1}}", []Parameter{textOf("-")}, "--"},
		{"in another order", "{{2}} {{1}}", []Parameter{textOf("a"), textOf("b")}, "b a"},
		{"ten and one", "{{10}}{{1}}{{2}}{{3}}{{4}}{{5}}{{6}}{{7}}{{8}}{{9}}",
			[]Parameter{textOf("1"), textOf("2"), textOf("3"), textOf("4"), textOf("5"), textOf("6"), textOf("7"), textOf("8"), textOf("9"), textOf("X")}, "X123456789"},
		{"a number left out", "{{1}} {{3}}", []Parameter{textOf("a"), textOf("b"), textOf("c")}, "a c"},
		{"named", "Hi {{first_name}}, {{code2}}", []Parameter{named("code2", "b"), named("first_name", "a")}, "Hi a, b"},
		{"named and numbered", "{{1}} {{x}}", []Parameter{named("x", "a"), named("1", "b")}, "b a"},
		{"a number that is a name", "{{01}}", []Parameter{named("01", "a")}, "a"},
		{"zero is a name", "{{0}}", []Parameter{named("0", "a")}, "a"},
		{"three braces", "{{{1}}}", []Parameter{textOf("-")}, "{-}"},
		{"five braces", "{{{{{1}}}}}", []Parameter{textOf("-")}, "{{{-}}}"},
		{"unfinished", "{{1}} {{ {{1 {{1}", []Parameter{textOf("-")}, "- {{ {{1 {{1}"},
		{"spaces inside", "{{ 1 }}", nil, "{{ 1 }}"},
		{"empty", "{{}}", nil, "{{}}"},
		{"capitals", "{{Name}}", nil, "{{Name}}"},
		{"one brace", "{1}", nil, "{1}"},
		{"other languages' placeholders", "%s ${x} $1 {{.}} <% x %>", nil, "%s ${x} $1 {{.}} <% x %>"},
		{"a placeholder as value", "{{1}} {{2}}", []Parameter{textOf("{{2}}"), textOf("{{1}}")}, "{{2}} {{1}}"},
		{"a value that completes one", "{{{1}}}", []Parameter{textOf("{2}")}, "{{2}}"},
		{"values that meet", "{{1}}{{2}}", []Parameter{textOf("{{"), textOf("1}}")}, "{{1}}"},
		{"a value and what follows", "{{1}}2}}", []Parameter{textOf("{{")}, "{{2}}"},
		{"what comes before and a value", "{{2{{1}}", []Parameter{textOf("}}")}, "{{2}}"},
		{"template code", "{{1}}", []Parameter{textOf(`{{.}}{{template "x"}}${jndi:x}$1\1%d%s`)}, `{{.}}{{template "x"}}${jndi:x}$1\1%d%s`},
		{"markup", "{{1}}", []Parameter{textOf("<b>&amp;*_~`\n")}, "<b>&amp;*_~`\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := bodyDef(tt.text).Render(request(bodyWith(tt.parameters...)), nil)
			if err != nil || got.Body != tt.want {
				t.Errorf("Render = %+v, %v; want the body %q", got, err, tt.want)
			}
		})
	}
}

func TestRenderStatus(t *testing.T) {
	for status, reason := range map[TemplateStatus]Reason{
		TemplateApproved: "", TemplatePending: ReasonTemplateMissing, TemplateRejected: ReasonTemplateRejected,
		TemplatePaused: ReasonTemplatePaused, TemplateDisabled: ReasonTemplateDisabled, "": ReasonTemplateMissing, "IN_APPEAL": ReasonTemplateMissing,
	} {
		d := bodyDef("Hello")
		d.Status = status
		_, err := d.Render(request(bodyWith(textOf("one too many"))), nil)
		if status == TemplateApproved {
			wantError(t, err, ReasonTemplateParamCount, "template.components[0].parameters")
			continue
		}
		wantError(t, err, reason, "template.name")
	}
}

// refusal changes what parcelRequest and parcelDef say, and what Render then answers.
type refusal struct {
	name   string
	change func(d *TemplateDef, r *Template)
	reason Reason
	field  string
}

func runRefusals(t *testing.T, rows []refusal) {
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			d, r := parcelDef(), parcelRequest()
			tt.change(d, r)
			got, err := d.Render(r, nil)
			wantError(t, err, tt.reason, tt.field)
			if (got == nil) != (tt.reason != "") {
				t.Errorf("Render = %+v together with %v", got, err)
			}
		})
	}
}

// with replaces the parameters of component i.
func with(i int, p ...Parameter) func(*TemplateDef, *Template) {
	return func(_ *TemplateDef, r *Template) { r.Components[i].Parameters = p }
}

// without leaves component i out.
func without(i int) func(*TemplateDef, *Template) {
	return func(_ *TemplateDef, r *Template) { r.Components = append(r.Components[:i:i], r.Components[i+1:]...) }
}

func also(c Component) func(*TemplateDef, *Template) {
	return func(_ *TemplateDef, r *Template) { r.Components = append(r.Components, c) }
}

func TestRenderRefuses(t *testing.T) {
	const at = "template.components"
	runRefusals(t, []refusal{
		{"header absent", without(0), ReasonTemplateComponent, at},
		{"body absent", without(1), ReasonTemplateComponent, at},
		{"quick reply absent", without(2), "", ""},
		{"url absent", without(3), ReasonTemplateComponent, at},
		{"header empty", with(0), ReasonTemplateParamCount, at + "[0].parameters"},
		{"header of two", with(0, mediaOf(KindImage), mediaOf(KindImage)), ReasonTemplateParamCount, at + "[0].parameters"},
		{"header of text", with(0, textOf("x")), ReasonTemplateFormat, at + "[0].parameters[0].type"},
		{"header of another kind", with(0, mediaOf(KindVideo)), ReasonTemplateFormat, at + "[0].parameters[0].type"},
		{"header without its medium", with(0, Parameter{Type: ParameterImage}), ReasonTemplateFormat, at + "[0].parameters[0].type"},
		{"body empty", with(1), ReasonTemplateParamCount, at + "[1].parameters"},
		{"body one short", with(1, textOf("a"), textOf("b")), ReasonTemplateParamCount, at + "[1].parameters"},
		{"body one over", with(1, textOf("a"), textOf("b"), textOf("c"), textOf("d")), ReasonTemplateParamCount, at + "[1].parameters"},
		{"body with an image", with(1, textOf("a"), mediaOf(KindImage), textOf("c")), ReasonTemplateFormat, at + "[1].parameters[1].type"},
		{"body with a payload", with(1, textOf("a"), textOf("b"), payloadOf("c")), ReasonTemplateFormat, at + "[1].parameters[2].type"},
		{"body with a name", with(1, textOf("a"), named("2", "b"), textOf("c")), ReasonTemplateFormat, at + "[1].parameters[1].parameter_name"},
		{"quick reply empty", with(2), "", ""},
		{"quick reply of two", with(2, payloadOf("a"), payloadOf("b")), ReasonTemplateParamCount, at + "[2].parameters"},
		{"quick reply of text", with(2, textOf("a")), ReasonTemplateFormat, at + "[2].parameters[0].type"},
		{"url empty", with(3), ReasonTemplateParamCount, at + "[3].parameters"},
		{"url of two", with(3, textOf("a"), textOf("b")), ReasonTemplateParamCount, at + "[3].parameters"},
		{"url of a payload", with(3, payloadOf("a")), ReasonTemplateFormat, at + "[3].parameters[0].type"},
		{"parameter for a fixed url", also(buttonWith("url", 3, textOf("x"))), ReasonTemplateParamCount, at + "[4].parameters"},
		{"nothing for a fixed url", also(buttonWith("url", 3)), "", ""},
		{"parameter for a phone", also(buttonWith("url", 2, textOf("x"))), ReasonTemplateFormat, at + "[4].sub_type"},
		{"button beyond the last", also(buttonWith("url", 4, textOf("x"))), ReasonTemplateFormat, at + "[4].index"},
		{"button before the first", also(buttonWith("url", -1, textOf("x"))), ReasonTemplateFormat, at + "[4].index"},
		{"buttons exchanged", func(_ *TemplateDef, r *Template) { r.Components[2].Index, r.Components[3].Index = 1, 0 }, ReasonTemplateFormat, at + "[2].sub_type"},
		{"template without buttons", func(d *TemplateDef, _ *Template) { d.Components = d.Components[:3] }, ReasonTemplateFormat, at + "[2].index"},
		{"template without a header", func(d *TemplateDef, _ *Template) { d.Components = d.Components[1:] }, ReasonTemplateParamCount, at + "[0]"},
		{"no header, nothing for one", func(d *TemplateDef, r *Template) {
			d.Components, r.Components[0].Parameters = d.Components[1:], nil
		}, "", ""},
		{"template without a body", func(d *TemplateDef, _ *Template) { d.Components = d.Components[:1] }, ReasonTemplateParamCount, at + "[1]"},
		{"no components", func(_ *TemplateDef, r *Template) { r.Components = nil }, ReasonTemplateComponent, at},
		{"placeholder 3 without 2", func(d *TemplateDef, _ *Template) { d.Components[1].Text = "{{1}} {{4}}" }, ReasonTemplateParamCount, at + "[1].parameters"},
		{"a huge placeholder", func(d *TemplateDef, _ *Template) { d.Components[1].Text = "{{9223372036854775807}}" }, ReasonTemplateParamCount, at + "[1].parameters"},
		{"names expected", func(d *TemplateDef, _ *Template) { d.Components[1].Text = "{{a}} {{b}} {{c}}" }, ReasonTemplateFormat, at + "[1].parameters[0].parameter_name"},
		{"header of an unknown format", func(d *TemplateDef, _ *Template) { d.Components[0].Format = "AUDIO" }, ReasonTemplateMedia, "template.name"},
		{"a place expected", func(d *TemplateDef, _ *Template) { d.Components[0].Format = FormatLocation }, ReasonTemplateFormat, at + "[0].parameters[0].type"},
		{"unknown component", func(d *TemplateDef, _ *Template) { d.Components[2].Type = "SIDE" }, ReasonTemplateFormat, "template.name"},
		{"unknown button", func(d *TemplateDef, _ *Template) { d.Components[3].Buttons[3].Type = "SWIPE" }, ReasonTemplateButtons, "template.name"},
		{"a button that calls nothing", func(d *TemplateDef, _ *Template) { d.Components[3].Buttons[2].Phone = "call me" }, ReasonTemplatePhone, "template.name"},
	})
}

func TestRenderNames(t *testing.T) {
	const field = "template.components[0].parameters"
	d := bodyDef("{{a}} {{b}}")
	for name, tt := range map[string]struct {
		parameters []Parameter
		reason     Reason
		field      string
	}{
		"all":          {[]Parameter{named("a", "1"), named("b", "2")}, "", ""},
		"one short":    {[]Parameter{named("a", "1")}, ReasonTemplateParamCount, field},
		"one over":     {[]Parameter{named("a", "1"), named("b", "2"), named("c", "3")}, ReasonTemplateParamCount, field},
		"unknown":      {[]Parameter{named("a", "1"), named("c", "2")}, ReasonTemplateFormat, field + "[1].parameter_name"},
		"repeated":     {[]Parameter{named("a", "1"), named("a", "2")}, ReasonTemplateFormat, field + "[1].parameter_name"},
		"not named":    {[]Parameter{textOf("1"), textOf("2")}, ReasonTemplateFormat, field + "[0].parameter_name"},
		"in capitals":  {[]Parameter{named("A", "1"), named("b", "2")}, ReasonTemplateFormat, field + "[0].parameter_name"},
		"not all text": {[]Parameter{named("a", "1"), {Type: ParameterImage, Name: "b"}}, ReasonTemplateFormat, field + "[1].type"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.Render(request(bodyWith(tt.parameters...)), nil)
			wantError(t, err, tt.reason, tt.field)
		})
	}
}

func TestRenderHeaders(t *testing.T) {
	for _, kind := range []Kind{KindImage, KindVideo, KindDocument} {
		d := bodyDef("Hello")
		d.Components = append(d.Components, TemplateComponent{Type: TemplateHeader, Format: strings.ToUpper(string(kind))})
		p := mediaOf(kind)
		got, err := d.Render(request(headerWith(p)), nil)
		if want := (&Header{Type: kind, Media: p.Media}); err != nil || !reflect.DeepEqual(got.Header, want) {
			t.Errorf("%s: Render = %+v, %v", kind, got, err)
		}
	}
	for _, format := range []string{"", FormatText} {
		d := bodyDef("Hello")
		d.Components = append(d.Components, TemplateComponent{Type: TemplateHeader, Format: format, Text: "Order {{1}}"})
		got, err := d.Render(request(headerWith(textOf("7"))), nil)
		if want := (&Header{Type: KindText, Text: "Order 7"}); err != nil || !reflect.DeepEqual(got.Header, want) {
			t.Errorf("text: Render = %+v, %v", got, err)
		}
		_, err = d.Render(request(headerWith(mediaOf(KindImage))), nil)
		wantError(t, err, ReasonTemplateFormat, "template.components[0].parameters[0].type")
	}
}

// Only the reviewed template chooses where a button leads.
func TestRenderLinks(t *testing.T) {
	tests := []struct {
		url, value string
		want       string // empty: refused
	}{
		{"https://shop.example/{{1}}", "a", "https://shop.example/a"},
		{"https://shop.example/?q={{1}}", "a&b=c#d", "https://shop.example/?q=a&b=c#d"},
		{"https://shop.example/{{1}}", "{{1}}", "https://shop.example/{{1}}"},
		{"https://shop.example/{{1}}", "../..//evil.example", "https://shop.example/../..//evil.example"},
		{"https://shop.example/{{1}}", "ñ", "https://shop.example/ñ"},
		{"https://shop.example{{1}}", "/a", "https://shop.example/a"},
		{"https://shop.example{{1}}", ".evil.example", ""},
		{"https://shop.example{{1}}", "@evil.example", ""},
		{"https://shop.example{{1}}", ":8443", ""},
		{"https://shop.example{{1}}", "\\@evil.example", ""},
		{"https://{{1}}", "evil.example", ""},
		{"{{1}}", "https://evil.example", ""},
		{"{{1}}", "javascript:alert(1)", ""},
		{"https://shop.example/{{1}}", "a\nb", ""},
		{"https://shop.example/{{1}}", "%zz", ""},
	}
	for _, tt := range tests {
		d := bodyDef("Hello")
		d.Components = append(d.Components, TemplateComponent{Type: TemplateButtons, Buttons: []TemplateButton{{Type: ButtonURL, Text: "t", URL: tt.url}}})
		got, err := d.Render(request(buttonWith("url", 0, textOf(tt.value))), nil)
		if tt.want == "" {
			wantError(t, err, ReasonTemplateURL, "template.components[0].parameters[0].text")
		} else if err != nil || got.Buttons[0].URL != tt.want {
			t.Errorf("%s with %q: Render = %+v, %v", tt.url, tt.value, got, err)
		}
	}
}

func TestRenderLength(t *testing.T) {
	for _, c := range []string{"x", "ñ", "漢", "😀"} {
		for n, tooLong := range map[int][2]bool{1024: {false, false}, 1025: {false, true}, 32768: {false, true}, 32769: {true, true}} {
			alone := bodyDef("a{{1}}b")
			footed := bodyDef("a{{1}}b")
			footed.Components = append(footed.Components, TemplateComponent{Type: TemplateFooter, Text: strings.Repeat(c, 60)})
			for i, d := range []*TemplateDef{alone, footed} {
				t.Run(fmt.Sprintf("%d of %s among %d", n, c, len(d.Components)), func(t *testing.T) {
					_, err := d.Render(request(bodyWith(textOf(strings.Repeat(c, n-2)))), nil)
					var reason Reason
					if tooLong[i] {
						reason = ReasonTemplateTextLong
					}
					wantError(t, err, reason, "template")
				})
			}
		}
	}
}

// Any text with any placeholders and any values: what comes out is the text with the values in their places.
func TestRenderPutsValuesInUnchanged(t *testing.T) {
	hostile := rapid.SampledFrom([]string{"{{1}}", "{{2}}", "{{", "}}", "{", "}", "1", "${}", "${x}", "{{.}}", "{{x}}", "%s", "$1", "\\1", "\x00", "<b>", "\n"})
	value := rapid.OneOf(rapid.StringN(1, 40, -1), rapid.Map(rapid.SliceOfN(hostile, 1, 5), func(s []string) string { return strings.Join(s, "") }))
	literal := rapid.StringMatching(`[^{}]{0,10}`)
	rapid.Check(t, func(t *rapid.T) {
		byName := rapid.Bool().Draw(t, "by name")
		values := rapid.SliceOfN(value, 1, 6).Draw(t, "values")
		parameters, names := make([]Parameter, len(values)), make([]string, len(values))
		for i, v := range values {
			parameters[i], names[i] = textOf(v), fmt.Sprint(i+1)
			if byName {
				names[i] = fmt.Sprint("name_", i)
				parameters[i].Name = names[i]
			}
		}
		var text, want strings.Builder
		put := func(i int) {
			l := literal.Draw(t, "literal")
			text.WriteString(l + "{{" + names[i] + "}}")
			want.WriteString(l + values[i])
		}
		for i := range values {
			put(i)
		}
		for range rapid.IntRange(0, 4).Draw(t, "repeated") {
			put(rapid.IntRange(0, len(values)-1).Draw(t, "which"))
		}
		got, err := bodyDef(text.String()).Render(request(bodyWith(parameters...)), nil)
		if err != nil || got.Body != want.String() {
			t.Fatalf("Render of %q = %+v, %v; want %q", text.String(), got, err, want.String())
		}
	})
}

// A regular expression is the second opinion on what a placeholder is.
func FuzzSubstitute(f *testing.F) {
	placeholder := regexp.MustCompile(`\{\{[a-z0-9_]+\}\}`)
	for _, s := range []string{"", "{{1}}", "{{{1}}}", "{{1}}}{{a_b}}", "{{ {{{{x", "{{{{{{{{1}}", "{{1}{{2}}", "{{é}}", "{{\xff}}"} {
		f.Add(s, "{{1}}")
	}
	f.Fuzz(func(t *testing.T, s, v string) {
		got := substitute(s, func(string) string { return v })
		if want := placeholder.ReplaceAllLiteralString(s, v); got != want {
			t.Errorf("substitute(%q, %q) = %q, want %q", s, v, got, want)
		}
	})
}
