package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
)

// office is open from nine to five in UTC, Monday to Friday. In a bubble it is Saturday, 1 January 2000, midnight.
func office() *kabar.Hours {
	h := &kabar.Hours{Timezone: "UTC", Days: map[string][]kabar.Span{}}
	for _, day := range kabar.Weekdays()[1:6] {
		h.Days[day] = []kabar.Span{{Open: 9 * 60, Close: 17 * 60}}
	}
	return h
}

func TestTheAwayMessageIsSentOnceWhileClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		if err := v.e.SetHours(t.Context(), v.id, office(), "We are back on Monday."); err != nil {
			t.Fatal(err)
		}
		answered := 0
		want := func(more int, why string) {
			t.Helper()
			settle()
			answered += more
			if got := strings.Count(strings.Join(v.told(), "\n"), "status sent"); got != answered {
				t.Fatalf("%s: %d answers, not %d", why, got, answered)
			}
		}
		v.hear(budi, "STOP")
		want(0, "an opt-out")
		v.hear(ana, "hi")
		want(1, "the first message")
		v.hear(ana, "are you there?")
		v.restart()
		v.hear(ana, "hello?")
		want(0, "further ones")
		v.hear(budi, "hi")
		want(1, "somebody else's first")
		time.Sleep(2*24*time.Hour + 10*time.Hour)
		v.hear(ana, "good morning")
		want(0, "on Monday at ten")
		time.Sleep(8 * time.Hour)
		v.hear(ana, "good evening")
		want(1, "when it has closed again")
		evs, err := v.db.Events(t.Context(), v.id, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range evs {
			if ev.Kind == kabar.EventStatus && ev.Callback != "away_message" {
				t.Errorf("a status does not say what it is of: %+v", ev)
			}
		}
		if err := v.e.SetHours(t.Context(), v.id, office(), ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		v.hear(ana, "good evening")
		want(0, "without a message")
	})
}

func TestANumberOutOfServiceAnswersNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		if err := v.e.SetHours(t.Context(), v.id, office(), "Later."); err != nil {
			t.Fatal(err)
		}
		if err := v.e.ChangeSettings(t.Context(), v.id, func(s *kabar.Settings, _ *string) error { s.Deregistered = true; return nil }); err != nil {
			t.Fatal(err)
		}
		v.hear(ana, "hi")
		settle()
		if got := strings.Join(v.told(), "\n"); strings.Contains(got, "status") {
			t.Error(got)
		}
	})
}

func TestHoursThatCannotBe(t *testing.T) {
	v := newEnv(t)
	elsewhere := office()
	elsewhere.Timezone = "Mars/Base"
	local := office()
	local.Timezone = "Local"
	for name, c := range map[string]struct {
		hours *kabar.Hours
		away  string
	}{"no hours": {nil, "later"}, "no such zone": {elsewhere, ""}, "the machine's zone": {local, ""}, "a long message": {office(), strings.Repeat("x", 1025)},
		"never open": {&kabar.Hours{Timezone: "UTC"}, ""}} {
		if err := v.e.SetHours(t.Context(), v.id, c.hours, c.away); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if n, err := v.e.Number(v.id); err != nil || n.Profile.Hours != nil {
		t.Errorf("what was refused has changed it: %+v, %v", n.Profile, err)
	}
}
