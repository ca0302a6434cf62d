package relayserver

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestPace: within any stretch of time no more is admitted than the burst and what the stretch is worth, and whoever
// waits as told is admitted.
func TestPace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.IntRange(1, 100).Draw(t, "rate")
		p := pace{rate: float64(rate)}
		now := time.Unix(1_700_000_000, 0)
		var admitted []time.Time
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "ms")) * time.Millisecond)
			wait := p.take(now)
			if wait > 0 && rapid.Bool().Draw(t, "patient") {
				now = now.Add(wait)
				if wait = p.take(now); wait > 0 {
					t.Fatalf("told to wait %s more after waiting", wait)
				}
			}
			if wait == 0 {
				admitted = append(admitted, now)
			}
		}
		for i := range admitted {
			for j := i; j < len(admitted); j++ {
				stretch := admitted[j].Sub(admitted[i])
				if most := rate + int(stretch.Seconds()*float64(rate)) + 1; j-i+1 > most {
					t.Fatalf("%d within %s at %d/s", j-i+1, stretch, rate)
				}
			}
		}
	})
}

func TestPaceOff(t *testing.T) {
	p := pace{rate: -1}
	for range 10_000 {
		if p.take(time.Time{}) != 0 {
			t.Fatal("a limit that is off limits")
		}
	}
}

func TestPaceSurvivesAClockThatJumps(t *testing.T) {
	p := pace{rate: 10}
	now := time.Unix(1_700_000_000, 0)
	for range 10 {
		p.take(now)
	}
	ahead := now.Add(24 * time.Hour)
	for i := range 10 {
		if p.take(ahead) > 0 {
			t.Fatalf("refused %d after a jump ahead", i)
		}
	}
	if p.take(ahead) == 0 {
		t.Fatal("a jump ahead gave more than a burst")
	}
}
