package auth

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/store"
)

// again is an Auth over the same store, as after a restart.
func (e *env) again(t *testing.T) {
	t.Helper()
	var err error
	if e.Auth, err = New(t.Context(), Options{Store: e.db, MonitorKey: monitorKey, Now: e.clock.now}); err != nil {
		t.Fatal(err)
	}
}

func (e *env) loginFrom(ctx context.Context, name, password, from string) error {
	a, _ := netip.ParseAddr(from) // "": the invalid one
	_, err := e.Login(ctx, Credentials{User: name, Password: password, From: a})
	return err
}

// A restart forgives no failed login: neither the address nor the name, and the wait goes on where it was.
func TestRestartForgivesNothing(t *testing.T) {
	for _, from := range []string{"192.0.2.1", "2001:db8::1", ""} {
		e := newEnv(t)
		e.user(t, e.a, "ops", RoleUser, false)
		for range freeFailures + 1 {
			wantReason(t, e.loginFrom(t.Context(), "ops", "nonsense", from), kabar.ReasonUnauthorized)
			e.again(t)
		}
		wantReason(t, e.loginFrom(t.Context(), "ops", goodPassword, from), kabar.ReasonTooMany)
		wantReason(t, e.loginFrom(t.Context(), "another", "nonsense", from), kabar.ReasonTooMany)
		if err := e.loginFrom(t.Context(), "ops", goodPassword, "198.51.100.9"); err != nil { // an address without failures has a try
			t.Errorf("the owner is locked out: %v", err)
		}
		e.clock.advance(3 * time.Second)
		e.again(t)
		if err := e.loginFrom(t.Context(), "ops", goodPassword, from); err != nil {
			t.Errorf("behind the wait: %v", err)
		}
	}
}

// What a good login forgives stays forgiven, and what is over is taken away.
func TestThrottlesAreSwept(t *testing.T) {
	e := newEnv(t)
	e.user(t, e.a, "ops", RoleUser, false)
	count := func(want int) []store.Throttle {
		t.Helper()
		all, err := e.db.Throttles(t.Context(), time.Time{}, 100)
		if err != nil || len(all) != want {
			t.Fatalf("%+v, %v, want %d", all, err, want)
		}
		return all
	}
	for range 3 {
		wantReason(t, e.loginFrom(t.Context(), "ops", "nonsense", "192.0.2.1"), kabar.ReasonUnauthorized)
	}
	for _, row := range count(2) {
		if row.Failures != 3 || strings.Contains(row.Name, "ops") {
			t.Errorf("%+v", row)
		}
	}
	if err := e.loginFrom(t.Context(), "ops", goodPassword, "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	if row := count(1)[0]; !strings.HasPrefix(row.Name, throttledAddress) {
		t.Errorf("%+v", row)
	}
	e.clock.advance(2 * longestWait)
	e.again(t)
	wantReason(t, e.loginFrom(t.Context(), "root", "nonsense", "192.0.2.7"), kabar.ReasonUnauthorized)
	for _, row := range count(2) {
		if row.Failures != 1 {
			t.Errorf("%+v", row)
		}
	}
}
