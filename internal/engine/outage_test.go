package engine_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"kabar/internal/network"
	"kabar/internal/network/networktest"
	"kabar/internal/patience"
)

// cutNet is a network whose connection can be away for as long as a test says.
type cutNet struct {
	*networktest.Fake
	mu    sync.Mutex
	since time.Time // zero: it stands
	state network.Registration
}

func (c *cutNet) Link() (bool, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.since.IsZero(), c.since
}

func (c *cutNet) Registration() (network.Registration, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state, "34600111222 is unknown here"
}

func (c *cutNet) Register(context.Context) error       { return nil }
func (c *cutNet) Verify(context.Context, string) error { return nil }

func (c *cutNet) set(since time.Time, state network.Registration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since, c.state = since, state
}

// TestOutage: an application is told once of a connection that is away for long, not of a short loss, and not of a number that
// was never admitted.
func TestOutage(t *testing.T) {
	net := &cutNet{Fake: networktest.NewFake(), state: network.RegistrationConfirmed}
	v := newEnvWith(t, net.Fake, net)
	look := func() { // has the connections looked at, twice: the first look may have begun before
		for range 2 {
			v.skew.Add(int64(5 * time.Second))
			v.e.Shifted()
			v.hear(ana, "and on")
		}
	}
	faults := func() (details []string) {
		evs, err := v.db.Events(t.Context(), v.id, 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, ev := range evs {
			if ev.Kind == "fault" {
				details = append(details, string(ev.Failure)+": "+ev.Detail)
			}
		}
		return details
	}
	const away, refused = "internal error: The network has not been reachable for 30 seconds. Messages are accepted, and wait.",
		"internal error: The network does not admit the number any more. The server's log says why."
	var want []string
	for _, s := range []struct {
		ago   time.Duration // by the network's clock, which is not the product's
		state network.Registration
		looks int
		want  string
	}{
		{2 * time.Hour, network.RegistrationUnproved, 12, ""},
		{time.Hour, network.RegistrationConfirmed, 2, ""}, // a short loss
		{0, network.RegistrationConfirmed, 0, away},
		{50 * time.Minute, network.RegistrationRefused, 0, refused},
		{-time.Hour, network.RegistrationUnknown, 0, away}, // never reached since the start
	} {
		net.set(time.Now().Add(-s.ago), s.state)
		for range s.looks {
			look()
		}
		if s.want == "" {
			continue
		}
		want = append(want, s.want)
		patience.Until(t, s.want, func() bool { look(); return len(faults()) >= len(want) })
	}
	look() // nothing is told twice
	got := faults()
	if len(got) != len(want) {
		t.Fatalf("told\n%q\nwant\n%q", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("told %q, want %q", got[i], want[i])
		}
	}
}
