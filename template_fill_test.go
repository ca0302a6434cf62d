package kabar

import (
	"fmt"
	"strings"
	"testing"
)

// fillable is a template that takes something everywhere.
func fillable() *TemplateDef {
	return &TemplateDef{Name: "parcel", Language: "en", Category: CategoryUtility, Status: TemplateApproved, Components: []TemplateComponent{
		{Type: TemplateHeader, Format: FormatImage},
		{Type: TemplateBody, Text: "Hello {{1}}, parcel {{2}} is here, {{1}}."},
		{Type: TemplateFooter, Text: "Warung Kabar"},
		{Type: TemplateButtons, Buttons: []TemplateButton{{Type: ButtonURL, Text: "Track", URL: "https://shop.example/{{1}}"}, {Type: ButtonQuickReply, Text: "Stop"},
			{Type: ButtonCopyCode}, {Type: ButtonURL, Text: "Shop", URL: "https://shop.example/"}}}}}
}

func TestATableFillsATemplate(t *testing.T) {
	d := fillable()
	places, err := d.Places()
	if want := "[{header false} {body.1 false} {body.2 false} {button.0 false} {button.1 true} {button.2 false}]"; err != nil || fmt.Sprint(places) != want {
		t.Fatalf("places %v, %v; want %s", places, err, want)
	}
	values := map[string]string{"header": "https://shop.example/a.png", "body.1": "Ana", "body.2": "{{1}}", "button.0": "7", "button.1": "no", "button.2": "AB12"}
	filled := d.Fill(values)
	if err := filled.Validate(); err != nil {
		t.Fatal(err)
	}
	r, err := d.Render(filled, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Body != "Hello Ana, parcel {{1}} is here, Ana." || r.Header.Media.Link != values["header"] || r.Buttons[0].URL != "https://shop.example/7" ||
		r.Buttons[1].Payload != "no" || r.Buttons[2].Code != "AB12" {
		t.Errorf("rendered %+v", r)
	}
	delete(values, "button.1")
	if _, err := d.Render(d.Fill(values), nil); err != nil {
		t.Errorf("without what is optional: %v", err)
	}
	delete(values, "body.2")
	_, err = d.Render(d.Fill(values), nil)
	wantError(t, err, ReasonTemplateParamCount, "template.components[1].parameters")
}

func TestANamedTemplateIsFilledByName(t *testing.T) {
	d := &TemplateDef{Name: "x", Language: "en", Status: TemplateApproved, ParameterFormat: Named, Components: []TemplateComponent{
		{Type: TemplateHeader, Text: "For {{who}}"}, {Type: TemplateBody, Text: "{{what}} for {{who}}"}}}
	places, err := d.Places()
	if want := "[{header false} {body.what false} {body.who false}]"; err != nil || fmt.Sprint(places) != want {
		t.Fatalf("places %v, %v; want %s", places, err, want)
	}
	r, err := d.Render(d.Fill(map[string]string{"header": "Ana", "body.who": "Budi", "body.what": "Tea"}), nil)
	if err != nil || r.Header.Text != "For Ana" || r.Body != "Tea for Budi" {
		t.Errorf("rendered %+v, %v", r, err)
	}
}

func TestWhatATableCannotFillIsRefused(t *testing.T) {
	for what, c := range map[string]TemplateComponent{
		"location header":      {Type: TemplateHeader, Format: FormatLocation},
		"carousel":             {Type: TemplateCarousel},
		"limited_time_offer":   {Type: TemplateOffer},
		"order_details button": {Type: TemplateButtons, Buttons: []TemplateButton{{Type: ButtonOrder}}},
	} {
		_, err := (&TemplateDef{Components: []TemplateComponent{c}}).Places()
		wantError(t, err, ReasonTemplateFormat, "template.name")
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%v does not name a %s", err, what)
		}
	}
}
