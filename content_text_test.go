package kabar

import (
	"strings"
	"testing"
)

func TestTextValidate(t *testing.T) {
	runRows(t, lengths("text.body", 4096, ReasonMissing, ReasonTooLong, func(s string) Content { return &Text{Body: s} }))
	runRows(t, []row{
		{"a space", &Text{Body: " "}, "", ""},
		{"line breaks", &Text{Body: "a\r\nb\tc"}, "", ""},
		{"invalid and too long", &Text{Body: strings.Repeat("\xff", 5000)}, ReasonInvalid, "text.body"},
		{"preview with a link", &Text{Body: "see https://shop.example/a", PreviewURL: true}, "", ""},
		{"preview without a link", &Text{Body: "hello", PreviewURL: true}, "", ""},
		{"preview without a host", &Text{Body: "https:///a", PreviewURL: true}, "", ""},
		{"preview of nothing", &Text{PreviewURL: true}, ReasonMissing, "text.body"},
	})
}
