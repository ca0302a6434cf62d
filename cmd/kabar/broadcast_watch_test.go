package main

import (
	"testing"
	"time"
)

func TestAWatchAsksMoreSeldomOfMany(t *testing.T) {
	for _, c := range []struct {
		took       time.Duration
		recipients int
		want       time.Duration
	}{{0, 1, 500 * time.Millisecond}, {2 * time.Second, 1, 4 * time.Second}, {time.Second, 100_000, 5 * time.Second}, {time.Millisecond, 10_000, 500 * time.Millisecond}} {
		if got := watchPause(c.took, c.recipients); got != c.want {
			t.Errorf("of %d, an answer after %s: %s, want %s", c.recipients, c.took, got, c.want)
		}
	}
}
