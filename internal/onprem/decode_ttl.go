package onprem

import (
	"regexp"
	"strconv"
	"time"

	"kabar"
)

// isoDuration is a duration of ISO 8601 in weeks, days, hours, minutes and seconds. Years and months have no fixed length.
var isoDuration = regexp.MustCompile(`^P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$`)

var isoUnits = [...]time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second}

// parseTTL reads seconds ("86400") or a duration ("P1D"), of one second to the longest that a message is tried.
func parseTTL(s string) (time.Duration, bool) {
	const longest = int64(kabar.DefaultTTL / time.Second)
	seconds, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		m := isoDuration.FindStringSubmatch(s)
		if m == nil {
			return 0, false
		}
		seconds = 0
		for i, unit := range isoUnits {
			n, _ := strconv.ParseInt(m[i+1], 10, 64) // digits, or "" for none: 0
			seconds += n * int64(unit/time.Second)
		}
	}
	return time.Duration(max(0, min(seconds, longest))) * time.Second, seconds >= 1 && seconds <= longest
}
