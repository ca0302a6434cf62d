package kabar

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var kinds = []Kind{
	KindText, KindImage, KindAudio, KindVideo, KindDocument, KindSticker, KindLocation, KindContacts, KindReaction, KindInteractive,
	KindTemplate, KindReply, KindButton, KindOrder, KindUnsupported,
}

func TestContentsKnowTheirKind(t *testing.T) {
	if len(contents) != len(kinds) {
		t.Errorf("%d kinds are decoded, %d are tested", len(contents), len(kinds))
	}
	for _, kind := range kinds {
		empty, ok := contents[kind]
		if !ok {
			t.Errorf("%s is not decoded", kind)
			continue
		}
		if got := empty().Kind(); got != kind {
			t.Errorf("the content of %s says it is %s", kind, got)
		}
		if empty() == empty() {
			t.Errorf("%s: one content is handed out twice", kind)
		}
	}
}

// The stored form is read by later versions: it changes only together with a migration.
func TestStoredForm(t *testing.T) {
	hour := 0
	tests := []struct {
		content Content
		want    string
	}{
		{&Text{Body: "hola", PreviewURL: true}, `{"body":"hola","preview_url":true}`},
		{&Text{Body: "hola"}, `{"body":"hola"}`},
		{&Media{kind: KindAudio, ID: 7, Voice: true}, `{"media":7,"voice":true}`},
		{&Media{kind: KindDocument, Link: "https://cdn.example/p", Filename: "p.pdf", Caption: "c"}, `{"link":"https://cdn.example/p","caption":"c","filename":"p.pdf"}`},
		{&Location{Name: "Sol"}, `{"latitude":0,"longitude":0,"name":"Sol"}`},
		{&Reaction{Target: 7, Emoji: "👍"}, `{"target":7,"emoji":"👍"}`},
		{buttonsOf(1, func(i *Interactive) { i.Header = &Header{Type: KindImage, Media: &Media{kind: KindImage, ID: 7}} }),
			`{"type":"button","header":{"type":"image","media":{"media":7}},"body":"Which?","action":{"buttons":[{"id":"id0","title":"Title 0"}]}}`},
		{listOf([]int{1}, same), `{"type":"list","body":"Which?","action":{"button":"Show","sections":[{"title":"Section 0","rows":[{"id":"0-0","title":"Row 0"}]}]}}`},
		{request(headerWith(mediaOf(KindImage)), buttonWith("url", 1, named("n", "x"))),
			`{"name":"parcel_update","language":{"policy":"deterministic","code":"es_ES"},"components":[{"type":"header","parameters":[{"type":"image","media":{"media":7}}]},{"type":"button","sub_type":"url","index":1,"parameters":[{"type":"text","name":"n","text":"x"}]}]}`},
		{request(bodyWith(euros("12,50 €"), Parameter{Type: ParameterDateTime, DateTime: &DateTime{Fallback: "3 May", Hour: &hour}})),
			`{"name":"parcel_update","language":{"policy":"deterministic","code":"es_ES"},"components":[{"type":"body","parameters":[{"type":"currency","currency":{"fallback_value":"12,50 €","code":"EUR","amount_1000":12500}},{"type":"date_time","date_time":{"fallback_value":"3 May","hour":0}}]}]}`},
		{&Template{Name: "n", Language: Language{Code: "en"}, Rendered: &Rendered{Body: "b", Buttons: []RenderedButton{{Type: ButtonQuickReply, Text: "t", Payload: "p"}}}},
			`{"name":"n","language":{"code":"en"},"rendered":{"body":"b","buttons":[{"type":"QUICK_REPLY","text":"t","payload":"p"}]}}`},
		{&Reply{Type: ListReply, ID: "1", Title: "t", Description: "d"}, `{"type":"list_reply","id":"1","title":"t","description":"d"}`},
		{&Reply{Type: FormReply, Form: &Form{Name: FormFlow, Body: "Sent", Response: "{}"}}, `{"type":"nfm_reply","form":{"name":"flow","body":"Sent","response":"{}"}}`},
		{&Button{Text: "Yes", Payload: "OK-1"}, `{"text":"Yes","payload":"OK-1"}`},
		{&Media{kind: KindSticker, ID: 7, Pack: &StickerPack{ID: "p", Emojis: []string{"🙂"}, FirstParty: true}}, `{"media":7,"pack":{"id":"p","emojis":["🙂"],"first_party":true}}`},
		{&Contacts{Cards: []Card{{Name: CardName{Formatted: "Ana R", First: "Ana"}, Phones: []CardPhone{{Phone: "+34", Type: "CELL", WaID: "34"}}, Birthday: "2001-02-03"}}},
			`{"cards":[{"name":{"formatted_name":"Ana R","first_name":"Ana"},"phones":[{"phone":"+34","type":"CELL","wa_id":"34"}],"birthday":"2001-02-03"}]}`},
		{&Order{Catalog: "c", Text: "t", Items: []OrderItem{{RetailerID: "r", Quantity: 2, Price: 12500, Currency: "EUR"}}},
			`{"catalog_id":"c","text":"t","product_items":[{"product_retailer_id":"r","quantity":2,"item_price":12500,"currency":"EUR"}]}`},
		{productsOf([]int{1}, func(i *Interactive) { i.Action.Products = []Product{{Catalog: "c", RetailerID: "0-0", Name: "n"}} }),
			`{"type":"product_list","header":{"type":"text","text":"Shop"},"body":"Which?","action":{"sections":[{"title":"Section 0","products":["0-0"]}],"catalog":"c1","products":[{"catalog_id":"c","product_retailer_id":"0-0","name":"n"}]}}`},
		{&Interactive{Type: InteractiveFlow, Body: "b", Action: Action{Flow: &Flow{Version: "3", ID: "1", Text: "Go", Payload: []byte(`{"screen":"A"}`)}}},
			`{"type":"flow","body":"b","action":{"flow":{"version":"3","id":"1","text":"Go","payload":{"screen":"A"}}}}`},
		{&Interactive{Type: InteractiveAddress, Body: "b", Action: Action{Address: &AddressForm{Country: "IN", Values: map[string]string{"name": "Ana"}}}},
			`{"type":"address_message","body":"b","action":{"address":{"country":"IN","values":{"name":"Ana"}}}}`},
		{&Unsupported{Detail: "poll"}, `{"detail":"poll"}`},
	}
	for _, tt := range tests {
		got, err := EncodeContent(tt.content)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s is stored as\n%s, want\n%s (%v)", tt.content.Kind(), got, tt.want, err)
		}
		back, err := DecodeContent(tt.content.Kind(), got)
		if err != nil || !reflect.DeepEqual(back, tt.content) {
			t.Errorf("%s comes back as %#v, want %#v (%v)", tt.content.Kind(), back, tt.content, err)
		}
	}
}

// Whatever can be written comes back the same, down to the kind of a medium inside another content.
func TestContentRoundTrip(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				c := drawContent(t, kind)
				b, err := EncodeContent(c)
				if err != nil {
					t.Fatal(err)
				}
				back, err := DecodeContent(kind, b)
				if err != nil || !reflect.DeepEqual(back, c) {
					t.Fatalf("%s came back as %#v, want %#v (%v)", b, back, c, err)
				}
				snapshot, err := Snapshot(c)
				if err != nil {
					t.Fatal(err)
				}
				if b, err = json.Marshal(snapshot); err != nil {
					t.Fatal(err)
				}
				var read RawContent
				if err := json.Unmarshal(b, &read); err != nil {
					t.Fatal(err)
				}
				if back, err = read.Content(); err != nil || !reflect.DeepEqual(back, c) {
					t.Fatalf("the snapshot %s came back as %#v, want %#v (%v)", b, back, c, err)
				}
			})
		})
	}
}

func drawContent(t *rapid.T, kind Kind) Content {
	switch kind {
	case KindText:
		return draw[Text](t)
	case KindLocation:
		return &Location{
			Latitude: rapid.Float64Range(-90, 90).Draw(t, "latitude"), Longitude: rapid.Float64Range(-180, 180).Draw(t, "longitude"),
			Name: rapid.String().Draw(t, "name"), Address: rapid.String().Draw(t, "address"), URL: rapid.String().Draw(t, "url"),
		}
	case KindReaction:
		return draw[Reaction](t)
	case KindInteractive:
		return drawInteractive(t)
	case KindTemplate:
		return drawTemplate(t)
	case KindReply:
		return draw[Reply](t)
	case KindButton:
		return draw[Button](t)
	case KindContacts:
		return drawContacts(t)
	case KindOrder:
		return draw[Order](t)
	case KindUnsupported:
		return draw[Unsupported](t)
	}
	return drawMedia(t, kind)
}

func draw[T any](t *rapid.T) *T {
	v := rapid.Make[T]().Draw(t, "value")
	return &v
}

// drawContacts leaves out empty lists: of those only nil comes back the same.
func drawContacts(t *rapid.T) *Contacts {
	c := &Contacts{}
	for range rapid.IntRange(1, 3).Draw(t, "cards") {
		card := Card{Name: *draw[CardName](t), Birthday: rapid.String().Draw(t, "birthday")}
		if rapid.Bool().Draw(t, "full") {
			card.Phones, card.Emails, card.Addresses = []CardPhone{*draw[CardPhone](t)}, []CardEmail{*draw[CardEmail](t)}, []CardAddress{*draw[CardAddress](t)}
			card.URLs, card.Org, card.IMs = []CardURL{*draw[CardURL](t)}, draw[CardOrg](t), []CardIM{*draw[CardIM](t)}
		}
		c.Cards = append(c.Cards, card)
	}
	return c
}

func drawMedia(t *rapid.T, kind Kind) *Media {
	text := rapid.String()
	return &Media{
		kind: kind, ID: MediaID(rapid.Int64().Draw(t, "media")), Link: text.Draw(t, "link"), Provider: text.Draw(t, "provider"),
		MIME: text.Draw(t, "mime"), SHA256: text.Draw(t, "sha256"), Size: rapid.Int64().Draw(t, "size"), Caption: text.Draw(t, "caption"),
		Filename: text.Draw(t, "filename"), Voice: rapid.Bool().Draw(t, "voice"),
	}
}

func drawHeader(t *rapid.T) *Header {
	switch kind := rapid.SampledFrom([]Kind{"", KindText, KindImage, KindVideo, KindDocument}).Draw(t, "header"); kind {
	case "":
		return nil
	case KindText:
		return &Header{Type: kind, Text: rapid.String().Draw(t, "text")}
	default:
		return &Header{Type: kind, Media: drawMedia(t, kind)}
	}
}

// drawInteractive leaves out empty lists: of those only nil comes back the same.
func drawInteractive(t *rapid.T) *Interactive {
	i := &Interactive{Header: drawHeader(t), Body: rapid.String().Draw(t, "body"), Footer: rapid.String().Draw(t, "footer")}
	if i.Type = rapid.SampledFrom([]InteractiveType{InteractiveButton, InteractiveList}).Draw(t, "type"); i.Type == InteractiveButton {
		i.Action.Buttons = rapid.SliceOfN(rapid.Make[ReplyButton](), 1, 3).Draw(t, "buttons")
		return i
	}
	i.Action.Button = rapid.String().Draw(t, "button")
	for range rapid.IntRange(1, 3).Draw(t, "sections") {
		i.Action.Sections = append(i.Action.Sections, Section{Title: rapid.String().Draw(t, "title"), Rows: rapid.SliceOfN(rapid.Make[Row](), 1, 4).Draw(t, "rows")})
	}
	return i
}

func drawTemplate(t *rapid.T) *Template {
	text := rapid.String()
	tpl := &Template{Name: text.Draw(t, "name"), Namespace: text.Draw(t, "namespace"), Language: *draw[Language](t)}
	for range rapid.IntRange(0, 3).Draw(t, "components") {
		c := Component{Type: ComponentType(text.Draw(t, "type")), SubType: text.Draw(t, "sub-type"), Index: rapid.Int().Draw(t, "index")}
		for range rapid.IntRange(0, 3).Draw(t, "parameters") {
			c.Parameters = append(c.Parameters, drawParameter(t))
		}
		tpl.Components = append(tpl.Components, c)
	}
	if rapid.Bool().Draw(t, "rendered") {
		tpl.Rendered = &Rendered{Header: drawHeader(t), Body: text.Draw(t, "body"), Footer: text.Draw(t, "footer")}
		if rapid.Bool().Draw(t, "has buttons") {
			tpl.Rendered.Buttons = rapid.SliceOfN(rapid.Make[RenderedButton](), 1, 3).Draw(t, "buttons")
			for n := range tpl.Rendered.Buttons {
				tpl.Rendered.Buttons[n].Payment = &Payment{Reference: text.Draw(t, "reference"), Items: []PaidItem{*draw[PaidItem](t)}}
				tpl.Rendered.Buttons[n].Sections = []Section{{Title: text.Draw(t, "section"), Products: rapid.SliceOfN(text, 1, 3).Draw(t, "products")}}
			}
		}
	}
	return tpl
}

func drawParameter(t *rapid.T) Parameter {
	p := rapid.SampledFrom(parameters()).Draw(t, "parameter")
	p.Name = rapid.String().Draw(t, "parameter name")
	switch {
	case p.Media != nil:
		p.Media = drawMedia(t, Kind(p.Type))
	case p.Currency != nil:
		p.Currency = draw[Currency](t)
	case p.DateTime != nil:
		p.DateTime = draw[DateTime](t)
	default:
		p.Text, p.Payload = rapid.String().Draw(t, "text"), rapid.String().Draw(t, "payload")
	}
	return p
}

func TestMediumOf(t *testing.T) {
	m := &Media{kind: KindImage, ID: 7}
	header := &Header{Type: KindImage, Media: m}
	tests := []struct {
		name    string
		content Content
		want    *Media
	}{
		{"medium", m, m},
		{"header of buttons", &Interactive{Header: header}, m},
		{"header of text", &Interactive{Header: &Header{Type: KindText}}, nil},
		{"no header", &Interactive{}, nil},
		{"header of a template", &Template{Rendered: &Rendered{Header: header}}, m},
		{"template without a header", &Template{Rendered: &Rendered{}}, nil},
		{"template before it is rendered", parcelRequest(), nil},
		{"text", &Text{}, nil},
	}
	for _, tt := range tests {
		if got := MediumOf(tt.content); got != tt.want {
			t.Errorf("%s: MediumOf = %p, want %p", tt.name, got, tt.want)
		}
	}
}

func TestEncodeContentRefuses(t *testing.T) {
	if b, err := EncodeContent(&Location{Latitude: math.NaN()}); err == nil || !strings.Contains(err.Error(), "location") {
		t.Errorf("EncodeContent of NaN = %s, %v; want an error that names the kind", b, err)
	}
}

func TestDecodeContentRefuses(t *testing.T) {
	tests := []struct {
		name string
		kind Kind
		body string
	}{
		{"unknown kind", "hologram", `{}`},
		{"no kind", "", `{}`},
		{"kind in capitals", "TEXT", `{}`},
		{"nothing", KindText, ``},
		{"cut off", KindText, `{"body":"ho`},
		{"two values", KindText, `{"body":"a"}{"body":"b"}`},
		{"another type", KindText, `{"body":1}`},
		{"a list", KindText, `[]`},
		{"a string", KindText, `"hola"`},
		{"a key too large", KindImage, `{"media":9223372036854775808}`},
		{"a key with a fraction", KindImage, `{"media":1.5}`},
		{"coordinates as text", KindLocation, `{"latitude":"1"}`},
		{"coordinates too large", KindLocation, `{"latitude":1e999}`},
		{"header of another type", KindInteractive, `{"header":7}`},
		{"header type of another type", KindInteractive, `{"header":{"type":7}}`},
		{"parameter of another type", KindTemplate, `{"components":[{"parameters":[7]}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if c, err := DecodeContent(tt.kind, []byte(tt.body)); err == nil || c != nil {
				t.Errorf("DecodeContent = %#v, %v; want an error alone", c, err)
			}
		})
	}
}

// A later version adds fields; an earlier one reads past them.
func TestDecodeContentIgnoresUnknownFields(t *testing.T) {
	c, err := DecodeContent(KindText, []byte(`{"body":"hola","mood":{"x":[1]}}`))
	if want := (&Text{Body: "hola"}); err != nil || !reflect.DeepEqual(c, Content(want)) {
		t.Errorf("DecodeContent = %#v, %v; want %#v", c, err, want)
	}
}

// Any bytes are refused or make a content whose stored form is stable, and neither Validate nor Render panics on it.
func FuzzDecodeContent(f *testing.F) {
	for _, kind := range kinds {
		f.Add(string(kind), []byte(`{}`))
		f.Add(string(kind), []byte(`null`))
	}
	for _, c := range []Content{
		&Text{Body: "hola"}, &Media{kind: KindImage, ID: 7}, &Location{Latitude: 1}, &Reaction{Target: 7, Emoji: "👨‍👩‍👧‍👦"}, buttonsOf(3, same),
		listOf([]int{1, 2}, func(i *Interactive) { i.Header = &Header{Type: KindText, Text: "h"} }), parcelRequest(), &Reply{Type: ListReply},
	} {
		b, err := EncodeContent(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(c.Kind()), b)
	}
	def := parcelDef()
	f.Fuzz(func(t *testing.T, kind string, b []byte) {
		c, err := DecodeContent(Kind(kind), b)
		if err != nil {
			return
		}
		if c.Kind() != Kind(kind) {
			t.Fatalf("%s was decoded as %s", kind, c.Kind())
		}
		stored, err := EncodeContent(c)
		if err != nil {
			t.Fatalf("%s cannot be encoded again: %v", b, err)
		}
		again, err := DecodeContent(c.Kind(), stored)
		if err != nil {
			t.Fatalf("%s cannot be decoded again: %v", stored, err)
		}
		if twice, err := EncodeContent(again); err != nil || !bytes.Equal(twice, stored) {
			t.Fatalf("%s became %s (%v)", stored, twice, err)
		}
		wantErrorOrNil(t, c.Validate())
		if request, ok := c.(*Template); ok {
			_, err := def.Render(request, nil)
			wantErrorOrNil(t, err)
		}
	})
}

// wantErrorOrNil checks that the dialects can translate err.
func wantErrorOrNil(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if err != nil && (!errors.As(err, &e) || e.Reason == "") {
		t.Fatalf("%v is not an *Error with a reason", err)
	}
}
