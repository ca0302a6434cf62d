package engine_test

import (
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/network/networktest"
)

func TestANumberIsRegisteredTenTimesInThreeDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newEnv(t)
		for range 10 {
			if err := v.e.AttemptRegistration(t.Context(), v.id); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
		}
		for range 3 {
			if err := v.e.AttemptRegistration(t.Context(), v.id); !refusedFor(err, kabar.ReasonRegisterLimit) {
				t.Errorf("one more: %v", err)
			}
		}
		time.Sleep(62*time.Hour - time.Second)
		v.restart()
		if err := v.e.AttemptRegistration(t.Context(), v.id); !refusedFor(err, kabar.ReasonRegisterLimit) {
			t.Errorf("a second too early: %v", err)
		}
		time.Sleep(time.Second)
		if err := v.e.AttemptRegistration(t.Context(), v.id); err != nil {
			t.Errorf("72 hours after the first: %v", err)
		}
	})
}

func TestAUsernameIsOfOneNumber(t *testing.T) {
	v := newEnv(t)
	n, err := v.e.Number(v.id)
	if err != nil {
		t.Fatal(err)
	}
	second, third := v.another(&kabar.Account{ID: n.Account, Name: "Warung"}, "628111000222"), v.another(&kabar.Account{Name: "Toko"}, "628111000333")
	set := func(id kabar.NumberID, name string, move bool, want kabar.Reason) {
		t.Helper()
		if err := v.e.SetUsername(t.Context(), id, name, move); want == "" && err != nil || want != "" && !refusedFor(err, want) {
			t.Errorf("%d wants %q: %v, want %q", id, name, err, want)
		}
	}
	set(v.id, "warung", false, "")
	set(v.id, "warung", false, "")
	set(second, "warung", false, kabar.ReasonUsernameOurs)
	set(third, "warung", true, kabar.ReasonUsernameTaken)
	set(third, "x", false, kabar.ReasonInvalid)
	set(second, "warung", true, "")
	if s, err := v.e.Settings(v.id); err != nil || s.Cloud.Username != "" {
		t.Errorf("it has stayed behind: %q, %v", s.Cloud.Username, err)
	}
	set(second, "", false, "")
	set(third, "warung", false, "")
}

// another adds a number.
func (v *env) another(account *kabar.Account, digits string) kabar.NumberID {
	v.t.Helper()
	n, err := engine.AddNumber(v.t.Context(), v.db, engine.NewNumber{Account: account, Digits: digits, Profile: kabar.Profile{Name: "Warung"}}, v.now())
	if err != nil {
		v.t.Fatal(err)
	}
	if err := v.e.Attach(v.t.Context(), n.ID, networktest.NewFake()); err != nil {
		v.t.Fatal(err)
	}
	return n.ID
}

func TestARestoreLeavesWhatTheCloudAPIHasSet(t *testing.T) {
	v := newEnv(t)
	old, err := v.e.Portrait(t.Context(), v.id)
	if err != nil {
		t.Fatal(err)
	}
	old.Settings.SentEvents, old.Settings.PIN = true, "hash"
	old.Settings.Cloud.Username, old.Settings.BusinessKey, old.Settings.Override = "warung", "old", "https://example.com/old"
	present := kabar.CloudSettings{Username: "toko", Attempts: []time.Time{v.now().UTC()}}
	if err := v.e.ChangeSettings(t.Context(), v.id, func(s *kabar.Settings, _ *string) error {
		s.Cloud, s.Override, s.Deregistered, s.BusinessKey, s.BusinessKeyMark = present, "https://example.com/", true, "key", "mark"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := v.e.SetPortrait(t.Context(), v.id, old); err != nil {
		t.Fatal(err)
	}
	v.restart()
	s, err := v.e.Settings(v.id)
	if err != nil || !s.SentEvents || s.PIN != "hash" {
		t.Errorf("not restored: %+v, %v", s, err)
	}
	if s.Cloud.Username != "toko" || len(s.Cloud.Attempts) != 1 || s.Override != "https://example.com/" || !s.Deregistered || s.BusinessKey != "key" || s.BusinessKeyMark != "mark" {
		t.Errorf("of the Cloud API is left: %+v", s)
	}
}

func TestAnotherPINIsProvedAnew(t *testing.T) {
	v := newEnv(t)
	proved := v.now()
	for _, step := range []struct {
		pin    string
		proved bool
	}{{"old", false}, {"old", true}, {"new", false}, {"new", true}, {"", false}} {
		if err := v.e.ChangeSettings(t.Context(), v.id, func(s *kabar.Settings, _ *string) error {
			if s.PIN == step.pin {
				s.PINProved = proved
			}
			s.PIN = step.pin
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if s, err := v.e.Settings(v.id); err != nil || s.PINProved.IsZero() == step.proved {
			t.Errorf("with the PIN %q it was proved at %v, %v", s.PIN, s.PINProved, err)
		}
	}
}

func TestResettingApplicationSettingsLeavesTheOthers(t *testing.T) {
	application := []string{"BackoffStep", "BackoffCap", "Concurrency", "Batch", "AutoDownload", "SentEvents", "DeliveredEvents", "ReadEvents",
		"ShowSecurity", "NotifyChange", "KeepMessages", "SkipReferral", "CollectMedia", "OnPremSetting"}
	before := kabar.Settings{Shards: 2, PIN: "hash", Override: "https://example.com/", Deregistered: true, PINProved: time.Now(),
		BusinessKey: "key", BusinessKeyMark: "mark", Cloud: kabar.CloudSettings{Username: "warung"}, Consent: kabar.ConsentPolicy{Required: true},
		Limits: kabar.StartingLimits(), Naming: kabar.Naming{Status: kabar.NamePending}, Upgrade: time.Now(), Away: "later", SentEvents: true}
	after := before
	engine.ResetSettings(&after)
	if after.SentEvents {
		t.Error("SentEvents is not reset")
	}
	was, is := reflect.ValueOf(before), reflect.ValueOf(after)
	for i, f := range reflect.VisibleFields(was.Type()) { // one that is new is in the list above, or has a value in before
		if slices.Contains(application, f.Name) {
			continue
		}
		if was.Field(i).IsZero() || !reflect.DeepEqual(was.Field(i).Interface(), is.Field(i).Interface()) {
			t.Errorf("%s was %v and is %v", f.Name, was.Field(i), is.Field(i))
		}
	}
}
