package kabar

import (
	"reflect"
	"strings"
	"testing"
)

// cardsDef is a carousel of n cards with a picture, a text and two buttons.
func cardsDef(n int) TemplateComponent {
	c := TemplateComponent{Type: TemplateCarousel}
	for range n {
		c.Cards = append(c.Cards, TemplateCard{Components: []TemplateComponent{
			{Type: TemplateHeader, Format: FormatImage},
			{Type: TemplateBody, Text: "{{1}} for {{2}}"},
			{Type: TemplateButtons, Buttons: []TemplateButton{{Type: ButtonQuickReply, Text: "More"}, {Type: ButtonURL, Text: "Buy", URL: "https://shop.example/{{1}}"}}},
		}})
	}
	return c
}

// saleDef is a template with a carousel and an offer that ends.
func saleDef() *TemplateDef {
	return &TemplateDef{Name: "sale", Language: "en", Category: CategoryMarketing, Status: TemplateApproved, Components: []TemplateComponent{
		{Type: TemplateBody, Text: "Hi {{1}}"}, cardsDef(2), {Type: TemplateOffer, Offer: &TimedOffer{Text: "Half price", Expiry: true}}}}
}

// saleRequest fills saleDef.
func saleRequest() *Template {
	card := func(what, cost, path string) CardFilling {
		return CardFilling{Components: []Component{headerWith(mediaOf(KindImage)), bodyWith(textOf(what), textOf(cost)),
			buttonWith("quick_reply", 0, payloadOf("more "+path)), buttonWith("url", 1, textOf(path))}}
	}
	return request(bodyWith(textOf("Ana")), Component{Type: ComponentCarousel, Cards: []CardFilling{card("Tea {{1}}", "2 €", "t"), card("Cups", "5 €", "c")}},
		offerWith(1_900_000_000_000))
}

func TestRenderCards(t *testing.T) {
	r := saleRequest()
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	got, err := saleDef().Render(r, nil)
	card := func(n int, body, path string) Rendered {
		return Rendered{Header: &Header{Type: KindImage, Media: r.Components[1].Cards[n].Components[0].Parameters[0].Media}, Body: body, Buttons: []RenderedButton{
			{Type: ButtonQuickReply, Text: "More", Payload: "more " + path}, {Type: ButtonURL, Text: "Buy", URL: "https://shop.example/" + path}}}
	}
	want := &Rendered{Body: "Hi Ana", Cards: []Rendered{card(0, "Tea {{1}} for 2 €", "t"), card(1, "Cups for 5 €", "c")},
		Offer: &RenderedOffer{Text: "Half price", Ends: 1_900_000_000_000}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Render = %+v, %v; want %+v", got, err, want)
	}
	r.Rendered = got
	if media := CardMedia(r); len(media) != 2 || media[1] != want.Cards[1].Header.Media {
		t.Errorf("CardMedia = %v", media)
	}
}

func TestRenderCardsRefuses(t *testing.T) {
	const cards = "template.components[1].cards"
	for name, tt := range map[string]struct {
		change func(d *TemplateDef, r *Template)
		reason Reason
		field  string
	}{
		"no carousel":                 {func(_ *TemplateDef, r *Template) { r.Components = r.Components[:1] }, ReasonTemplateComponent, "template.components"},
		"a card less":                 {func(_ *TemplateDef, r *Template) { r.Components[1].Cards = r.Components[1].Cards[:1] }, ReasonTemplateParamCount, cards},
		"no carousel in the template": {func(d *TemplateDef, _ *Template) { d.Components = append(d.Components[:1], d.Components[2]) }, ReasonTemplateParamCount, "template.components[1]"},
		"no picture": {func(_ *TemplateDef, r *Template) {
			r.Components[1].Cards[1].Components = r.Components[1].Cards[1].Components[1:]
		}, ReasonTemplateComponent, cards + "[1].components"},
		"a film": {func(_ *TemplateDef, r *Template) {
			r.Components[1].Cards[1].Components[0] = headerWith(mediaOf(KindVideo))
		}, ReasonTemplateFormat, cards + "[1].components[0].parameters[0].type"},
		"a third button": {func(_ *TemplateDef, r *Template) { r.Components[1].Cards[0].Components[3].Index = 2 }, ReasonTemplateFormat, cards + "[0].components[3].index"},
		"too long a text": {func(_ *TemplateDef, r *Template) {
			r.Components[1].Cards[0].Components[1].Parameters[0].Text = strings.Repeat("x", MaxCardBody)
		}, ReasonTemplateTextLong, cards + "[0]"},
		"an offer without its end":         {func(_ *TemplateDef, r *Template) { r.Components = r.Components[:2] }, ReasonTemplateComponent, "template.components"},
		"an end of an offer that has none": {func(d *TemplateDef, _ *Template) { d.Components[2].Offer.Expiry = false }, ReasonTemplateParamCount, "template.components[2].parameters"},
	} {
		t.Run(name, func(t *testing.T) {
			d, r := saleDef(), saleRequest()
			tt.change(d, r)
			_, err := d.Render(r, nil)
			wantError(t, err, tt.reason, tt.field)
		})
	}
}
