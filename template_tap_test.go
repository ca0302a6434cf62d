package kabar

import "testing"

func TestHasQuickReply(t *testing.T) {
	quick := func(text string) []RenderedButton {
		return []RenderedButton{{Type: ButtonURL, Text: "Shop"}, {Type: ButtonQuickReply, Text: text}}
	}
	c := &Template{Rendered: &Rendered{Buttons: quick("Stop"), Cards: []Rendered{{}, {Buttons: quick("More")}}}}
	for text, want := range map[string]bool{"Stop": true, "More": true, "Shop": false, "": false} {
		if HasQuickReply(c, text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
	if HasQuickReply(&Template{}, "") || HasQuickReply(&Text{}, "") {
		t.Error("what is no template has a quick reply")
	}
}

func TestLinkAt(t *testing.T) {
	link := func(text string) RenderedButton { return RenderedButton{Type: ButtonURL, Text: text} }
	c := &Template{Rendered: &Rendered{Buttons: []RenderedButton{{Type: ButtonQuickReply, Text: "Stop"}, link("Shop")},
		Cards: []Rendered{{Buttons: []RenderedButton{link("Tea")}}, {}, {Buttons: []RenderedButton{{Type: ButtonPhone, Text: "Call"}, link("Cups")}}}}}
	for _, tt := range []struct {
		card, button int
		want         string // empty: there is no link
	}{
		{0, 1, "Shop"}, {1, 0, "Tea"}, {3, 1, "Cups"},
		{0, 0, ""}, {0, 2, ""}, {0, -1, ""}, {2, 0, ""}, {3, 0, ""}, {4, 0, ""}, {-1, 0, ""},
	} {
		got := LinkAt(c, &LinkTap{Card: tt.card, Button: tt.button})
		if (got == nil) != (tt.want == "") || got != nil && got.Text != tt.want {
			t.Errorf("button %d of card %d is %+v, want %q", tt.button, tt.card, got, tt.want)
		}
	}
	for _, other := range []Content{&Text{}, &Template{}} {
		if got := LinkAt(other, &LinkTap{}); got != nil {
			t.Errorf("%T has the link %+v", other, got)
		}
	}
	places := map[int]bool{}
	for card := range MaxCards + 1 {
		for button := range MaxTemplateButtons {
			places[(&LinkTap{Card: card, Button: button}).Place()] = true
		}
	}
	if want := (MaxCards + 1) * MaxTemplateButtons; len(places) != want {
		t.Errorf("%d places of %d", len(places), want)
	}
}
