package endpoint_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/endpoint"
	"kabar/internal/signature"
	"kabar/internal/storetest"
)

func TestASecretIsReplacedWithOverlap(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		id := d.add(endpoint.Wanted{Number: s.A.ID}).First().ID
		first := d.add(endpoint.Wanted{Number: s.A.ID}).First().Secrets // of another one: secrets differ
		g, second, err := d.Rotate(t.Context(), id, endpoint.NewSecret{Overlap: 24 * time.Hour})
		if err != nil || len(g.First().Signing(d.now)) != 2 || g.First().Signing(d.now)[0] != second || second == first[0].Value {
			t.Fatalf("after a day of overlap was asked for, %d secrets sign (%v)", len(g.First().Signing(d.now)), err)
		}
		d.now = d.now.Add(25 * time.Hour)
		if got := g.First().Signing(d.now); !slices.Equal(got, []string{second}) {
			t.Errorf("after the overlap %d secrets sign, want the new one", len(got))
		}
		g, third, err := d.Rotate(t.Context(), id, endpoint.NewSecret{Kind: endpoint.Pair})
		if err != nil || !strings.HasPrefix(third, "whsk_") || !slices.Equal(g.First().Signing(d.now), []string{third}) {
			t.Errorf("without overlap %d secrets sign (%v), want the new pair alone", len(g.First().Signing(d.now)), err)
		}
		pair, _ := signature.NewPair()
		for name, n := range map[string]endpoint.NewSecret{"the same": {Value: third}, "no secret": {Value: "whsec_x"}, "too long an overlap": {Overlap: 8 * 24 * time.Hour},
			"another kind": {Value: signature.New(), Kind: endpoint.Pair}, "the other kind": {Value: pair, Kind: endpoint.Shared}, "no kind": {Kind: "v2"}} {
			if _, _, err := d.Rotate(t.Context(), id, n); reasonOf(err) != kabar.ReasonInvalid {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestNoSecretEndsUnasked: more than four do not sign at a time, and none makes room for another before its overlap is over.
func TestNoSecretEndsUnasked(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		d := newDesk(t, s)
		id := d.add(endpoint.Wanted{Number: s.A.ID}).First().ID
		for range 3 {
			if _, _, err := d.Rotate(t.Context(), id, endpoint.NewSecret{Overlap: 24 * time.Hour}); err != nil {
				t.Fatal(err)
			}
			d.now = d.now.Add(time.Hour)
		}
		g, err := d.Get(t.Context(), id)
		if err != nil || len(g.First().Signing(d.now)) != 4 {
			t.Fatalf("%d secrets sign, want 4; %v", len(g.First().Signing(d.now)), err)
		}
		was := g.First().Secrets
		_, _, err = d.Rotate(t.Context(), id, endpoint.NewSecret{Overlap: 24 * time.Hour})
		if reasonOf(err) != kabar.ReasonEndpointState || !strings.Contains(err.Error(), "5 that sign, and 4 may") || !strings.Contains(err.Error(), was[3].Until.UTC().Format(time.RFC3339)) {
			t.Errorf("a fifth: %v; the first ends at %v", err, was[3].Until)
		}
		if g, err = d.Get(t.Context(), id); err != nil || !slices.Equal(g.First().Secrets, was) {
			t.Errorf("what was refused has changed the secrets: %v", err)
		}
		if g, _, err = d.Rotate(t.Context(), id, endpoint.NewSecret{}); err != nil || len(g.First().Signing(d.now)) != 1 {
			t.Errorf("without overlap %d secrets sign, %v", len(g.First().Signing(d.now)), err)
		}
	})
}
