package web

import (
	stdjson "encoding/json"
	"math"
	"testing"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"
)

func TestStringOrInt(t *testing.T) {
	tests := []struct {
		in, want string // want "!": refused
		number   bool
	}{
		{`"abc"`, "abc", false}, {`""`, "", false}, {`"0"`, "0", true}, {`0`, "0", true}, {`-7`, "-7", true},
		{`86400`, "86400", true}, {`"\u0031"`, "1", true}, {`" 1"`, " 1", false}, {`"+1"`, "+1", false}, {`"1e3"`, "1e3", false},
		{`9223372036854775807`, "9223372036854775807", true}, {`9223372036854775808`, "9223372036854775808", false},
		{`null`, "", false}, {`1.0`, "!", false}, {`1e3`, "!", false}, {`true`, "!", false}, {`[]`, "!", false}, {`{}`, "!", false},
	}
	for _, test := range tests {
		var s StringOrInt
		err := json.Unmarshal([]byte(test.in), &s)
		if (err != nil) != (test.want == "!") || err == nil && string(s) != test.want {
			t.Errorf("%s: %q, %v; want %q", test.in, s, err, test.want)
		}
		if _, err := s.Int64(); (err == nil) != test.number {
			t.Errorf("%s: Int64: %v, want a number: %v", test.in, err, test.number)
		}
	}
}

func TestNumberOrString(t *testing.T) {
	tests := []struct {
		in   string
		want float64 // NaN: refused
	}{
		{`1.5`, 1.5}, {`"1.5"`, 1.5}, {`-0.25e2`, -25}, {`"-1E+2"`, -100}, {`0`, 0}, {`null`, 0},
		{`"12.5 "`, math.NaN()}, {`" 12.5"`, math.NaN()}, {`"+1"`, math.NaN()}, {`"0x10"`, math.NaN()}, {`"1_000"`, math.NaN()},
		{`"01"`, math.NaN()}, {`"NaN"`, math.NaN()}, {`"Inf"`, math.NaN()}, {`"1e999"`, math.NaN()}, {`1e999`, math.NaN()},
		{`""`, math.NaN()}, {`"1,5"`, math.NaN()}, {`"."`, math.NaN()}, {`true`, math.NaN()}, {`[1]`, math.NaN()}, {`{}`, math.NaN()},
	}
	for _, test := range tests {
		var n NumberOrString
		err := json.Unmarshal([]byte(test.in), &n)
		if math.IsNaN(test.want) != (err != nil) || err == nil && float64(n) != test.want {
			t.Errorf("%s: %v, %v; want %v", test.in, n, err, test.want)
		}
	}
}

// Both types are written in one form whatever they were read from, by both JSON packages.
func TestLenientTypesAreWritten(t *testing.T) {
	v := struct {
		S StringOrInt
		N NumberOrString
	}{"5", 1.5}
	for name, marshal := range map[string]func() ([]byte, error){
		"v2": func() ([]byte, error) { return json.Marshal(v) },
		"v1": func() ([]byte, error) { return stdjson.Marshal(v) },
	} {
		if got, err := marshal(); err != nil || string(got) != `{"S":"5","N":1.5}` {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

// A number means the same with and without quotes.
func TestNumberAndStringAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,5})(\.[0-9]{1,4})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "number")
		var bare, quoted NumberOrString
		if err := json.Unmarshal([]byte(text), &bare); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(`"`+text+`"`), &quoted); err != nil {
			t.Fatal(err)
		}
		if bare != quoted {
			t.Fatalf("%s is %v bare and %v quoted", text, bare, quoted)
		}
	})
}
