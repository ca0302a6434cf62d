package kabar_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kabar"
)

func TestHoursOpenAndClose(t *testing.T) {
	var h kabar.Hours
	if err := json.Unmarshal([]byte(`{"timezone":"Asia/Jakarta","days":{"monday":[{"open":"13:00","close":"17:30"},{"open":"09:00","close":"12:00"}],
		"friday":[{"open":"20:00","close":"24:00"}],"saturday":[{"open":"00:00","close":"02:00"}]}}`), &h); err != nil {
		t.Fatal(err)
	}
	if err := h.Validate(); err != nil {
		t.Fatal(err)
	}
	zone := time.FixedZone("WIB", 7*60*60)
	for _, c := range []struct{ at, closed string }{ // 2031-05-05 is a Monday; closed is since when, and empty: it is open
		{"2031-05-05 08:59", "2031-05-03 02:00"}, {"2031-05-05 09:00", ""}, {"2031-05-05 11:59", ""}, {"2031-05-05 12:00", "2031-05-05 12:00"},
		{"2031-05-05 13:00", ""}, {"2031-05-05 17:30", "2031-05-05 17:30"}, {"2031-05-07 10:00", "2031-05-05 17:30"}, {"2031-05-09 23:59", ""},
		{"2031-05-10 00:00", ""}, {"2031-05-10 02:00", "2031-05-10 02:00"},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", c.at, zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.OpenAt(at); got != (c.closed == "") {
			t.Errorf("%s: open is %v", c.at, got)
		}
		if since := h.ClosedSince(at).Format("2006-01-02 15:04"); c.closed != "" && since != c.closed {
			t.Errorf("%s: closed since %s, not %s", c.at, since, c.closed)
		}
	}
	b, err := json.Marshal(h)
	if err != nil || !strings.Contains(string(b), `"monday":[{"open":"09:00","close":"12:00"},{"open":"13:00","close":"17:30"}]`) || !strings.Contains(string(b), `"close":"24:00"`) {
		t.Errorf("%s %v", b, err)
	}
}

func TestHoursThatMakeNoSense(t *testing.T) {
	for _, days := range []string{`{}`, `null`, `{"monday":[]}`, `{"someday":[{"open":"09:00","close":"10:00"}]}`, `{"monday":[{"open":"10:00","close":"10:00"}]}`,
		`{"monday":[{"open":"10:00","close":"09:00"}]}`, `{"monday":[{"open":"09:00","close":"12:00"},{"open":"11:59","close":"13:00"}]}`,
		`{"monday":[{"open":"9:00","close":"12:00"}]}`, `{"monday":[{"open":"09:00","close":"24:01"}]}`, `{"monday":[{"open":9,"close":"12:00"}]}`,
		`{"monday":[{"open":"01:00","close":"02:00"},{"open":"03:00","close":"04:00"},{"open":"05:00","close":"06:00"},{"open":"07:00","close":"08:00"},{"open":"09:00","close":"10:00"}]}`} {
		var h kabar.Hours
		if err := json.Unmarshal([]byte(`{"timezone":"UTC","days":`+days+`}`), &h); err == nil && h.Validate() == nil {
			t.Errorf("%s is taken", days)
		}
	}
}

// While a business is closed the last closing lies behind it, and it has not been open since.
func TestClosedSinceIsTheLastClosing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := kabar.Hours{Days: map[string][]kabar.Span{}}
		for _, day := range kabar.Weekdays() {
			if open := rapid.IntRange(0, 24*60-1).Draw(t, day); rapid.Bool().Draw(t, "is open") {
				h.Days[day] = []kabar.Span{{Open: kabar.DayTime(open), Close: kabar.DayTime(rapid.IntRange(open+1, 24*60).Draw(t, "close"))}}
			}
		}
		if h.Validate() != nil {
			t.Skip("never open")
		}
		at := time.Date(2031, 5, 5, 0, rapid.IntRange(0, 10*24*60).Draw(t, "minute"), 0, 0, time.UTC)
		if h.OpenAt(at) {
			t.Skip("open")
		}
		since := h.ClosedSince(at)
		if since.IsZero() || !h.OpenAt(since.Add(-time.Minute)) {
			t.Fatalf("%s: closed since %s", at, since)
		}
		for m := since; !m.After(at); m = m.Add(time.Minute) {
			if h.OpenAt(m) {
				t.Fatalf("%s: closed since %s, and open at %s", at, since, m)
			}
		}
	})
}
