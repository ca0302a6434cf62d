package prekeys_test

import (
	"testing"
	"time"

	"kabar/internal/e2ee"
	"kabar/internal/prekeys"
	"kabar/internal/relayclient"
)

// published returns a bundle as the relay would hand it out, with and without a one-time key.
func published(t *testing.T, oneTime bool) *relayclient.Bundle {
	t.Helper()
	now := time.Unix(1_900_000_000, 0)
	id, err := e2ee.GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := e2ee.GenerateSignedPreKey(id, 1, now)
	if err != nil {
		t.Fatal(err)
	}
	kem, err := e2ee.GenerateKEMPreKey(id, 2, oneTime, now)
	if err != nil {
		t.Fatal(err)
	}
	b := &relayclient.Bundle{Identity: prekeys.Identity(id.Public()), Signed: prekeys.Signed(signed), KEM: prekeys.KEM(kem), KEMLastResort: !oneTime}
	if oneTime {
		keys, err := e2ee.GenerateOneTimePreKeys(3)
		if err != nil {
			t.Fatal(err)
		}
		k := prekeys.OneTime(keys[0])
		b.OneTime = &k
	}
	return b
}

func TestAPublishedBundleIsReadBackAndItsSignaturesHold(t *testing.T) {
	for _, oneTime := range []bool{true, false} {
		b, err := prekeys.Bundle(published(t, oneTime))
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Verify(); err != nil {
			t.Errorf("one-time %v: %v", oneTime, err)
		}
		if (b.OneTime != nil) != oneTime || b.KEM.OneTime != oneTime {
			t.Errorf("one-time %v: read as %v and %v", oneTime, b.OneTime != nil, b.KEM.OneTime)
		}
	}
}

func TestWrongLengthsAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*relayclient.Bundle){
		"identity": func(b *relayclient.Bundle) { b.Identity = b.Identity[1:] },
		"signed":   func(b *relayclient.Bundle) { b.Signed.Key = append(b.Signed.Key, 0) },
		"kem":      func(b *relayclient.Bundle) { b.KEM.Key = nil },
		"one-time": func(b *relayclient.Bundle) { b.OneTime.Key = b.OneTime.Key[:31] },
	} {
		b := published(t, true)
		spoil(b)
		if _, err := prekeys.Bundle(b); err == nil {
			t.Errorf("a bundle with a spoiled %s key was read", name)
		}
	}
}
