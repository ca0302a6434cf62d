package web

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

type meta struct {
	Version string `json:"version"`
}

type button struct {
	ID    string   `json:"id"`
	Title string   `json:"title,omitempty"`
	Subs  []button `json:"subs"` // a type that holds itself
}

// message has a field of every sort that a body may meet.
type message struct {
	meta
	To       string             `json:"to"`
	TTL      StringOrInt        `json:"ttl"`
	Lat      NumberOrString     `json:"lat"`
	Count    int8               `json:"count"`
	Big      uint64             `json:"big"`
	Ratio    float64            `json:"ratio"`
	On       *bool              `json:"on"`
	Buttons  []*button          `json:"buttons"`
	Pair     [2]int             `json:"pair"`
	Labels   map[string]button  `json:"labels"`
	Any      any                `json:"any"`
	Raw      stdjson.RawMessage `json:"raw"`
	Untagged string
	Hidden   string `json:"-"`
	private  string
}

func TestDecode(t *testing.T) {
	body := `{"version":"2","to":"34600111222","ttl":86400,"lat":"40.5","count":-5,"big":18446744073709551615,"ratio":1e3,
		"on":true,"buttons":[{"id":"a","subs":[{"id":"b"}]},null],"pair":[1,2],"labels":{"TO":{"id":"x"},"to":{"id":"y"}},
		"any":{"Any":1,"any":[2]},"raw":{"a":[1]},"Untagged":"u"}`
	m, want := message{private: "kept"}, message{private: "kept"}
	if err := Decode([]byte(body), &m, Options{Unknown: RefuseAll}); err != nil {
		t.Fatal(err)
	}
	if err := stdjson.Unmarshal([]byte(body), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("got  %+v\nwant %+v", m, want)
	}
	if m.TTL != "86400" || m.Lat != 40.5 || m.Version != "2" || m.Buttons[0].Subs[0].ID != "b" {
		t.Errorf("got %+v", m)
	}
}

func nested(open, close string, n int) string {
	return `{"any":` + strings.Repeat(open, n) + "0" + strings.Repeat(close, n) + "}"
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"k%d":0`, i)
	}
	return `{"any":{` + strings.TrimPrefix(b.String(), ",") + "}}"
}

var badBodies = []struct {
	body string
	kind Kind
	key  string
}{
	{"", Empty, ""},
	{" \n\t\r", Empty, ""},
	{"{", Syntax, ""},
	{`{"to":"x"`, Syntax, ""},
	{`{"to":"x}`, Syntax, "to"},
	{`{"to":}`, Syntax, "to"},
	{`{"to":"x",}`, Syntax, ""},
	{`{'to':1}`, Syntax, ""},
	{`{to:1}`, Syntax, ""},
	{`{"to":"x"} {}`, Syntax, ""},
	{`{"to":"x"}]`, Syntax, ""},
	{`{"to":"x"}x`, Syntax, ""},
	{`{"any":NaN}`, Syntax, "any"},
	{`{"any":01}`, Syntax, ""},
	{`{"any":+1}`, Syntax, "any"},
	{`{"any":.5}`, Syntax, "any"},
	{`{"any":[1,]}`, Syntax, "any"},
	{`{"any":"\x"}`, Syntax, "any"},
	{"{\"any\":\"\x01\"}", Syntax, "any"},
	{`{"any":"\ud800"}`, Syntax, "any"},
	{`{"any":1} // note`, Syntax, ""},
	{"\ufeff{}", Syntax, ""},
	{"null", WrongType, ""},
	{"[]", WrongType, ""},
	{`"x"`, WrongType, ""},
	{"5", WrongType, ""},
	{"{\"to\":\"\xff\"}", InvalidUTF8, ""},
	{"{\"\xc0\xaf\":1}", InvalidUTF8, ""},
	{"{\"to\":\"\xed\xa0\x80\"}", InvalidUTF8, ""},
	{`{"to":"a","to":"b"}`, Duplicate, "to"},
	{`{"to":"a","\u0074o":"b"}`, Duplicate, "to"},
	{`{"any":{"x":[{"y":1,"y":1}]}}`, Duplicate, "any.x.0.y"},
	{`{"raw":{"y":1,"y":1}}`, Duplicate, "raw.y"},
	{`{"unknown":{"y":1,"y":1}}`, Duplicate, "unknown.y"},
	{`{"To":"a"}`, WrongCase, "To"},
	{`{"TO":"a","to":"b"}`, WrongCase, "TO"},
	{`{"to":"a","tO":"b"}`, WrongCase, "tO"},
	{`{"untagged":"a"}`, WrongCase, "untagged"},
	{`{"VERSION":"a"}`, WrongCase, "VERSION"},
	{`{"buttons":[{"Id":"a"}]}`, WrongCase, "buttons.0.Id"},
	{`{"buttons":[{"subs":[{},{"iD":"a"}]}]}`, WrongCase, "buttons.0.subs.1.iD"},
	{`{"labels":{"X":{"\u017fubs":[]}}}`, WrongCase, "labels.X.ſubs"}, // the long s folds to s
	{`{"x":1,"To":"a"}`, WrongCase, "To"},
	{`{"x":1}`, UnknownKey, "x"},
	{`{"":1}`, UnknownKey, ""},
	{`{"Hidden":1}`, UnknownKey, "Hidden"},
	{`{"private":1}`, UnknownKey, "private"},
	{`{"meta":{}}`, UnknownKey, "meta"},
	{`{"to":5,"x":1}`, UnknownKey, "x"},
	{`{"` + strings.Repeat("é", 80) + `":1}`, UnknownKey, strings.Repeat("é", 50) + "…"},
	{`{"to":5}`, WrongType, "to"},
	{`{"to":{}}`, WrongType, "to"},
	{`{"count":128}`, WrongType, "count"},
	{`{"count":1.5}`, WrongType, "count"},
	{`{"count":"1"}`, WrongType, "count"},
	{`{"big":-1}`, WrongType, "big"},
	{`{"ratio":1e999}`, WrongType, "ratio"},
	{`{"on":"true"}`, WrongType, "on"},
	{`{"pair":[1]}`, WrongType, "pair"},
	{`{"buttons":{}}`, WrongType, "buttons"},
	{`{"buttons":[{"id":"a"},{"id":7}]}`, WrongType, "buttons.1.id"},
	{`{"ttl":1.5}`, WrongType, "ttl"},
	{`{"ttl":true}`, WrongType, "ttl"},
	{`{"lat":"N40"}`, WrongType, "lat"},
	{nested("[", "]", MaxDepth), TooDeep, "any"},
	{nested(`{"a":`, "}", MaxDepth), TooDeep, "any"},
	{nested("[", "]", 1_000_000), TooLarge, ""},
	{nested("[", "]", 400_000), TooDeep, "any"},
	{manyKeys(MaxKeys), TooLarge, ""},
	{`{"any":"` + strings.Repeat("x", DefaultMaxBytes) + `"}`, TooLarge, ""},
}

func TestDecodeRefuses(t *testing.T) {
	for _, test := range badBodies {
		var e *Error
		err := Decode([]byte(test.body), &message{}, Options{})
		if !errors.As(err, &e) || e.Kind != test.kind {
			t.Errorf("%.60q: %v, want kind %q", test.body, err, test.kind)
		} else if e.Key != test.key && !(e.Kind == TooDeep && strings.HasPrefix(e.Key, test.key+".")) {
			t.Errorf("%.60q: at %q, want %q", test.body, e.Key, test.key)
		}
	}
}

func TestDecodeLimitsAreReached(t *testing.T) {
	for _, body := range []string{
		nested("[", "]", MaxDepth-1),
		manyKeys(MaxKeys - 1),
		`{"any":"` + strings.Repeat("x", DefaultMaxBytes-10) + `"}`,
	} {
		if err := Decode([]byte(body), &message{}, Options{}); err != nil {
			t.Errorf("%.30q, %d bytes: %v", body, len(body), err)
		}
	}
	if err := Decode([]byte(`{"to":"x"}`), &message{}, Options{MaxBytes: 9}); err == nil {
		t.Error("MaxBytes is not obeyed")
	}
}

func TestDecodeUnknown(t *testing.T) {
	const top, deep, mapped = `{"x":1}`, `{"buttons":[{"x":1}]}`, `{"labels":{"x":{}},"any":{"x":1},"raw":{"x":1}}`
	tests := []struct {
		rule   Unknown
		body   string
		refuse string
	}{
		{RefuseTop, top, "x"}, {RefuseTop, deep, ""}, {RefuseTop, mapped, ""},
		{Ignore, top, ""}, {Ignore, deep, ""}, {Ignore, mapped, ""},
		{RefuseAll, top, "x"}, {RefuseAll, deep, "buttons.0.x"}, {RefuseAll, mapped, ""},
	}
	for _, test := range tests {
		var e *Error
		err := Decode([]byte(test.body), &message{}, Options{Unknown: test.rule})
		if test.refuse == "" && err != nil {
			t.Errorf("rule %d, %s: %v", test.rule, test.body, err)
		}
		if test.refuse != "" && (!errors.As(err, &e) || e.Kind != UnknownKey || e.Key != test.refuse) {
			t.Errorf("rule %d, %s: %v, want unknown %q", test.rule, test.body, err, test.refuse)
		}
	}
}

func TestDecodeIntoOtherTargets(t *testing.T) {
	var rest struct {
		Known string         `json:"known"`
		Rest  jsontext.Value `json:",embed"`
	}
	if err := Decode([]byte(`{"known":"k","x":1}`), &rest, Options{Unknown: RefuseAll}); err != nil || string(rest.Rest) != `{"x":1}` {
		t.Errorf("a place for the rest: %v, %s", err, rest.Rest)
	}
	if err := Decode([]byte(`{"Known":"k"}`), &rest, Options{}); err == nil {
		t.Error("wrong case passes into the rest")
	}
	var list []button
	if err := Decode([]byte(`[{"id":"a"}]`), &list, Options{Unknown: RefuseAll}); err != nil || len(list) != 1 {
		t.Errorf("list: %v, %v", err, list)
	}
	var anything any
	if err := Decode([]byte(`null`), &anything, Options{}); err != nil {
		t.Errorf("null into any: %v", err)
	}
	for _, target := range []any{nil, message{}, "x"} {
		if err := Decode([]byte(`{}`), target, Options{}); err == nil {
			t.Errorf("target %T is no pointer and was accepted", target)
		}
	}
}

func TestErrorTexts(t *testing.T) {
	for body, want := range map[string]string{
		`{"to":5}`:                      "wrong type at to: want a string",
		`{"count":1000}`:                "wrong type at count: number out of range",
		`{"count":"x"}`:                 "wrong type at count: want a whole number",
		`{"on":5}`:                      "wrong type at on: want true or false",
		`{"buttons":5}`:                 "wrong type at buttons: want a list",
		`{"buttons":[5]}`:               "wrong type at buttons.0: want an object",
		`{"ttl":[]}`:                    "wrong type at ttl: want a string or a whole number",
		`{"lat":"x"}`:                   "wrong type at lat: want a number",
		`{"TO":1}`:                      "wrong case in name at TO: the name is to",
		`{"any":"SECRET`:                "syntax error at any: at byte 14",
		`{"any":[[[}`:                   "syntax error at any.0.0.0: at byte 10",
		strings.Repeat(" ", 2<<20):      "too large: more than 1048576 bytes",
		`{"x":"SECRET","to":"SECRET"}`:  "unknown key at x",
		`{"ttl":"SECRET","ttl":"OTHER"`: "duplicate name at ttl",
	} {
		err := Decode([]byte(body), &message{}, Options{})
		if err == nil || err.Error() != want {
			t.Errorf("%.40q: %v, want %s", body, err, want)
		}
	}
	fault := Fault(fmt.Errorf("read: %w", Decode([]byte(`{"buttons":[{"id":"a"},{"subs":[{"id":5}]}]}`), &message{}, Options{})))
	if fault == nil || fault.Path() != "buttons[1].subs[0].id" {
		t.Errorf("the fault of a number for an id: %v, at %s", fault, fault.Path())
	}
	if got := Kind(99).String(); got != "kind 99" {
		t.Errorf("Kind(99) = %s", got)
	}
}

func TestFoldIsEqualFold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.StringOfN(rapid.SampledFrom([]rune("aAkKsſKéÉσςΣİiIıß-_1")), 0, 4, -1)
		a, b := letters.Draw(t, "a"), letters.Draw(t, "b")
		if (fold(a) == fold(b)) != strings.EqualFold(a, b) {
			t.Fatalf("fold %q and %q", a, b)
		}
	})
}

// Whatever Decode accepts, encoding/json accepts too, and both read the same; what it takes for faultless passes the check.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`{"to":"a","ttl":"5","lat":1.5,"count":1,"on":null}`, `{"To":"a"}`, `{"to":"a","to":"b"}`,
		`{"buttons":[{"id":"a","subs":[]}],"pair":[1,2]}`, `{"labels":{"a":{}},"any":[1e5,"\u00e9",{}]}`,
		`{"raw": [ 1 ] ,"Untagged":"\ud83d\ude00"}`, "{\"to\":\"\xff\"}", `{"big":1e3}`, `{"lat":"-0"}`, "null", "[]",
		nested("[", "]", 31), nested("[", "]", 32),
	} {
		f.Add([]byte(body), byte(1))
	}
	f.Fuzz(func(t *testing.T, body []byte, rule byte) {
		var ours, theirs message
		err := Decode(body, &ours, Options{Unknown: Unknown(rule % 3)})
		if faultless(body, &message{}, Unknown(rule%3)) {
			if err := check(body, reflect.TypeFor[message](), Options{Unknown: Unknown(rule % 3)}, false); err != nil {
				t.Fatalf("%q is no faultless body: %v", body, err)
			}
		}
		var e *Error
		if err != nil {
			if !errors.As(err, &e) || kindTexts[e.Kind] == "" || len(e.Key) > maxQuoted+len("…") {
				t.Fatalf("error %#v", err)
			}
			return
		}
		dec := stdjson.NewDecoder(bytes.NewReader(body))
		if rule%3 == byte(RefuseAll) {
			dec.DisallowUnknownFields()
		}
		if err := dec.Decode(&theirs); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", body, err)
		}
		if len(bytes.TrimSpace(body[dec.InputOffset():])) > 0 {
			t.Fatalf("something follows the value: %q", body)
		}
		if !reflect.DeepEqual(ours, theirs) {
			t.Fatalf("%q\nours   %+v\ntheirs %+v", body, ours, theirs)
		}
	})
}

// TestABodyForOpenTargetsIsChecked: a struct with a place for any name would take a name in the wrong case into it.
func TestABodyForOpenTargetsIsChecked(t *testing.T) {
	type open struct {
		To   string                    `json:"to"`
		Rest map[string]jsontext.Value `json:",embed"`
	}
	type holder struct {
		Parts []map[string]*open `json:"parts"`
	}
	var e *Error
	for body, into := range map[string]any{`{"To":"x"}`: &open{}, `{"parts":[{"a":{"To":"x"}}]}`: &holder{}} {
		if err := Decode([]byte(body), into, Options{}); !errors.As(err, &e) || e.Kind != WrongCase {
			t.Errorf("Decode(%s) = %v, want the wrong case", body, err)
		}
	}
}

// TestNoBodyAddsAShape: what is remembered of types grows with the program, never with what it is sent.
func TestNoBodyAddsAShape(t *testing.T) {
	known := func() (n int) {
		shapes.Range(func(any, any) bool { n++; return true })
		return n
	}
	decode := func(i int) {
		body := fmt.Sprintf(`{"to":"%d","labels":{"l%d":{"id":"x","k%d":[{"a":{}}]}},"any":{"n%d":[{}]},"new%d":{"b":[1,{}]}}`, i, i, i, i, i)
		for _, o := range []Options{{}, {Unknown: Ignore}, {Unknown: RefuseAll}} {
			_ = Decode([]byte(body), &message{}, o) // refused or not
		}
	}
	decode(0)
	was := known()
	for i := range 100 {
		decode(i + 1)
	}
	if now := known(); now != was {
		t.Errorf("%d shapes are known after bodies of the same type, %d before", now, was)
	}
}

func BenchmarkDecode(b *testing.B) {
	body := []byte(`{"to":"34600111222","ttl":"86400","buttons":[{"id":"one","title":"One"},{"id":"two","title":"Two"}],"any":{"body":"Hello, how are you today?"}}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var m message
		if err := Decode(body, &m, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// Whoever expects long lists may have more names.
func TestMoreNames(t *testing.T) {
	var m map[string]any
	for _, c := range []struct {
		names, allowed int
		want           bool
	}{{MaxKeys + 1, 0, false}, {MaxKeys + 1, 2 * MaxKeys, true}, {2*MaxKeys + 1, 2 * MaxKeys, false}} {
		text := make([]string, c.names)
		for i := range text {
			text[i] = fmt.Sprintf(`"k%d":0`, i)
		}
		if err := Decode([]byte("{"+strings.Join(text, ",")+"}"), &m, Options{Keys: c.allowed}); (err == nil) != c.want {
			t.Errorf("%d names, %d allowed: %v", c.names, c.allowed, err)
		}
	}
}
