package auth

import (
	"strings"
	"testing"

	"kabar"
)

func TestCheckMonitorKey(t *testing.T) {
	for key, ok := range map[string]bool{
		strings.Repeat("k", 11): false, strings.Repeat("k", 12): true, strings.Repeat("k", 128): true, strings.Repeat("k", 129): false,
		"with a space in": false, "with-an-é-in-it": false, "": false,
	} {
		if err := CheckMonitorKey(key); (err == nil) != ok {
			t.Errorf("%q: %v", key, err)
		}
	}
}

// Without a monitoring key on the server no key is one, not even the empty one.
func TestNoMonitorKey(t *testing.T) {
	e := newEnv(t)
	e.monitor = newMonitor("")
	for _, header := range []string{"Apikey ", "Apikey", "Apikey " + monitorKey} {
		r := bearer("x")
		r.Header.Set("Authorization", header)
		if _, err := e.admit(r, Monitor); reasonOf(err) != kabar.ReasonUnauthorized {
			t.Errorf("%q: %v", header, err)
		}
	}
}

// Users change their own passwords and stay; what the administrator changes ends the sessions. Users of other numbers are
// unknown.
func TestChangePassword(t *testing.T) {
	e := newEnv(t)
	e.user(t, e.a, "ops", RoleUser, false)
	r := bearer(e.token(t, "ops"))
	w, err := e.Check(r)
	wantReason(t, err, "")
	wantReason(t, e.ChangePassword(t.Context(), w, "weak"), kabar.ReasonInvalid)
	wantReason(t, e.ChangePassword(t.Context(), w, "Another-34"), "")
	_, err = e.Check(r)
	wantReason(t, err, "")
	wantReason(t, e.login("ops", goodPassword, ""), kabar.ReasonUnauthorized)
	wantReason(t, e.login("ops", "Another-34", ""), "")
	wantReason(t, e.ChangePassword(t.Context(), Who{Number: e.b.ID, user: w.user}, "Another-34"), kabar.ReasonNotFound)
	role, err := e.UserOf(t.Context(), e.a.ID, "ops")
	if wantReason(t, err, ""); role != RoleUser {
		t.Errorf("role %q", role)
	}
	_, err = e.UserOf(t.Context(), e.b.ID, "ops")
	wantReason(t, err, kabar.ReasonNotFound)
	wantReason(t, e.SetPassword(t.Context(), "ops", "Another-56", false), "")
	_, err = e.Check(r)
	wantReason(t, err, kabar.ReasonUnauthorized)
}
