package engine

import (
	"fmt"
	"testing"
)

func TestRegionsAreBounded(t *testing.T) {
	var r regions
	for range 2 {
		for i := range keptRegions + 1 {
			digits := fmt.Sprintf("34600%06d", i)
			if got := r.region(digits); got != "ES" {
				t.Fatalf("%s is of %q, want ES", digits, got)
			}
		}
		if got := r.region("999"); got != "" {
			t.Fatalf("999 is of %q, want no country", got)
		}
	}
	if len(r.of) > keptRegions {
		t.Errorf("%d are remembered, want %d at most", len(r.of), keptRegions)
	}
}

func BenchmarkRegion(b *testing.B) {
	for name, forget := range map[string]bool{"found": true, "remembered": false} {
		b.Run(name, func(b *testing.B) {
			var r regions
			for b.Loop() {
				if forget {
					r.of = nil
				}
				r.region("34600111222")
			}
		})
	}
}
