package golden

import (
	"regexp"
	"strconv"
	"time"
)

// momentForm is a moment that a file counts from its clock.
var momentForm = regexp.MustCompile(`<(half|day|month|date)([+-][0-9]+)>`)

// FillMoments replaces the moments in a text by what they are at a time: <day+0> is when that day began, in seconds since 1970, <day-1>
// when the one before did; <month+0> and <half+0> are the same for months and half hours, and <date-90> is a day as 2006-01-02.
func FillMoments(text string, now time.Time) string {
	now = now.UTC()
	return momentForm.ReplaceAllStringFunc(text, func(name string) string {
		parts := momentForm.FindStringSubmatch(name)
		n, err := strconv.Atoi(parts[2])
		if err != nil {
			return name // so many that no clock goes there
		}
		day := time.Date(now.Year(), now.Month(), now.Day()+n, 0, 0, 0, 0, time.UTC)
		switch parts[1] {
		case "date":
			return day.Format(time.DateOnly)
		case "half":
			day = now.Truncate(30 * time.Minute).Add(time.Duration(n) * 30 * time.Minute)
		case "month":
			day = time.Date(now.Year(), now.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
		}
		return strconv.FormatInt(day.Unix(), 10)
	})
}
