package kabar

import (
	"fmt"
	"reflect"
	"testing"
)

// spanish writes amounts and dates in a way that shows what it was asked; it knows no yen.
type spanish struct{}

func (spanish) Currency(language string, c *Currency) (string, bool) {
	return fmt.Sprintf("<%d %s in %s>", c.Amount1000, c.Code, language), c.Code != "JPY"
}

func (spanish) DateTime(language string, d *DateTime) (string, bool) {
	return fmt.Sprintf("<{{1}} %d in %s>", d.Timestamp, language), d.Timestamp != 0
}

// Amounts and dates are written in the template's language; the fallback is for what cannot be. Neither is filled again.
func TestRenderWrites(t *testing.T) {
	d := bodyDef("{{1}}, {{2}}, {{3}}, {{4}}")
	d.Language = "es_ES"
	yen := Parameter{Type: ParameterCurrency, Currency: &Currency{"{{2}} yen", "JPY", 1}}
	none := Parameter{Type: ParameterDateTime, DateTime: &DateTime{Fallback: "some day"}}
	got, err := d.Render(request(bodyWith(euros("12,50 €"), dateOf("3 May"), yen, none)), spanish{})
	if want := "<12500 EUR in es_ES>, <{{1}} 1935565800 in es_ES>, {{2}} yen, some day"; err != nil || got.Body != want {
		t.Errorf("Render = %+v, %v; want the body %q", got, err, want)
	}
	got, err = d.Render(request(bodyWith(euros("12,50 €"), dateOf("3 May"), yen, none)), nil)
	if want := "12,50 €, 3 May, {{2}} yen, some day"; err != nil || got.Body != want {
		t.Errorf("without a formatter Render = %+v, %v; want the body %q", got, err, want)
	}
}

func buttonDef(b TemplateButton) *TemplateDef {
	d := bodyDef("Hello")
	d.Components = append(d.Components, TemplateComponent{Type: TemplateButtons, Buttons: []TemplateButton{b}})
	return d
}

func actionOf(a ButtonAction) Parameter { return Parameter{Type: ParameterAction, Action: &a} }

func TestRenderButtons(t *testing.T) {
	const at = "template.components[0].parameters"
	flow := TemplateButton{Type: ButtonFlow, Text: "Book", FlowID: "77", FlowAction: "navigate", NavigateScreen: "DATES"}
	bill := &Payment{Reference: "r-1"}
	shelf := []Section{{Products: []string{"mug", "cup"}}}
	tests := []struct {
		name      string
		button    TemplateButton
		component Component
		want      RenderedButton
		reason    Reason
		field     string
	}{
		{"coupon", TemplateButton{Type: ButtonCopyCode}, buttonWith("copy_code", 0, couponOf("SPRING")), RenderedButton{Code: "SPRING"}, "", ""},
		{"coupon absent", TemplateButton{Type: ButtonCopyCode}, bodyWith(), RenderedButton{}, ReasonTemplateComponent, "template.components"},
		{"coupon empty", TemplateButton{Type: ButtonCopyCode}, buttonWith("copy_code", 0), RenderedButton{}, ReasonTemplateParamCount, at},
		{"coupon by url", TemplateButton{Type: ButtonCopyCode}, buttonWith("url", 0, textOf("x")), RenderedButton{}, ReasonTemplateFormat, "template.components[0].sub_type"},
		{"password", TemplateButton{Type: ButtonOTP, Text: "Copy"}, buttonWith("url", 0, textOf("123456")), RenderedButton{Text: "Copy", Code: "123456"}, "", ""},
		{"password absent", TemplateButton{Type: ButtonOTP}, bodyWith(), RenderedButton{}, ReasonTemplateComponent, "template.components"},
		{"password too long", TemplateButton{Type: ButtonOTP}, buttonWith("url", 0, textOf("1234567890123456")), RenderedButton{}, ReasonTemplateParamLong, at + "[0].text"},
		{"catalog", TemplateButton{Type: ButtonCatalog, Text: "See"}, buttonWith("catalog", 0, actionOf(ButtonAction{Thumbnail: "mug"})),
			RenderedButton{Text: "See", Product: "mug"}, "", ""},
		{"catalog as it is", TemplateButton{Type: ButtonCatalog, Text: "See"}, bodyWith(), RenderedButton{Text: "See"}, "", ""},
		{"catalog twice", TemplateButton{Type: ButtonCatalog}, buttonWith("catalog", 0, actionOf(ButtonAction{}), actionOf(ButtonAction{})),
			RenderedButton{}, ReasonTemplateParamCount, at},
		{"products", TemplateButton{Type: ButtonProducts, Text: "View"}, buttonWith("mpm", 0, actionOf(ButtonAction{Thumbnail: "mug", Sections: shelf})),
			RenderedButton{Text: "View", Product: "mug", Sections: shelf}, "", ""},
		{"products absent", TemplateButton{Type: ButtonProducts}, bodyWith(), RenderedButton{}, ReasonTemplateComponent, "template.components"},
		{"products without any", TemplateButton{Type: ButtonProducts}, buttonWith("mpm", 0, actionOf(ButtonAction{Thumbnail: "mug"})), RenderedButton{}, ReasonMissing,
			at + "[0].action.sections"},
		{"products of a catalog button", TemplateButton{Type: ButtonProducts}, buttonWith("catalog", 0, actionOf(ButtonAction{})), RenderedButton{}, ReasonTemplateFormat,
			"template.components[0].sub_type"},
		{"call", TemplateButton{Type: ButtonCall, Text: "Call"}, buttonWith("voice_call", 0, Parameter{Type: ParameterMinutes, Minutes: 60}), RenderedButton{Text: "Call", Minutes: 60}, "", ""},
		{"call as it is", TemplateButton{Type: ButtonCall, Text: "Call"}, bodyWith(), RenderedButton{Text: "Call"}, "", ""},
		{"order", TemplateButton{Type: ButtonOrder, Text: "Pay"}, buttonWith("order_details", 0, actionOf(ButtonAction{Payment: bill})), RenderedButton{Text: "Pay", Payment: bill}, "", ""},
		{"order without one", TemplateButton{Type: ButtonOrder}, buttonWith("order_details", 0, actionOf(ButtonAction{})), RenderedButton{}, ReasonMissing, at + "[0].action.order_details"},
		{"order absent", TemplateButton{Type: ButtonOrder}, bodyWith(), RenderedButton{}, ReasonTemplateComponent, "template.components"},
		{"flow", flow, buttonWith("flow", 0, actionOf(ButtonAction{FlowToken: "t-1", FlowData: `{"day":3}`})),
			RenderedButton{Text: "Book", Flow: &RenderedFlow{ID: "77", Action: "navigate", Screen: "DATES", Token: "t-1", Data: `{"day":3}`}}, "", ""},
		{"flow as it is", flow, bodyWith(), RenderedButton{Text: "Book", Flow: &RenderedFlow{ID: "77", Action: "navigate", Screen: "DATES"}}, "", ""},
		{"phone in words", TemplateButton{Type: ButtonPhone, Text: "Call", Phone: "+34 (600) 111-222"}, bodyWith(), RenderedButton{Text: "Call", Phone: "+34 (600) 111-222"}, "", ""},
		{"phone too short", TemplateButton{Type: ButtonPhone, Text: "Call", Phone: "12"}, bodyWith(), RenderedButton{}, ReasonTemplatePhone, "template.name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := buttonDef(tt.button).Render(request(tt.component), nil)
			wantError(t, err, tt.reason, tt.field)
			if tt.want.Type = tt.button.Type; err == nil && !reflect.DeepEqual(got.Buttons, []RenderedButton{tt.want}) {
				t.Errorf("Render = %+v, want %+v", got.Buttons, tt.want)
			}
		})
	}
}

func TestRenderPlace(t *testing.T) {
	d := bodyDef("Hello")
	d.Components = append(d.Components, TemplateComponent{Type: TemplateHeader, Format: FormatLocation})
	p := placeOf(40.4)
	got, err := d.Render(request(headerWith(p)), nil)
	if want := (&Header{Type: KindLocation, Location: p.Location}); err != nil || !reflect.DeepEqual(got.Header, want) {
		t.Errorf("Render = %+v, %v", got, err)
	}
}
