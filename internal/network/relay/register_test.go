package relay_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"kabar/internal/network"
	"kabar/internal/network/networktest"
	"kabar/internal/network/relay"
	"kabar/internal/patience"
	"kabar/internal/relayserver"
)

// logged is what a driver has logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

// applicant is a business that is on its way into a private relay.
type applicant struct {
	*rig
	*relay.Driver
	logged *logged
	stop   func()
}

// apply runs a driver with an invite, which asks the relay again every few milliseconds.
func apply(t *testing.T, invite func(r *rig) string) *applicant {
	t.Helper()
	a := &applicant{rig: newRigOf(t, relayserver.NoLimits(), relayserver.InviteOnly), logged: new(logged)}
	a.log = slog.New(slog.NewTextHandler(a.logged, nil))
	a.Driver = a.invited(invite(a.rig))
	a.AskEvery(5 * time.Millisecond)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, networktest.NewStore()) }()
	a.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(a.stop)
	return a
}

// newInvite makes an invite for a business.
func newInvite(r *rig) string {
	secret, _, err := r.relay.Invite(r.t.Context(), relayserver.NewInvite{})
	if err != nil {
		r.t.Fatal(err)
	}
	return secret
}

// becomes waits for a state and returns its detail.
func (a *applicant) becomes(want network.Registration) (detail string) {
	a.t.Helper()
	patience.Until(a.t, string(want), func() bool {
		state, d := a.Registration()
		detail = d
		return state == want
	})
	return detail
}

// code returns the pending code.
func (a *applicant) code() relayserver.Code {
	a.t.Helper()
	codes, err := a.relay.Codes(a.t.Context())
	if err != nil || len(codes) != 1 || codes[0].Number != business {
		a.t.Fatalf("codes: %+v, %v", codes, err)
	}
	return codes[0]
}

func (a *applicant) wrong() string {
	if a.code().Code == "000000" {
		return "000001"
	}
	return "000000"
}

// says checks what Verify answers.
func (a *applicant) says(code, want string) {
	a.t.Helper()
	if err := a.Verify(a.t.Context(), code); err == nil || !strings.Contains(err.Error(), want) {
		a.t.Errorf("Verify(%q) = %v, want %q", code, err, want)
	}
}

func TestANumberIsVerified(t *testing.T) {
	a := apply(t, newInvite)
	if detail := a.becomes(network.RegistrationUnproved); !strings.Contains(detail, "kabar number verify "+business) {
		t.Errorf("the detail is %q", detail)
	}
	a.says("12345", "has 6 digits")
	a.says("12345a", "has 6 digits")
	a.says(a.wrong(), "attempts left: 4")
	time.Sleep(50 * time.Millisecond) // it asks again, ten times or so, without the wrong code
	if left := a.code().Left; left != 4 {
		t.Errorf("%d attempts are left", left)
	}
	a.says(a.wrong(), "attempts left: 3")
	if up, _ := a.Link(); up {
		t.Error("connected without having been verified")
	}
	code := a.code().Code
	if err := a.Verify(t.Context(), code[:3]+" "+code[3:]); err != nil {
		t.Fatalf("Verify: %v", err)
	}
	patience.Until(t, "connected", func() bool { up, _ := a.Link(); return up })
	a.becomes(network.RegistrationConfirmed)
	if err := a.Verify(t.Context(), "123456"); err != nil {
		t.Errorf("Verify of a registered number: %v", err)
	}
	if n := a.logged.count("wants this number verified"); n != 1 {
		t.Errorf("the operator is told %d times what to do", n)
	}

	// Revoked, it says so at once.
	if _, err := a.relay.Revoke(t.Context(), business, false); err != nil {
		t.Fatal(err)
	}
	if detail := a.becomes(network.RegistrationRefused); !strings.Contains(detail, "revoked") {
		t.Errorf("the detail is %q", detail)
	}
	a.says("123456", "nothing to verify")
	if n := a.logged.count("does not admit this number"); n != 1 {
		t.Errorf("the operator is told %d times", n)
	}
}

func TestAVoidCodeIsShown(t *testing.T) {
	a := apply(t, newInvite)
	a.becomes(network.RegistrationUnproved)
	wrong := a.wrong()
	for range 4 {
		a.says(wrong, "attempts left")
	}
	a.says(wrong, "void")
	patience.Until(t, "the detail says so", func() bool { _, d := a.Registration(); return strings.Contains(d, "void") })
	a.says(wrong, "void")
	a.shift(time.Hour)
	patience.Until(t, "there is a new code", func() bool {
		codes, err := a.relay.Codes(t.Context())
		return err == nil && len(codes) == 1 && codes[0].Left == 5
	})
	if err := a.Verify(t.Context(), a.code().Code); err != nil {
		t.Errorf("Verify: %v", err)
	}
}

func TestVerifyWhileTheLineIsDown(t *testing.T) {
	a := apply(t, newInvite)
	a.becomes(network.RegistrationUnproved)
	code := a.code().Code
	a.wire.set(false)
	a.says(code, "the line is cut")
	a.becomes(network.RegistrationUnproved) // it still waits
	a.wire.set(true)
	if err := a.Verify(t.Context(), code); err != nil {
		t.Errorf("Verify: %v", err)
	}
}

func TestNothingToVerify(t *testing.T) {
	a := apply(t, func(r *rig) string { return newInvite(r)[:36] + "B" })
	if detail := a.becomes(network.RegistrationRefused); !strings.Contains(detail, "typing mistake") {
		t.Errorf("the detail is %q", detail)
	}
	a.says("123456", "typing mistake")
	idle := a.invited("")
	if state, _ := idle.Registration(); state != network.RegistrationUnknown {
		t.Errorf("before Run it is %s", state)
	}
	if err := idle.Verify(t.Context(), "123456"); err == nil || !strings.Contains(err.Error(), "has not asked") {
		t.Errorf("Verify before Run: %v", err)
	}
}

func TestVerifyDoesNotOutliveTheDriver(t *testing.T) {
	a := apply(t, newInvite)
	a.becomes(network.RegistrationUnproved)
	wrong, answered := a.wrong(), make(chan error, 20)
	for range cap(answered) {
		go func() { answered <- a.Verify(context.Background(), wrong) }()
	}
	a.stop()
	for range cap(answered) {
		select {
		case err := <-answered:
			if err == nil {
				t.Error("verified with a wrong code")
			}
		case <-time.After(patience.Limit):
			t.Fatal("Verify hangs")
		}
	}
}
