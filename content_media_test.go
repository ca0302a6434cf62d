package kabar

import "testing"

var mediaKinds = []Kind{KindImage, KindAudio, KindVideo, KindDocument, KindSticker}

func TestMediaValidate(t *testing.T) {
	for _, kind := range mediaKinds {
		t.Run(string(kind), func(t *testing.T) {
			field := string(kind)
			with := func(change func(m *Media)) *Media {
				m := &Media{kind: kind, ID: 7}
				change(m)
				return m
			}
			onlyIf := func(ok bool) (Reason, string) {
				if ok {
					return "", ""
				}
				return ReasonNotRequired, field
			}
			caption, _ := onlyIf(kind != KindAudio && kind != KindSticker)
			filename, _ := onlyIf(kind == KindDocument)
			voice, _ := onlyIf(kind == KindAudio)
			runRows(t, []row{
				{"id", with(func(m *Media) {}), "", ""},
				{"link", with(func(m *Media) { m.ID, m.Link = 0, "https://cdn.example/p" }), "", ""},
				{"link and provider", with(func(m *Media) { m.ID, m.Link, m.Provider = 0, "https://cdn.example/p", "cdn" }), "", ""},
				{"neither", with(func(m *Media) { m.ID = 0 }), ReasonMissing, field},
				{"provider alone", with(func(m *Media) { m.ID, m.Provider = 0, "cdn" }), ReasonMissing, field},
				{"both", with(func(m *Media) { m.Link = "https://cdn.example/p" }), ReasonInvalid, field},
				{"caption", with(func(m *Media) { m.Caption = "c" }), caption, field + ".caption"},
				{"filename", with(func(m *Media) { m.Filename = "f.pdf" }), filename, field + ".filename"},
				{"voice", with(func(m *Media) { m.Voice = true }), voice, field + ".voice"},
				{"pack", with(func(m *Media) { m.Pack = &StickerPack{} }), ReasonNotRequired, field + ".pack"},
				{"provider not UTF-8", with(func(m *Media) { m.Provider = "\xff" }), ReasonInvalid, field + ".provider"},
			})
			if caption == "" {
				runRows(t, lengths(field+".caption", 1024, "", ReasonInvalid, func(s string) Content {
					return with(func(m *Media) { m.Caption = s })
				}))
			}
		})
	}
	runRows(t, freeText("document.filename", "", func(s string) Content {
		return &Media{kind: KindDocument, ID: 7, Filename: s}
	}))
	runRows(t, []row{
		{"no kind", &Media{ID: 7}, ReasonInvalid, ""},
		{"not a kind of media", &Media{kind: KindText, ID: 7}, ReasonInvalid, "text"},
	})
}

func TestMediaLink(t *testing.T) {
	links := map[string]bool{
		"http://cdn.example":                 true,
		"https://cdn.example/p.jpg?x=1#y":    true,
		"HTTPS://cdn.example/p.jpg":          true,
		"https://cdn.example:8443/p.jpg":     true,
		"https://192.0.2.7/p.jpg":            true,
		"https://[2001:db8::7]:8443/p.jpg":   true,
		"https://münchen.example/straße.jpg": true,
		"https://user:pw@cdn.example/p.jpg":  true, // whether to call it is for the way out to decide
		"cdn.example/p.jpg":                  false,
		"//cdn.example/p.jpg":                false,
		"/p.jpg":                             false,
		"ftp://cdn.example/p.jpg":            false,
		"file:///etc/passwd":                 false,
		"javascript:alert(1)":                false,
		"data:image/png;base64,AAAA":         false,
		"httpss://cdn.example/":              false,
		"https:":                             false,
		"https://":                           false,
		"https:///p.jpg":                     false,
		"https://:443/p.jpg":                 false,
		"https:cdn.example/p.jpg":            false,
		" https://cdn.example/p.jpg":         false,
		"https://cdn.example/p\n.jpg":        false,
		"https://cdn.example/p\x00.jpg":      false,
		"https://cdn.example/\xff":           false,
		"https://cdn example/p.jpg":          false,
		"https://cdn.example:port/":          false,
		"https://[2001:db8::7/":              false,
	}
	for link, ok := range links {
		r := row{name: link, content: &Media{kind: KindImage, Link: link}}
		if !ok {
			r.reason, r.field = ReasonInvalid, "image.link"
		}
		runRows(t, []row{r})
	}
}
