package kabar

import (
	"math"
	"testing"
)

var statuses = []Status{Received, Accepted, Sent, Delivered, Read, Played, Failed}

// Every pair of a status and an 8-bit number: what is not in the table is refused.
func TestAdvance(t *testing.T) {
	allowed := map[[2]Status]bool{
		{Accepted, Sent}: true, {Accepted, Delivered}: true, {Accepted, Read}: true, {Accepted, Played}: true, {Accepted, Failed}: true,
		{Sent, Delivered}: true, {Sent, Read}: true, {Sent, Played}: true, {Sent, Failed}: true,
		{Delivered, Read}: true, {Delivered, Played}: true,
		{Read, Played}: true, {Received, Read}: true,
	}
	for _, from := range statuses {
		for to := math.MinInt8; to <= math.MaxInt8; to++ {
			next := Status(to)
			if got, want := from.Advance(next), allowed[[2]Status{from, next}]; got != want {
				t.Errorf("%v.Advance(%v) = %v, want %v", from, next, got, want)
			}
		}
	}
}

// However reports are ordered and repeated, a message ends where the best of them says, unless it failed before.
func TestAdvanceAnyOrder(t *testing.T) {
	for _, a := range statuses {
		for _, b := range statuses {
			for _, c := range statuses {
				s := Accepted
				for _, next := range []Status{a, b, c, a, b, c} {
					before := s
					if s.Advance(next) {
						s = next
					}
					if s < before {
						t.Fatalf("%v, %v, %v: from %v back to %v", a, b, c, before, s)
					}
				}
				best := max(Accepted, a, b, c)
				if best != Failed && s != best {
					t.Errorf("%v, %v, %v: ended at %v, want %v", a, b, c, s, best)
				}
			}
		}
	}
}

func TestStatusString(t *testing.T) {
	want := []string{"received", "accepted", "sent", "delivered", "read", "played", "failed"}
	for i, s := range statuses {
		if s.String() != want[i] {
			t.Errorf("String() = %q, want %q", s, want[i])
		}
	}
	if got := Status(6).String(); got != "status 6" {
		t.Errorf("String() of an unknown status = %q", got)
	}
}
