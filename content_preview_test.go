package kabar

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFirstLink(t *testing.T) {
	for text, want := range map[string]string{
		"":                                        "",
		"no link":                                 "",
		"example.com":                             "",
		"see https://example.com/a":               "https://example.com/a",
		"see https://example.com/a.":              "https://example.com/a",
		"(https://example.com/a)":                 "https://example.com/a",
		"https://example.com/a_(b)":               "https://example.com/a_(b)",
		"http://one.example https://two.example":  "http://one.example",
		"x:https://two.example/?a=http://b":       "https://two.example/?a=http://b",
		"ftp://example.com":                       "",
		"https://":                                "",
		"https:///x https://example.com":          "https://example.com",
		"https://user:pass@example.com/ http://b": "http://b",
		"\"https://example.com/\"!":               "https://example.com/",
	} {
		if got := FirstLink(text); got != want {
			t.Errorf("FirstLink(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestPreviewIsBounded(t *testing.T) {
	long := strings.Repeat("é ", 1000)
	p := (&Preview{URL: "https://example.com/", Title: long, Description: "a\u202eb\x00c\n d", Image: make([]byte, MaxPreviewImage)}).Bounded()
	if p == nil || utf8.RuneCountInString(p.Title) != MaxPreviewTitle || p.Description != "abc d" || len(p.Image) != MaxPreviewImage {
		t.Errorf("%+v", p)
	}
	for name, p := range map[string]*Preview{
		"none": nil, "empty": {URL: "https://example.com/"}, "no link": {Title: "x"}, "another scheme": {URL: "javascript:alert(1)", Title: "x"},
		"a large picture alone": {URL: "https://example.com/", Image: make([]byte, MaxPreviewImage+1)},
	} {
		if got := p.Bounded(); got != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func FuzzFirstLink(f *testing.F) {
	f.Add("see (https://example.com/a).")
	f.Fuzz(func(t *testing.T, text string) {
		if link := FirstLink(text); link != "" && (!strings.Contains(text, link) || CheckURL("", link) != nil) {
			t.Fatalf("%q", link)
		}
	})
}
