package kabar

import (
	"fmt"
	"slices"
	"time"
)

// Hours are when a business is open, as customers see them on its page. They travel in the profile.
type Hours struct {
	Timezone string            `json:"timezone"` // as of the tz database
	Days     map[string][]Span `json:"days"`     // by Weekdays; a day that is left out is closed
}

// Span is a part of a day: from Open up to Close. What goes on behind midnight is two of them.
type Span struct {
	Open  DayTime `json:"open"`
	Close DayTime `json:"close"`
}

// DayTime is a time of day in minutes; 24:00 is its end. It is written as 09:00.
type DayTime int

const dayEnd DayTime = 24 * 60

// maxSpans bounds the spans of a day.
const maxSpans = 4

// Weekdays are what days are called, in the order of time.Weekday.
func Weekdays() []string {
	return []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
}

func (d DayTime) String() string { return fmt.Sprintf("%02d:%02d", int(d)/60, int(d)%60) }

// MarshalText writes the time as 09:00.
func (d DayTime) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *DayTime) UnmarshalText(b []byte) error {
	if string(b) == dayEnd.String() {
		*d = dayEnd
		return nil
	}
	at, err := time.Parse("15:04", string(b))
	if err != nil || len(b) != len("15:04") {
		return fault(ReasonInvalid, "opening hours", "have the time %.20q: write one such as 09:00, up to 24:00", b)
	}
	*d = DayTime(at.Hour()*60 + at.Minute())
	return nil
}

// Validate checks hours and brings the spans of each day in their order. Whether there is such a time zone is checked by whoever has the
// zones.
func (h *Hours) Validate() error {
	some := false
	for day, spans := range h.Days {
		field := "days." + day
		switch {
		case !slices.Contains(Weekdays(), day):
			return fault(ReasonInvalid, "days", "has %.20q, which is none of monday to sunday", day)
		case len(spans) > maxSpans:
			return fault(ReasonInvalid, field, "has %d spans, the limit is %d", len(spans), maxSpans)
		}
		slices.SortFunc(spans, func(a, b Span) int { return int(a.Open - b.Open) })
		for i, s := range spans {
			if some = true; s.Open < 0 || s.Close > dayEnd || s.Close <= s.Open {
				return fault(ReasonInvalid, field, "is open from %s to %s: it must close later on the same day, at 24:00 at the latest", s.Open, s.Close)
			}
			if i > 0 && s.Open < spans[i-1].Close {
				return fault(ReasonInvalid, field, "has spans that overlap: %s to %s and %s to %s", spans[i-1].Open, spans[i-1].Close, s.Open, s.Close)
			}
		}
	}
	if !some {
		return fault(ReasonMissing, "days", "must have a day on which the business is open")
	}
	return nil
}

// On returns the spans of a day.
func (h *Hours) On(day time.Weekday) []Span { return h.Days[Weekdays()[day]] }

// OpenAt reports whether the business is open at a time, which is in its time zone.
func (h *Hours) OpenAt(local time.Time) bool {
	now := DayTime(local.Hour()*60 + local.Minute())
	return slices.ContainsFunc(h.On(local.Weekday()), func(s Span) bool { return s.Open <= now && now < s.Close })
}

// ClosedSince returns when the business last closed before a time, which is in its time zone.
func (h *Hours) ClosedSince(local time.Time) time.Time {
	for back := range 8 {
		day := local.AddDate(0, 0, -back)
		for _, s := range slices.Backward(h.On(day.Weekday())) {
			at := time.Date(day.Year(), day.Month(), day.Day(), 0, int(s.Close), 0, 0, local.Location())
			if !at.After(local) {
				return at
			}
		}
	}
	return time.Time{}
}
