package web

import (
	"errors"
	"testing"
)

// TestNUL: the character U+0000 is refused in values and names, wherever they lie, if that is asked for; what only looks like it is not.
func TestNUL(t *testing.T) {
	for body, key := range map[string]string{
		`{"to":"a\u0000b"}`:             "to",
		`{"any":{"x":"\u0000"}}`:        "any.x",
		`{"any":{"\u0000":"x"}}`:        "any.\x00",
		`{"any":[1,{"deep":"\u0000"}]}`: "any.1.deep",
		`{"to":"a\\u0000b"}`:            "",
		`{"to":"\u0001\u00001"}`:        "to",
		`{"to":"a","any":{"x":"0000"}}`: "",
	} {
		var m message
		err := Decode([]byte(body), &m, Options{RefuseNUL: true})
		fault, ok := errors.AsType[*Error](err)
		switch {
		case key == "" && err != nil:
			t.Errorf("%s: %v", body, err)
		case key != "" && (!ok || fault.Kind != WrongType || fault.Key != key):
			t.Errorf("%s: %v, want one at %q", body, err, key)
		}
		if err := Decode([]byte(body), &m, Options{}); err != nil {
			t.Errorf("%s, where nobody minds: %v", body, err)
		}
	}
}
