package contentjson

import "testing"

func TestWeekday(t *testing.T) {
	for s, want := range map[string]int{"": 0, "1": 1, "7": 7, "9": 9, "monday": 1, "SUNDAY": 7, "someday": -1, "-1": -1} {
		got, ok := weekday(s)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("weekday %q: %d, %v", s, got, ok)
		}
	}
}
