package phoneui

import (
	"strings"
	"time"

	"kabar"
)

// hours are the opening hours on a business's page.
type hours struct {
	Now  string // whether it is open; empty when its time zone is not known here
	Days []openDay
	Zone string
}

type openDay struct{ Name, Times string }

// hoursOf describes opening hours at now, Monday first; nil when the business has not said any.
func hoursOf(h *kabar.Hours, now time.Time) *hours {
	if h == nil {
		return nil
	}
	out := &hours{Zone: h.Timezone}
	if zone, err := time.LoadLocation(h.Timezone); err == nil {
		if out.Now = "Closed now"; h.OpenAt(now.In(zone)) {
			out.Now = "Open now"
		}
	}
	for i := range 7 {
		day := time.Weekday((i + 1) % 7)
		var times []string
		for _, s := range h.On(day) {
			times = append(times, s.Open.String()+"–"+s.Close.String())
		}
		if times == nil {
			times = []string{"closed"}
		}
		out.Days = append(out.Days, openDay{day.String(), strings.Join(times, ", ")})
	}
	return out
}
