package localize

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"kabar"
)

func TestCurrency(t *testing.T) {
	for _, tt := range []struct {
		language, code string
		amount         int64
		want           string // empty: not written
	}{
		{"en", "EUR", 12500, "€12.50"},
		{"es_ES", "EUR", 12500, "12,50\u00a0€"},
		{"es_ES", "EUR", 12345678900, "12.345.678,90\u00a0€"},
		{"de", "USD", -1000, "-1,00\u00a0$"},
		{"id", "IDR", 15000000, "Rp\u00a015.000,00"},
		{"ja", "JPY", 1500, "￥2"},
		{"ja", "JPY", 1499, "￥1"},
		{"en", "KWD", 1234, "KWD\u00a01.234"},
		{"en", "EUR", 12345, "€12.35"},
		{"en", "EUR", 0, "€0.00"},
		{"hi", "INR", 123456789000, "₹12,34,56,789.00"},
		{"bn", "BDT", 1500000, "১,৫০০.০০৳"},
		{"pt_BR", "BRL", 9223372036854775807, "R$\u00a09.223.372.036.854.775,81"},
		{"en", "XXY", 1000, ""},
		{"tlh", "EUR", 1000, ""},
	} {
		got, ok := Format{}.Currency(tt.language, &kabar.Currency{Code: tt.code, Amount1000: tt.amount})
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%d of %s in %s is %q, %v; want %q", tt.amount, tt.code, tt.language, got, ok, tt.want)
		}
	}
}

// samples are what Node writes, which extract.mjs has recorded.
func samples(t *testing.T) (dates, times [][]any) {
	t.Helper()
	text, err := os.ReadFile("testdata/samples.json")
	if err != nil {
		t.Fatal(err)
	}
	var s struct{ Dates, Times [][]any }
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Dates) < 1500 || len(s.Times) < 400 {
		t.Fatalf("%d dates and %d times", len(s.Dates), len(s.Times))
	}
	return s.Dates, s.Times
}

// Every language writes every combination of parts as Node does.
func TestDatesAreThoseOfNode(t *testing.T) {
	dates, times := samples(t)
	for _, s := range dates {
		number := func(i int) int { return int(s[i].(float64)) }
		d := &kabar.DateTime{Calendar: s[1].(string)}
		for _, part := range s[2].(string) {
			switch part {
			case 'w':
				d.DayOfWeek = number(3)
			case 'y':
				d.Year = number(4)
			case 'm':
				d.Month = number(5)
			case 'd':
				d.DayOfMonth = number(6)
			}
		}
		if got, ok := (Format{}).DateTime(s[0].(string), d); !ok || got != s[7] {
			t.Errorf("%v is written %q, %v", s, got, ok)
		}
	}
	for _, s := range times {
		hour, minute := int(s[1].(float64)), 5
		got, ok := Format{}.DateTime(s[0].(string), &kabar.DateTime{Hour: &hour, Minute: &minute})
		if !ok || got != s[2] {
			t.Errorf("%v is written %q, %v", s, got, ok)
		}
	}
}

func TestDateTime(t *testing.T) {
	n := func(i int) *int { return &i }
	at := time.Date(2031, 5, 3, 9, 30, 0, 0, time.UTC).Unix()
	for _, tt := range []struct {
		name, language string
		d              kabar.DateTime
		want           string // empty: not written
	}{
		{"all parts", "es_ES", kabar.DateTime{DayOfWeek: 6, DayOfMonth: 3, Year: 2031, Month: 5, Hour: n(9), Minute: n(30)}, "sábado, 3 de mayo de 2031, 9:30"},
		{"the weekday is corrected", "es_ES", kabar.DateTime{DayOfWeek: 2, DayOfMonth: 3, Year: 2031, Month: 5}, "sábado, 3 de mayo de 2031"},
		{"a weekday that nothing contradicts", "en", kabar.DateTime{DayOfWeek: 2, DayOfMonth: 3, Month: 5}, "Tuesday, May 3"},
		{"an hour alone", "de", kabar.DateTime{Hour: n(9)}, "9:00"},
		{"midnight", "en", kabar.DateTime{Hour: n(0), Minute: n(5)}, "12:05 AM"},
		{"noon", "en", kabar.DateTime{Hour: n(12), Minute: n(0)}, "12:00 PM"},
		{"a timestamp", "en", kabar.DateTime{Timestamp: at}, "May 3, 2031 at 9:30 AM UTC"},
		{"a timestamp decides", "en", kabar.DateTime{Timestamp: at, Year: 1999}, "May 3, 2031 at 9:30 AM UTC"},
		{"a timestamp before 1970", "en", kabar.DateTime{Timestamp: -1}, "December 31, 1969 at 11:59 PM UTC"},
		{"a timestamp in Solar Hijri", "fa", kabar.DateTime{Timestamp: at, Calendar: kabar.SolarHijri}, "۱۳ اردیبهشت ۱۴۱۰ ساعت ۹:۳۰ UTC"},
		{"parts in Solar Hijri", "en", kabar.DateTime{DayOfWeek: 1, Year: 1410, Month: 2, DayOfMonth: 13, Calendar: kabar.SolarHijri}, "Saturday, Ordibehesht 13, 1410 AP"},
		{"a leap day", "en", kabar.DateTime{Year: 2032, Month: 2, DayOfMonth: 29}, "February 29, 2032"},
		{"a leap day of any year", "en", kabar.DateTime{Month: 2, DayOfMonth: 29}, "February 29"},
		{"no leap day", "en", kabar.DateTime{Year: 2031, Month: 2, DayOfMonth: 29}, ""},
		{"31 June", "en", kabar.DateTime{Month: 6, DayOfMonth: 31}, ""},
		{"the 30th of a leap year's Esfand", "en", kabar.DateTime{Year: 1403, Month: 12, DayOfMonth: 30, Calendar: kabar.SolarHijri}, "Esfand 30, 1403 AP"},
		{"no 30th of Esfand", "en", kabar.DateTime{Year: 1404, Month: 12, DayOfMonth: 30, Calendar: kabar.SolarHijri}, ""},
		{"a year beyond the rule", "en", kabar.DateTime{Year: 2031, Month: 5, DayOfMonth: 3, Calendar: kabar.SolarHijri}, ""},
		{"a timestamp before the calendar", "en", kabar.DateTime{Timestamp: -50_000_000_000, Calendar: kabar.SolarHijri}, ""},
		{"a huge timestamp", "en", kabar.DateTime{Timestamp: 1 << 62}, ""},
		{"nothing", "en", kabar.DateTime{}, ""},
		{"a minute without its hour", "en", kabar.DateTime{Year: 2031, Minute: n(5)}, ""},
		{"a day without its month", "en", kabar.DateTime{Year: 2031, DayOfMonth: 3}, ""},
		{"an unknown language", "tlh", kabar.DateTime{Year: 2031}, ""},
		{"a language that is a path", "../localize", kabar.DateTime{Year: 2031}, ""},
		{"an unknown country", "de_LI", kabar.DateTime{Month: 5}, "Mai"},
	} {
		got, ok := Format{}.DateTime(tt.language, &tt.d)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, ok, tt.want)
		}
	}
}

// Every day of three centuries goes to a Solar Hijri date and back, one day behind the other.
func TestSolarHijri(t *testing.T) {
	first, last := dayNumber(1800, 1, 1), dayNumber(2100, 1, 1)
	for n := first; n < last; n++ {
		year, month, day, ok := solarOf(n)
		days, begin, ok2 := solarMonth(year, month)
		if !ok || !ok2 || begin+day-1 != n || day < 1 || day > days {
			t.Fatalf("day %d is %d-%d-%d, whose month begins at %d and has %d days", n, year, month, day, begin, days)
		}
	}
	for day, want := range map[string][3]int{"1979-02-11": {1357, 11, 22}, "2000-03-20": {1379, 1, 1}, "2025-03-20": {1403, 12, 30}, "2025-03-21": {1404, 1, 1}} {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if y, m, d, _ := solarOf(dayNumber(at.Year(), int(at.Month()), at.Day())); [3]int{y, m, d} != want {
			t.Errorf("%s is %d-%d-%d, want %v", day, y, m, d, want)
		}
	}
}

// The patterns hold nothing that is not understood.
func TestPatterns(t *testing.T) {
	files, err := dates.ReadDir("dates")
	if err != nil || len(files) < 90 {
		t.Fatalf("%d languages, %v", len(files), err)
	}
	for _, f := range files {
		language := strings.TrimSuffix(f.Name(), ".json")
		l, ok := dataOf(language)
		if !ok || len([]rune(l.Digits)) != 10 || len(l.Joined) != 10 || len(l.Gregorian.Patterns) != 10 {
			t.Errorf("%s: %+v", language, l)
		}
		minute := 5
		for shape := range l.Gregorian.Patterns {
			for _, hour := range []int{0, 9, 23} {
				d := &kabar.DateTime{Hour: &hour, Minute: &minute}
				if strings.Contains(shape, "w") {
					d.DayOfWeek = 7
				}
				if strings.Contains(shape, "y") {
					d.Year = 2031
				}
				if strings.Contains(shape, "m") {
					d.Month = 12
				}
				if strings.Contains(shape, "d") {
					d.DayOfMonth = 28
				}
				if got, ok := (Format{}).DateTime(language, d); !ok || strings.ContainsAny(got, "{}") {
					t.Errorf("%s: %s is %q, %v", language, shape, got, ok)
				}
			}
		}
	}
}
