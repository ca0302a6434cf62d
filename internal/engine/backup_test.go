package engine_test

import (
	"testing"

	"kabar"
)

// TestAPortraitWithAnotherPINIsTold: a restore that changes a number's PIN is as much a matter of its security as any other change.
func TestAPortraitWithAnotherPINIsTold(t *testing.T) {
	v := newEnv(t)
	p, err := v.e.Portrait(t.Context(), v.id)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		pin  string
		told int
	}{{"", 0}, {"one", 1}, {"one", 1}, {"two", 2}, {"", 3}} {
		p.Settings.PIN = c.pin
		if err := v.e.SetPortrait(t.Context(), v.id, p); err != nil {
			t.Fatal(err)
		}
		evs, err := v.db.Events(t.Context(), v.id, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		told := 0
		for _, ev := range evs {
			if ev.Kind == kabar.EventSecurity {
				told++
			}
		}
		if told != c.told {
			t.Errorf("after restore %d, with the PIN %q: told %d times, want %d", i+1, c.pin, told, c.told)
		}
	}
}

// A backup with another name asks for it as anybody does.
func TestARestoredNameIsReviewed(t *testing.T) {
	v := newEnv(t)
	p, err := v.e.Portrait(t.Context(), v.id)
	if err != nil {
		t.Fatal(err)
	}
	p.Profile.Name, p.Profile.About = "Toko", "Bread"
	if err := v.e.SetPortrait(t.Context(), v.id, p); err != nil {
		t.Fatal(err)
	}
	n, g, err := v.e.Reviews().Naming(t.Context(), v.id)
	if err != nil || n.Profile.Name != "Warung Kabar" || n.Profile.About != "Bread" || g.Wanted != "Toko" || !g.Pending() {
		t.Errorf("%+v, %+v, %v", n, g, err)
	}
	if got := v.outcomes(); got != "name Toko PENDING" {
		t.Errorf("told: %s", got)
	}
}
