package webhook

import (
	"testing"
	"time"
)

func TestProfileBackoff(t *testing.T) {
	p := Profile{First: 5 * time.Second, Most: time.Hour}
	for n, want := range map[int]time.Duration{1: 5 * time.Second, 2: 10 * time.Second, 3: 20 * time.Second, 10: 2560 * time.Second, 11: time.Hour, 1 << 30: time.Hour} {
		if got := p.backoff(n); got != want {
			t.Errorf("failure %d waits %s, want %s", n, got, want)
		}
	}
	p.Jitter = 0.2
	seen := map[time.Duration]bool{}
	for range 100 {
		d := p.backoff(2)
		if seen[d] = true; d < 8*time.Second || d > 12*time.Second {
			t.Fatalf("waits %s", d)
		}
	}
	if len(seen) < 10 {
		t.Errorf("only %d different waits", len(seen))
	}
}
