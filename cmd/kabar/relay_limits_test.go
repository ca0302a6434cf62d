package main

import (
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"kabar/internal/relayserver"
)

// relayRun parses a command line of kabar relay, with or without the word run.
func relayRun(t *testing.T, args ...string) *relayRunCmd {
	t.Helper()
	var c cli
	p, err := kong.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Parse(append([]string{"relay"}, args...)); err != nil {
		t.Fatal(err)
	}
	return &c.Relay.Start
}

func TestLimitsOfTheRelay(t *testing.T) {
	o, err := relayRun(t, "--data", "x").options(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	want := relayserver.Limits{Business: relayserver.Rates{Envelopes: 2000}, Customer: relayserver.Rates{Envelopes: 50},
		Registrations: 100, Mailbox: 10_000, BlobSpace: 100e9, Lifetime: 30 * 24 * time.Hour}
	if o.Limits != want || o.Admit != relayserver.InviteOnly {
		t.Errorf("without flags: %+v", o)
	}
	o, err = relayRun(t, "run", "--data", "x", "--limit-registrations=-1", "--limit-business-envelopes=0.5", "--limit-customer-envelopes=7",
		"--mailbox=8", "--blob-space=5GiB", "--keep=2d", "--open-registration").options(slog.New(slog.DiscardHandler))
	want = relayserver.Limits{Business: relayserver.Rates{Envelopes: 0.5}, Customer: relayserver.Rates{Envelopes: 7},
		Registrations: -1, Mailbox: 8, BlobSpace: 5 << 30, Lifetime: 48 * time.Hour}
	if err != nil || o.Limits != want || o.Admit != relayserver.OpenRegistration {
		t.Errorf("with flags: %+v, %v", o, err)
	}
}

func TestLimitsThatStopEverything(t *testing.T) {
	for flag, change := range map[string]func(l *relayLimits){
		"limit-registrations":      func(l *relayLimits) { l.LimitRegistrations = 0 },
		"limit-business-envelopes": func(l *relayLimits) { l.LimitBusinessEnvelopes = math.NaN() },
		"limit-customer-envelopes": func(l *relayLimits) { l.LimitCustomerEnvelopes = math.Inf(1) },
		"mailbox":                  func(l *relayLimits) { l.Mailbox = 0 },
		"keep":                     func(l *relayLimits) { l.Keep = duration(time.Second) },
	} {
		l := relayRun(t, "--data", "x").relayLimits
		change(&l)
		_, err := l.limits()
		if u, ok := errors.AsType[*usageError](err); !ok || !strings.Contains(u.Error(), "--"+flag) {
			t.Errorf("--%s: %v", flag, err)
		}
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 5 << 20: "5.0 MiB", 3 << 40: "3.0 TiB", 1 << 52: "4096.0 TiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
