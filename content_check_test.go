package kabar

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// row is a content and what Validate says of it; an empty reason means nothing.
type row struct {
	name    string
	content Content
	reason  Reason
	field   string
}

func runRows(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			wantError(t, r.content.Validate(), r.reason, r.field)
		})
	}
}

// wantError checks that err is an *Error of that reason and field with a detail, or nil if the reason is empty.
func wantError(t *testing.T, err error, reason Reason, field string) {
	t.Helper()
	if reason == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("got %v, want %s: %s", err, field, reason)
		return
	}
	if e.Reason != reason || e.Field != field || e.Detail == "" {
		t.Errorf("got %v, want %s: %s, and a detail", err, field, reason)
	}
}

// characters are one code point each, of one to four bytes.
var characters = []string{"x", "ñ", "漢", "😀", "\u0301", "\u200d"}

// lengths are the rows at the boundaries of a text: empty is the reason when it is empty, over when it has more than
// limit characters.
func lengths(field string, limit int, empty, over Reason, put func(s string) Content) []row {
	rows := []row{
		{field + " empty", put(""), empty, field},
		{field + " of one character", put("x"), "", ""},
		{field + " with invalid UTF-8", put("x\xff"), ReasonInvalid, field},
		{field + " with half a character", put("x\xf0\x9f\x98"), ReasonInvalid, field},
		{field + " with a surrogate", put("x\xed\xa0\x80"), ReasonInvalid, field},
		{field + " with NUL", put("x\x00y"), ReasonInvalid, field},
		{field + " with NUL alone", put("\x00"), ReasonInvalid, field},
	}
	for _, c := range characters {
		for _, n := range []int{limit - 1, limit, limit + 1, 2 * limit} {
			r := row{name: fmt.Sprintf("%s of %d × %q", field, n, c), content: put("a" + strings.Repeat(c, n-2) + "b")}
			if n > limit {
				r.reason, r.field = over, field
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// freeText are the rows of a text without a limit.
func freeText(field string, empty Reason, put func(s string) Content) []row {
	return []row{
		{field + " empty", put(""), empty, field},
		{field + " long", put(strings.Repeat("ñ", 1000)), "", ""},
		{field + " with invalid UTF-8", put("x\xff"), ReasonInvalid, field},
		{field + " with NUL", put("x\x00y"), ReasonInvalid, field},
	}
}

// A developer reads in the detail what was seen and what is allowed.
func TestDetailTellsFigures(t *testing.T) {
	buttons := make([]ReplyButton, 4)
	tests := []struct {
		content Content
		want    []string
	}{
		{&Text{Body: strings.Repeat("ñ", 4097)}, []string{"4097", "4096"}},
		{&Media{kind: KindImage, ID: 1, Caption: strings.Repeat("ñ", 1025)}, []string{"1025", "1024"}},
		{&Location{Latitude: 90.5}, []string{"90.5", "90"}},
		{&Interactive{Type: InteractiveButton, Body: "b", Action: Action{Buttons: buttons}}, []string{"4", "3"}},
		{&Reaction{Target: 1, Emoji: strings.Repeat("👍", 17)}, []string{"68", "64"}},
		{&Template{Name: "n", Language: Language{Policy: "fallback", Code: "en"}}, []string{"fallback", "deterministic"}},
	}
	for _, tt := range tests {
		var e *Error
		if err := tt.content.Validate(); !errors.As(err, &e) {
			t.Errorf("%s: got %v", tt.content.Kind(), err)
			continue
		}
		for _, w := range tt.want {
			if !strings.Contains(e.Detail, w) {
				t.Errorf("%s: detail %q does not tell %q", tt.content.Kind(), e.Detail, w)
			}
		}
	}
}

func TestInboundKindsCannotBeSent(t *testing.T) {
	runRows(t, []row{
		{"reply", &Reply{Type: ButtonReply, ID: "1", Title: "Yes"}, ReasonInvalid, "type"},
		{"button", &Button{Text: "Yes", Payload: "1"}, ReasonInvalid, "type"},
		{"unsupported", &Unsupported{}, ReasonInvalid, "type"},
	})
}
