package kabar

import (
	"errors"
	"strings"
	"testing"
)

// What has no limit of its own is bounded all the same: a message that no envelope can carry would be accepted only to fail.
func TestCheckSize(t *testing.T) {
	long, fits := strings.Repeat("x", MaxContent), strings.Repeat("x", MaxContent-1000)
	contents := func(s string) map[string]Content {
		document := &Media{kind: KindDocument, ID: 1, Filename: s}
		header := &Header{Type: KindDocument, Media: document}
		return map[string]Content{
			"a place's name":              &Location{Name: s},
			"a place's address":           &Location{Address: s},
			"a file's name":               document,
			"a file's name in a header":   &Interactive{Type: InteractiveButton, Header: header},
			"a file's name in a template": &Template{Rendered: &Rendered{Header: header}},
			"a link to press on":          &Interactive{Type: InteractiveLink, Action: Action{Link: &Link{URL: s}}},
		}
	}
	for name, c := range contents(long) {
		var e *Error
		if err := CheckSize(c); !errors.As(err, &e) || e.Reason != ReasonInvalid || e.Field != string(c.Kind()) {
			t.Errorf("%s of %d bytes: %v; want it refused as invalid %s", name, len(long), err, c.Kind())
		}
	}
	for name, c := range contents(fits) {
		if err := CheckSize(c); err != nil {
			t.Errorf("%s of %d bytes: %v", name, len(fits), err)
		}
	}
	if err := CheckSize(&Location{Name: strings.Repeat("\x01", MaxContent/6)}); err == nil {
		t.Error("characters that take six bytes each in JSON were counted as one")
	}
	unsent := &Template{Components: []Component{{Parameters: []Parameter{{Text: long}}}}, Rendered: &Rendered{}}
	if err := CheckSize(unsent); err != nil {
		t.Errorf("the parameters of a template do not travel, but: %v", err)
	}
}
