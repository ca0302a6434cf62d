package auth

import (
	"errors"
	"net/netip"
	"testing"

	"kabar"
)

func TestPIN(t *testing.T) {
	e := newEnv(t)
	for _, pin := range []string{"", "12345", "1234567", "12345a", "１２３４５６"} {
		_, err := e.HashPIN(t.Context(), pin)
		wantReason(t, err, kabar.ReasonInvalid)
	}
	hash, err := e.HashPIN(t.Context(), "482913")
	wantReason(t, err, "")
	from := netip.MustParseAddr("192.0.2.7")
	wantReason(t, e.CheckPIN(t.Context(), e.a.ID, "482913", hash, from), "")
	var refused *kabar.Error
	for i := 0; refused == nil || refused.After == 0; i++ {
		if i > 10 {
			t.Fatal("PINs can be guessed for ever")
		}
		if !errors.As(e.CheckPIN(t.Context(), e.a.ID, "000000", hash, from), &refused) || refused.Reason != kabar.ReasonDenied {
			t.Fatalf("%v", refused)
		}
	}
	wantReason(t, e.CheckPIN(t.Context(), e.a.ID, "482913", hash, from), kabar.ReasonDenied)
	e.clock.advance(longestWait)
	wantReason(t, e.CheckPIN(t.Context(), e.a.ID, "482913", hash, from), "")
}
