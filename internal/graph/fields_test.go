package graph

import (
	"net/url"
	"reflect"
	"testing"

	"kabar/internal/web"
)

func TestParseFields(t *testing.T) {
	got, err := ParseFields("id, phone_numbers.limit(5){status,quality_score},analytics.start(1).phone_numbers([1,(2)])")
	want := []Field{{Name: "id"}, {Name: "phone_numbers", Args: map[string]string{"limit": "5"}, Fields: []Field{{Name: "status"}, {Name: "quality_score"}}},
		{Name: "analytics", Args: map[string]string{"start": "1", "phone_numbers": "[1,(2)]"}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, bad := range []string{",", "a,", "a{", "a{}", "a}", "a.b", "a.b(", "a{b{c{d{e{f}}}}}"} {
		if got, err := ParseFields(bad); err == nil {
			t.Errorf("%q is %+v", bad, got)
		}
	}
}

func FuzzParseFields(f *testing.F) {
	f.Add("a.b(c){d,e{f}},g")
	f.Fuzz(func(_ *testing.T, text string) { _, _ = ParseFields(text) })
}

func TestParametersFromEverywhere(t *testing.T) {
	type body struct {
		Text string          `json:"text"`
		On   *bool           `json:"on"`
		List []string        `json:"list"`
		PIN  web.StringOrInt `json:"pin"`
	}
	yes := true
	want := body{"5", &yes, []string{"a"}, "123456"}
	for name, tt := range map[string]struct {
		json   string
		values url.Values
	}{
		"json":  {`{"text":"5","on":true,"list":["a"],"pin":123456,"other":1}`, nil},
		"query": {"", url.Values{"text": {"5"}, "on": {"true"}, "list": {`["a"]`}, "pin": {"123456"}, "other": {"x"}}},
		"both":  {`{"text":"5","list":["a"]}`, url.Values{"text": {"not me"}, "on": {"true"}, "pin": {"123456"}}},
	} {
		var got body
		var raw []byte
		if tt.json != "" {
			raw = []byte(tt.json)
		}
		if err := decodeParams(raw, tt.values, &got, 0); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestEscaped(t *testing.T) {
	if got := string(escaped([]byte(`"é👍a"`))); got != `"\u00e9\ud83d\udc4da"` {
		t.Errorf("%s", got)
	}
}
