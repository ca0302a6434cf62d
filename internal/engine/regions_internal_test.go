package engine

import (
	"fmt"
	"testing"

	"kabar"
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

// The market that a message is paid in is also known of customers who hide their numbers.
func TestCountryOfACustomer(t *testing.T) {
	e := &Engine{}
	for _, c := range []struct {
		who  kabar.Customer
		want string
	}{
		{kabar.Customer{WaID: "34600111222"}, "ES"}, {kabar.Customer{BSUID: "IN.4Uil8"}, "IN"}, {kabar.Customer{WaID: "34600111222", BSUID: "IN.4Uil8"}, "ES"},
		{kabar.Customer{}, ""}, {kabar.Customer{WaID: "999"}, ""},
	} {
		if got := e.country(c.who); got != c.want {
			t.Errorf("%+v is of %q, want %q", c.who, got, c.want)
		}
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
