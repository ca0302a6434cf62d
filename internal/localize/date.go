package localize

import (
	"embed"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"kabar"
)

//go:embed dates/*.json
var dates embed.FS

// data is how a language writes dates and times. A pattern has {w0} for the weekday, {M1} for the month, where the digit says
// which list the name is from, {d} for the day, {y} for the year; {h} or {H} for the hour of 12 or 24, {m} for the minute, {p}
// for the part of the day. {dd}, {0h} and {0H} have two digits.
type data struct {
	Digits     string            `json:"digits"` // ten characters
	Weekdays   [][]string        `json:"weekdays"`
	Gregorian  *calendar         `json:"gregorian"`
	SolarHijri *calendar         `json:"solar_hijri"`
	Time       string            `json:"time"`
	Periods    []string          `json:"periods"` // by hour
	Joined     map[string]string `json:"joined"`  // date and time, by what there is of the date
}

// calendar has the names of the months and the patterns by what there is of a date: w(eekday), y(ear), m(onth), d(ay).
type calendar struct {
	Months   [][]string        `json:"months"`
	Patterns map[string]string `json:"patterns"`
}

// dataOf returns the data of a language, or of the one that it is a regional form of.
func dataOf(language string) (*data, bool) {
	text, err := dates.ReadFile("dates/" + language + ".json")
	if err != nil {
		plain, _, _ := strings.Cut(language, "_")
		if text, err = dates.ReadFile("dates/" + plain + ".json"); err != nil {
			return nil, false
		}
	}
	d := new(data)
	return d, json.Unmarshal(text, d) == nil
}

// DateTime writes what is given of a date: a timestamp as day and time in UTC, since nobody knows where the customer is;
// otherwise the parts. The date decides on the weekday, if it is complete. A day that the calendar does not have, and parts
// that make no date (a minute without its hour), are not written.
func (Format) DateTime(language string, d *kabar.DateTime) (string, bool) {
	l, known := dataOf(language)
	if !known {
		return "", false
	}
	p, ok := partsOf(d)
	if !ok {
		return "", false
	}
	c := l.Gregorian
	if d.Calendar == kabar.SolarHijri {
		c = l.SolarHijri
	}
	if c == nil {
		return "", false
	}
	date := ""
	if p.shape != "" {
		pattern, ok := c.Patterns[p.shape]
		if !ok {
			return "", false
		}
		date = l.fill(pattern, func(token string) string { return l.dateToken(c, &p, token) })
	}
	if p.hour < 0 {
		return date, true
	}
	text := l.fill(l.Time, func(token string) string { return l.timeToken(&p, token) })
	if p.utc {
		text += " UTC"
	}
	if date != "" {
		text = strings.NewReplacer("{date}", date, "{time}", text).Replace(l.Joined[p.shape])
	}
	return text, true
}

// fill replaces the tokens of a pattern, which are of letters and digits.
func (l *data) fill(pattern string, value func(token string) string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(pattern, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		token, after, _ := strings.Cut(rest, "}")
		b.WriteString(value(token))
		pattern = after
	}
}

func (l *data) dateToken(c *calendar, p *parts, token string) string {
	list := int(token[len(token)-1]) - '0'
	switch {
	case token[0] == 'w':
		return l.Weekdays[list][p.weekday-1]
	case token[0] == 'M':
		return c.Months[list][p.month-1]
	case token == "y":
		return l.number(p.year, 1)
	}
	return l.number(p.day, len(token))
}

func (l *data) timeToken(p *parts, token string) string {
	switch token {
	case "m":
		return l.number(p.minute, 2)
	case "p":
		return l.Periods[p.hour]
	case "h", "0h":
		return l.number((p.hour+11)%12+1, len(token))
	}
	return l.number(p.hour, len(token))
}

// number writes n with the language's digits, at least so many.
func (l *data) number(n, least int) string {
	digits := []rune(l.Digits)
	var b strings.Builder
	s := strconv.Itoa(n)
	for range least - len(s) {
		b.WriteRune(digits[0])
	}
	for _, c := range s {
		b.WriteRune(digits[c-'0'])
	}
	return b.String()
}

// parts are what is written of a date.
type parts struct {
	shape                     string // which of weekday, year, month and day: "wymd"
	weekday, year, month, day int
	hour, minute              int // hour is -1 without a time
	utc                       bool
}

// partsOf finds the parts of d in its calendar; false when they make no date.
func partsOf(d *kabar.DateTime) (parts, bool) {
	if d.Timestamp != 0 {
		return partsAt(time.Unix(d.Timestamp, 0).UTC(), d.Calendar)
	}
	p := parts{weekday: d.DayOfWeek, year: d.Year, month: d.Month, day: d.DayOfMonth, hour: -1}
	for _, part := range []struct {
		letter string
		value  int
	}{{"w", p.weekday}, {"y", p.year}, {"m", p.month}, {"d", p.day}} {
		if part.value != 0 {
			p.shape += part.letter
		}
	}
	switch {
	case d.Hour != nil:
		p.hour = *d.Hour
		if d.Minute != nil {
			p.minute = *d.Minute
		}
	case d.Minute != nil || p.shape == "":
		return p, false
	}
	if p.day == 0 || p.month == 0 {
		return p, true
	}
	days, first, ok := monthOf(d.Calendar, p.year, p.month)
	if !ok || p.day > days {
		return p, false
	}
	if p.year != 0 && p.weekday != 0 {
		p.weekday = weekdayOf(first + p.day - 1)
	}
	return p, true
}

// partsAt returns the day and the time of a moment.
func partsAt(t time.Time, cal string) (parts, bool) {
	p := parts{shape: "ymd", hour: t.Hour(), minute: t.Minute(), utc: true}
	n := dayNumber(t.Year(), int(t.Month()), t.Day())
	if cal == kabar.SolarHijri {
		var ok bool
		p.year, p.month, p.day, ok = solarOf(n)
		return p, ok
	}
	p.year, p.month, p.day = t.Year(), int(t.Month()), t.Day()
	return p, p.year > 0 && p.year <= 9999
}
