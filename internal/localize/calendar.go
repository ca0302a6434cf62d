package localize

import (
	"time"

	"kabar"
)

// Days are counted from 1 January 1970, a Thursday.

const (
	secondsADay = 24 * 60 * 60
	// solarEpoch is the first day of the first year of the Solar Hijri calendar, 22 March 622 in ours.
	solarEpoch = -492268
)

func dayNumber(year, month, day int) int {
	return int(time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix() / secondsADay)
}

// weekdayOf returns the weekday of a day, 1 for Monday.
func weekdayOf(n int) int { return ((n+3)%7+7)%7 + 1 }

// monthOf returns how many days a month has and the number of its first. Without a year it has as many as it can have.
func monthOf(cal string, year, month int) (days, first int, ok bool) {
	if cal == kabar.SolarHijri {
		return solarMonth(year, month)
	}
	if year == 0 {
		year = 2000 // a leap year
	}
	first = dayNumber(year, month, 1)
	return dayNumber(year, month+1, 1) - first, first, true
}

// The Solar Hijri year begins with the spring. Of 33 years eight are leap years: this agrees with the observed calendar up to
// the year 1501 (2122 in ours), and later years are not written.
const firstSolarYear, lastSolarYear = 1, 1501

func solarNewYear(year int) int { return solarEpoch + 365*(year-1) + (8*year+21)/33 }

func solarLeap(year int) bool { return (25*year+11)%33 < 8 }

func solarMonth(year, month int) (days, first int, ok bool) {
	switch {
	case month <= 6:
		days = 31
	case month <= 11:
		days = 30
	case year == 0 || solarLeap(year):
		days = 30
	default:
		days = 29
	}
	if year != 0 && (year < firstSolarYear || year > lastSolarYear) {
		return 0, 0, false
	}
	before := 31 * (month - 1)
	if month > 7 {
		before -= month - 7
	}
	return days, solarNewYear(year) + before, true
}

// solarOf returns the date of a day.
func solarOf(n int) (year, month, day int, ok bool) {
	if n < solarEpoch {
		return 0, 0, 0, false
	}
	year = max(firstSolarYear, (n-solarEpoch)/366) // a little early
	for solarNewYear(year+1) <= n {
		year++
	}
	for month = 1; month < 12; month++ {
		days, first, _ := solarMonth(year, month)
		if n < first+days {
			break
		}
	}
	_, first, ok := solarMonth(year, month)
	return year, month, n - first + 1, ok
}
