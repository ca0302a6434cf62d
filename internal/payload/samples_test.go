package payload_test

import (
	"strings"

	"kabar"
	"kabar/internal/payload"
)

// Ids as they travel.
const (
	ours   = "01000000000000002a"               // a business's
	theirs = "000102030405060708090a0b0c0d0e0f" // a customer's
	at     = 1_790_000_000_123
)

// sample is a payload of which every field that travels is set.
type sample struct {
	name    string
	payload *payload.Payload
}

func samples() []sample {
	all := []sample{
		{"receipt", &payload.Payload{Receipt: &payload.Receipt{Status: "played", IDs: []string{ours, theirs}}}},
		{"retry", &payload.Payload{Retry: &payload.Retry{IDs: []string{theirs}}}},
		{"profile", &payload.Payload{Profile: &kabar.Profile{Name: "Warung", Description: "Nasi & mie", Address: "Jl. Merdeka 1", Email: "a@example.com",
			Websites: []string{"https://example.com"}}}},
		{"deleted", &payload.Payload{Deleted: &payload.Deleted{ID: theirs}}},
		{"blocked", &payload.Payload{Blocked: &payload.Blocked{Blocked: true}}},
		{"reported", &payload.Payload{Reported: &payload.Reported{}}},
		{"hello", &payload.Payload{Hello: &payload.Hello{}}},
		{"typing", &payload.Payload{Typing: &payload.Typing{On: true}}},
	}
	for _, c := range contents() {
		raw, err := payload.Strip(c.content)
		if err != nil {
			panic(err)
		}
		m := &payload.Message{ID: ours, Kind: c.content.Kind(), Content: raw}
		if kabar.MediumOf(c.content) != nil {
			m.Medium = medium()
		}
		if c.content.Kind() == kabar.KindReaction {
			m.Target = theirs
		}
		p := &payload.Payload{Message: m}
		if c.content.Kind() == kabar.KindText {
			p.Name, m.ID, m.ReplyTo, m.Forwarded, m.Frequent = "Ana", theirs, ours, true, true
			m.Referral = &kabar.Referral{Headline: "Sale", Body: "Half price", SourceType: "ad", SourceID: "7", SourceURL: "https://example.com/ad"}
		}
		all = append(all, sample{c.name, p})
	}
	return all
}

func medium() *payload.Medium {
	return &payload.Medium{Blob: strings.Repeat("B", 43), Key: []byte(strings.Repeat("k", 32)), CipherHash: []byte(strings.Repeat("h", 32)),
		CipherSize: 1040, Size: 1000, SHA256: strings.Repeat("0a", 32), MIME: "image/png"}
}

type named struct {
	name    string
	content kabar.Content
}

// contents has every kind with every field set, those that must not travel, too.
func contents() []named {
	hour := 9
	interactive := func(t kabar.InteractiveType, a kabar.Action) *kabar.Interactive {
		return &kabar.Interactive{Type: t, Header: &kabar.Header{Type: kabar.KindImage, Media: media(kabar.KindImage)}, Body: "Choose", Footer: "Thanks", Action: a}
	}
	rendered := &kabar.Rendered{Header: &kabar.Header{Type: kabar.KindVideo, Media: media(kabar.KindVideo)}, Body: "Hello Ana", Footer: "Bye",
		Buttons: []kabar.RenderedButton{{Type: kabar.ButtonURL, Text: "Open", URL: "https://example.com/1", Phone: "+62811", Payload: "tap"}}}
	return []named{
		{"text", &kabar.Text{Body: "<hi> & 你好", PreviewURL: true}},
		{"image", media(kabar.KindImage)},
		{"audio", media(kabar.KindAudio)},
		{"video", media(kabar.KindVideo)},
		{"document", media(kabar.KindDocument)},
		{"location", &kabar.Location{Latitude: -6.2, Longitude: 106.8, Name: "Monas", Address: "Jakarta", URL: "https://example.com/monas"}},
		{"reaction", &kabar.Reaction{Target: 7, Unknown: "x", Emoji: "👍"}},
		{"reaction taken back", &kabar.Reaction{}},
		{"interactive button", interactive(kabar.InteractiveButton, kabar.Action{Buttons: []kabar.ReplyButton{{ID: "y", Title: "Yes"}}})},
		{"interactive list", &kabar.Interactive{Type: kabar.InteractiveList, Header: &kabar.Header{Type: kabar.KindText, Text: "Menu"}, Body: "Choose",
			Action: kabar.Action{Button: "Open", Sections: []kabar.Section{{Title: "Food", Rows: []kabar.Row{{ID: "1", Title: "Nasi", Description: "goreng"}}}}}}},
		{"template", &kabar.Template{Name: "hello", Namespace: "ns", Language: kabar.Language{Policy: "deterministic", Code: "en"},
			Components: []kabar.Component{{Type: kabar.ComponentBody, Parameters: []kabar.Parameter{{Type: kabar.ParameterDateTime, DateTime: &kabar.DateTime{Hour: &hour}}}}},
			Rendered:   rendered, Category: kabar.CategoryUtility}},
		{"reply to a button", &kabar.Reply{Type: kabar.ButtonReply, ID: "y", Title: "Yes"}},
		{"reply to a list", &kabar.Reply{Type: kabar.ListReply, ID: "1", Title: "Nasi", Description: "goreng"}},
		{"button", &kabar.Button{Text: "Yes", Payload: "tap"}},
		{"unsupported", &kabar.Unsupported{Detail: "a hologram"}},
	}
}

// media returns a medium with every field set.
func media(kind kabar.Kind) *kabar.Media {
	m := kabar.NewMedia(kind)
	m.ID, m.Link, m.Provider = 77, "https://internal.example.com/x", "secret"
	m.MIME, m.SHA256, m.Size, m.Caption, m.Filename, m.Voice = "image/png", strings.Repeat("0a", 32), 1000, "look", "a.png", true
	return m
}
