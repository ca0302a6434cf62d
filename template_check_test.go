package kabar

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestTemplateDefCheck(t *testing.T) {
	texts := func(d *TemplateDef, i int, s string) { d.Components[i].Text = s }
	buttons := func(b ...TemplateButton) func(*TemplateDef) {
		return func(d *TemplateDef) { d.Components[3].Buttons = b }
	}
	quick, home := TemplateButton{Type: ButtonQuickReply, Text: "OK"}, TemplateButton{Type: ButtonURL, Text: "Home", URL: "https://shop.example/"}
	link := func(s string) func(*TemplateDef) {
		return buttons(TemplateButton{Type: ButtonURL, Text: "Home", URL: s})
	}
	tests := map[string]struct {
		change func(d *TemplateDef)
		fields string // of the faults
	}{
		"nothing":                 {func(*TemplateDef) {}, ""},
		"no name":                 {func(d *TemplateDef) { d.Name = "" }, "name"},
		"a name with capitals":    {func(d *TemplateDef) { d.Name = "Parcel" }, "name"},
		"a name of 512":           {func(d *TemplateDef) { d.Name = strings.Repeat("x", 512) }, ""},
		"a name of 513":           {func(d *TemplateDef) { d.Name = strings.Repeat("x", 513) }, "name"},
		"a language":              {func(d *TemplateDef) { d.Language = "Spanish" }, "language"},
		"a category":              {func(d *TemplateDef) { d.Category = CategoryService }, "category"},
		"a status":                {func(d *TemplateDef) { d.Status = "GOOD" }, "status"},
		"a format of parameters":  {func(d *TemplateDef) { d.ParameterFormat = "BOTH" }, "parameter_format"},
		"no body":                 {func(d *TemplateDef) { d.Components = d.Components[2:] }, "components"},
		"two bodies":              {func(d *TemplateDef) { d.Components[2] = d.Components[1] }, "components[2]"},
		"no type":                 {func(d *TemplateDef) { d.Components[2].Type = "" }, "components[2].type"},
		"an unknown part":         {func(d *TemplateDef) { d.Components[2].Type = "SIDE" }, "components[2].type"},
		"a carousel":              {func(d *TemplateDef) { d.Components[2].Type = "CAROUSEL" }, ""},
		"an empty body":           {func(d *TemplateDef) { texts(d, 1, "") }, "components[1].text"},
		"a body of 1024":          {func(d *TemplateDef) { texts(d, 1, strings.Repeat("ñ", 1024)) }, ""},
		"a body of 1025":          {func(d *TemplateDef) { texts(d, 1, strings.Repeat("ñ", 1025)) }, "components[1].text"},
		"a gap":                   {func(d *TemplateDef) { texts(d, 1, "{{1}} {{3}}") }, "components[1].text"},
		"numbers and names":       {func(d *TemplateDef) { texts(d, 1, "{{1}} {{name}}") }, "components[1].text"},
		"names":                   {func(d *TemplateDef) { texts(d, 1, "{{first}} {{name_2}}") }, ""},
		"a header format":         {func(d *TemplateDef) { d.Components[0].Format = "AUDIO" }, "components[0].format"},
		"a header without a text": {func(d *TemplateDef) { d.Components[0].Format = FormatText }, "components[0].text"},
		"a header of two":         {func(d *TemplateDef) { d.Components[0].Format = ""; texts(d, 0, "{{1}} {{2}}") }, "components[0].text"},
		"a header of 61":          {func(d *TemplateDef) { d.Components[0].Format = ""; texts(d, 0, strings.Repeat("x", 61)) }, "components[0].text"},
		"a footer of 61":          {func(d *TemplateDef) { texts(d, 2, strings.Repeat("x", 61)) }, "components[2].text"},
		"a footer to fill in":     {func(d *TemplateDef) { texts(d, 2, "by {{1}}") }, "components[2].text"},
		"no buttons":              {buttons(), "components[3].buttons"},
		"11 buttons":              {buttons(slices.Repeat([]TemplateButton{quick}, 11)...), "components[3].buttons components[3].buttons[10]"},
		"quick replies apart":     {buttons(quick, home, quick), "components[3].buttons[2]"},
		"quick replies together":  {buttons(home, quick, quick), ""},
		"three links":             {buttons(home, home, home), "components[3].buttons[2]"},
		"a button's text":         {buttons(TemplateButton{Type: ButtonQuickReply, Text: strings.Repeat("x", 26)}), "components[3].buttons[0].text"},
		"a button without a type": {buttons(TemplateButton{Text: "x"}), "components[3].buttons[0].type"},
		"a button of a new type":  {buttons(TemplateButton{Type: "NEW", Text: "x"}), "components[3].buttons[0].type"},
		"a button we do not have": {buttons(TemplateButton{Type: "VOICE_CALL", Text: "x"}), ""},
		"a coupon":                {buttons(TemplateButton{Type: ButtonCopyCode}), ""},
		"a flow without its id":   {buttons(TemplateButton{Type: ButtonFlow, Text: "x"}), "components[3].buttons[0]"},
		"a phone of 21":           {buttons(TemplateButton{Type: ButtonPhone, Text: "x", Phone: strings.Repeat("1", 21)}), "components[3].buttons[0].phone_number"},
		"a link to fill in":       {link("https://shop.example/{{1}}"), ""},
		"a link twice":            {link("https://shop.example/{{1}}/{{2}}"), "components[3].buttons[0].url"},
		"a link without a scheme": {link("shop.example"), "components[3].buttons[0].url"},
		"a link to anything":      {link("https://{{1}}"), "components[3].buttons[0].url"},
		"a host that is filled":   {link("https://shop.example{{1}}/"), "components[3].buttons[0].url"},
		"no link":                 {link(""), "components[3].buttons[0].url"},
		"several faults":          {func(d *TemplateDef) { d.Name, d.Language = "", ""; texts(d, 2, "") }, "name language components[2].text"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := parcelDef()
			d.Components[2].Text = "Shop"
			tt.change(d)
			var fields []string
			for _, err := range d.Check() {
				var e *Error
				if !errors.As(err, &e) || e.Detail == "" {
					t.Fatalf("%v is no *Error with a detail", err)
				}
				fields = append(fields, e.Field)
			}
			if got := strings.Join(fields, " "); got != tt.fields {
				t.Errorf("faults in %q, want %q: %v", got, tt.fields, d.Check())
			}
		})
	}
}

// What the Graph API lists is taken as it is.
func TestTemplateDefFromGraph(t *testing.T) {
	const listed = `{"name":"otp","parameter_format":"POSITIONAL","language":"en_US","status":"APPROVED","category":"AUTHENTICATION","id":"594425479261596",
		"components":[{"type":"BODY","text":"*{{1}}* is your code.","add_security_recommendation":true,"example":{"body_text":[["123456"]]}},
		{"type":"FOOTER","text":"Ends in 5 minutes.","code_expiration_minutes":5},
		{"type":"BUTTONS","buttons":[{"type":"FLOW","text":"Go","flow_id":1234567890123,"navigate_screen":"A"},{"type":"otp","otp_type":"COPY_CODE","text":"Copy code"}]}]}`
	var d TemplateDef
	if err := json.Unmarshal([]byte(listed), &d); err != nil {
		t.Fatal(err)
	}
	d.Normalize()
	if faults := d.Check(); faults != nil {
		t.Error(faults)
	}
	if err := d.CanSend(); err != nil || d.Category != CategoryAuthentication || d.Components[2].Buttons[0].FlowID != "1234567890123" {
		t.Errorf("%+v, %v", d, err)
	}
	if kept, err := json.Marshal(&d); err != nil || !strings.Contains(string(kept), `"example":{"body_text":[["123456"]]}`) {
		t.Errorf("kept as %s, %v", kept, err)
	}
}

func TestCanSend(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(d *TemplateDef)
		reason Reason
	}{
		"approved":                 {func(*TemplateDef) {}, ""},
		"paused":                   {func(d *TemplateDef) { d.Status = TemplatePaused }, ReasonTemplatePaused},
		"a GIF":                    {func(d *TemplateDef) { d.Components[0].Format = "GIF" }, ""},
		"sound":                    {func(d *TemplateDef) { d.Components[0].Format = "AUDIO" }, ReasonTemplateMedia},
		"a contact":                {func(d *TemplateDef) { d.Components[3].Buttons[0].Type = ButtonContact }, ""},
		"an app":                   {func(d *TemplateDef) { d.Components[3].Buttons[0].Type = ButtonApp }, ""},
		"a button that is unknown": {func(d *TemplateDef) { d.Components[3].Buttons[0].Type = "SWIPE" }, ReasonTemplateButtons},
		"a call":                   {func(d *TemplateDef) { d.Components[3].Buttons[0].Type = "VOICE_CALL" }, ""},
		"a carousel":               {func(d *TemplateDef) { d.Components[2] = cardsDef(2) }, ""},
		"a carousel of products": {func(d *TemplateDef) {
			d.Components[2] = cardsDef(2)
			d.Components[2].Cards[1].Components[0].Format = FormatProduct
		}, ""},
		"a product": {func(d *TemplateDef) {
			d.Components[0].Format = FormatProduct
			d.Components[3].Buttons[0].Type = ButtonProduct
		}, ""},
		"a product without a header": {func(d *TemplateDef) { d.Components[3].Buttons[0].Type = ButtonProduct }, ReasonTemplateButtons},
		"products":                   {func(d *TemplateDef) { d.Components[3].Buttons[0].Type = ButtonProducts }, ""},
		"a permission":               {func(d *TemplateDef) { d.Components[2].Type = TemplateCall }, ""},
		"what is unknown":            {func(d *TemplateDef) { d.Components[2].Type = "SIDE" }, ReasonTemplateFormat},
	} {
		t.Run(name, func(t *testing.T) {
			d := parcelDef()
			tt.change(d)
			wantError(t, d.CanSend(), tt.reason, "template.name")
		})
	}
}
