package e164_test

import (
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"kabar"
	"kabar/internal/e164"
)

// An example of every country, in each international writing, is the same number.
func TestEveryCountry(t *testing.T) {
	countries := 0
	for region := range phonenumbers.GetSupportedRegions() {
		if err := (&kabar.Rate{Market: region}).CheckMarket(); err != nil {
			t.Errorf("a rate card has no place for a country whose numbers are known: %v", err)
		}
		n := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE)
		if n == nil {
			continue
		}
		countries++
		want := strings.TrimPrefix(phonenumbers.Format(n, phonenumbers.E164), "+")
		international := phonenumbers.Format(n, phonenumbers.INTERNATIONAL)
		dashed := strings.ReplaceAll(international, " ", "-")
		code, rest, _ := strings.Cut(international, " ")
		for _, written := range []string{want, "+" + want, international, strings.TrimPrefix(international, "+"), dashed,
			phonenumbers.Format(n, phonenumbers.RFC3966), code + " (" + rest + ")", " " + strings.ReplaceAll(international, " ", "\u00a0") + " "} {
			if got, ok := e164.Digits(written); !ok || got != want {
				t.Errorf("%s: %q is %q, %v, want %q", region, written, got, ok, want)
			}
		}
	}
	if countries < 200 {
		t.Errorf("%d countries", countries)
	}
}

func TestDigits(t *testing.T) {
	for written, want := range map[string]string{
		"+44 (0)20 7946 0958":     "442079460958", // a trunk prefix that is not dialled from abroad
		"+49 (0) 151 23456789":    "4915123456789",
		"+39 06 6982":             "39066982", // a zero that is dialled from abroad
		"+54 9 11 2345-6789":      "5491123456789",
		"+1 (415) 555-2671":       "14155552671",
		"+62-811-1000-200":        "628111000200",
		"+966 50 123 4567":        "966501234567",
		"＋34 600 111 222":         "34600111222",
		"+٣٤ ٦٠٠ ١١١ ٢٢٢":         "34600111222",
		"tel:+34-600-111-222":     "34600111222",
		"600 111 222":             "",
		"0034 600 111 222":        "",
		"+34 600 111 222 ext. 33": "",
		"+999 1234567":            "",
		"+1 2":                    "",
		"nonsense":                "",
		"":                        "",
		"+34 600 111 222" + strings.Repeat(" ", 60) + "x": "",
	} {
		got, ok := e164.Digits(written)
		if got != want || ok != (want != "") {
			t.Errorf("%q is %q, %v, want %q", written, got, ok, want)
		}
	}
}

func FuzzDigits(f *testing.F) {
	f.Add("+44 (0)20 7946 0958")
	f.Fuzz(func(t *testing.T, written string) {
		digits, ok := e164.Digits(written)
		if !ok {
			return
		}
		if again, ok := e164.Digits(digits); !ok || again != digits {
			t.Errorf("%q is %q, and that is %q", written, digits, again)
		}
	})
}

func TestShown(t *testing.T) {
	for digits, want := range map[string][2]string{
		"628111000200": {"+62 811-1000-200", "62"},
		"15550009999":  {"+1 555-000-9999", "1"},
		"34600111222":  {"+34 600 11 12 22", "34"},
		"999123456":    {"+999123456", ""},
	} {
		if got := [2]string{e164.International(digits), e164.CountryCode(digits)}; got != want {
			t.Errorf("%s: %q, want %q", digits, got, want)
		}
	}
}

func TestRegion(t *testing.T) {
	for digits, want := range map[string]string{"628111000111": "ID", "34600111222": "ES", "12025550123": "US", "14165550123": "CA", "": "", "0": "", "999": "", "15550001111": "", "81312345678": "JP", "80012345678": ""} {
		if got := e164.Region(digits); got != want {
			t.Errorf("Region(%q) = %q, want %q", digits, got, want)
		}
	}
}

// A number of a country is read as it is written there, too, and may be one that the country has not given out yet.
func TestIn(t *testing.T) {
	for _, c := range []struct{ cc, written, want string }{
		{"62", "0811-1000-444", "628111000444"},
		{"62", "8111000444", "628111000444"},
		{"+62", "+62 811 1000 444", "628111000444"},
		{"39", "06 6982", "39066982"}, // a zero that is dialled from abroad
		{"1", "(555) 555-2671", "15555552671"},
		{"", "+62 811 1000 444", "628111000444"},
		{"", "628111000444", "628111000444"},
		{"65", "811100", ""}, {"65", "811100044", ""}, {"", "1 415 555 26711", ""}, {"62", "12", ""}, {"62", "call us", ""}, {"", "811100", ""}, {"0", "8111000444", ""}, {"999", "8111000444", ""},
		{"62", "+34 600 111 222", ""}, // of another country
		{"62", "811 1000 444 ext. 5", ""},
	} {
		if got, ok := e164.In(c.cc, c.written); got != c.want || ok != (c.want != "") {
			t.Errorf("%q in %q is %q, %v, want %q", c.written, c.cc, got, ok, c.want)
		}
	}
}
