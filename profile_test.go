package kabar

import (
	"errors"
	"strings"
	"testing"
)

func TestProfileLimits(t *testing.T) {
	long := func(n int) string { return strings.Repeat("é", n) }
	for _, c := range []struct {
		name  string
		p     Profile
		field string // at fault; empty: none
	}{
		{"empty", Profile{}, ""},
		{"full", Profile{Address: long(256), Description: long(512), About: long(139), Email: "a@example.com", Vertical: "Restaurant",
			Websites: []string{"https://example.com/", "http://example.com/" + long(200)}, Photo: make([]byte, MaxProfilePhoto)}, ""},
		{"address", Profile{Address: long(257)}, "address"},
		{"description", Profile{Description: long(513)}, "description"},
		{"about", Profile{About: long(140)}, "text"},
		{"email too long", Profile{Email: strings.Repeat("a", 120) + "@example.com"}, "email"},
		{"email with a name", Profile{Email: "Ana <a@example.com>"}, "email"},
		{"no email", Profile{Email: "example.com"}, "email"},
		{"vertical", Profile{Vertical: "restaurant"}, "vertical"},
		{"three websites", Profile{Websites: []string{"https://a.example", "https://b.example", "https://c.example"}}, "websites"},
		{"website without scheme", Profile{Websites: []string{"https://a.example", "b.example"}}, "websites[1]"},
		{"website of another scheme", Profile{Websites: []string{"javascript://a.example/"}}, "websites[0]"},
		{"empty website", Profile{Websites: []string{""}}, "websites[0]"},
		{"website too long", Profile{Websites: []string{"https://a.example/" + long(250)}}, "websites[0]"},
		{"photo", Profile{Photo: make([]byte, MaxProfilePhoto+1)}, "photo"},
		{"NUL", Profile{Address: "a\x00b"}, "address"},
	} {
		err := c.p.Validate()
		var refused *Error
		errors.As(err, &refused)
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.field != "" && (refused == nil || refused.Field != c.field):
			t.Errorf("%s: %v, want a fault of %s", c.name, err, c.field)
		}
	}
}
