package ui

import (
	"time"

	"kabar"
)

var noon = time.Date(2026, 11, 23, 12, 5, 0, 0, time.UTC)

func media(kind kabar.Kind, change func(*kabar.Media)) *kabar.Media {
	m := kabar.NewMedia(kind)
	change(m)
	return m
}

// contents has every kind of content with s in every place where a person can put text.
func contents(s string) map[string]kabar.Content {
	caption := func(m *kabar.Media) { m.Caption, m.MIME, m.Size = s, s, 1234 }
	return map[string]kabar.Content{
		"text":     &kabar.Text{Body: s},
		"image":    media(kabar.KindImage, caption),
		"video":    media(kabar.KindVideo, caption),
		"audio":    media(kabar.KindAudio, func(*kabar.Media) {}),
		"voice":    media(kabar.KindAudio, func(m *kabar.Media) { m.Voice = true }),
		"document": media(kabar.KindDocument, func(m *kabar.Media) { m.Filename, m.Caption, m.MIME, m.Size = s, s, "application/"+s, 182_400 }),
		"location": &kabar.Location{Latitude: 41.40338, Longitude: -2.17403, Name: s, Address: s, URL: s},
		"reaction": &kabar.Reaction{Emoji: s},
		"reply":    &kabar.Reply{Type: kabar.ListReply, ID: s, Title: s, Description: s},
		"button":   &kabar.Button{Text: s, Payload: s},
		"buttons": &kabar.Interactive{Type: kabar.InteractiveButton, Body: s, Footer: s, Header: &kabar.Header{Type: kabar.KindText, Text: s},
			Action: kabar.Action{Buttons: []kabar.ReplyButton{{ID: s, Title: s}, {ID: "2", Title: s}}}},
		"picture-buttons": &kabar.Interactive{Type: kabar.InteractiveButton, Body: s,
			Header: &kabar.Header{Type: kabar.KindImage, Media: media(kabar.KindImage, func(*kabar.Media) {})},
			Action: kabar.Action{Buttons: []kabar.ReplyButton{{ID: "1", Title: s}}}},
		"list": &kabar.Interactive{Type: kabar.InteractiveList, Body: s, Action: kabar.Action{Button: s,
			Sections: []kabar.Section{{Title: s, Rows: []kabar.Row{{ID: s, Title: s, Description: s}, {ID: "2", Title: s}}}}}},
		"template": &kabar.Template{Name: s, Rendered: &kabar.Rendered{Header: &kabar.Header{Type: kabar.KindText, Text: s}, Body: s, Footer: s,
			Buttons: []kabar.RenderedButton{
				{Type: kabar.ButtonQuickReply, Text: s, Payload: s}, {Type: kabar.ButtonURL, Text: s, URL: s}, {Type: kabar.ButtonPhone, Text: s, Phone: s},
			}}},
		"template-file": &kabar.Template{Name: "invoice", Rendered: &kabar.Rendered{Body: s,
			Header: &kabar.Header{Type: kabar.KindDocument, Media: media(kabar.KindDocument, func(m *kabar.Media) { m.Filename = s })}}},
		"template-bare": &kabar.Template{Name: s},
		"unsupported":   &kabar.Unsupported{Detail: s},
	}
}

// bubble is a bubble around c with everything on it.
func bubble(c kabar.Content, s string) Bubble {
	return Bubble{
		ID: "gBGG+/=", Into: "thread", Who: s, At: noon, Ticks: TicksRead, Unread: true, Forwarded: true, Content: c,
		Media: "/api/customers/34600111222/media/7", Action: "/api/customers/34600111222/messages/gBGG+%2F=",
		Quote:     &Quote{ID: "m1", Who: s, Line: LineOf(&kabar.Text{Body: s})},
		Reactions: []Reaction{{Emoji: s}, {Mine: true, Emoji: "👍"}, {Emoji: "👍"}},
	}
}
