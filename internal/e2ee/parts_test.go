package e2ee

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestBuckets(t *testing.T) {
	for _, c := range [][2]int{ // plaintext, padded
		{0, 16}, {15, 16}, {16, 64}, {63, 64}, {64, 160}, {159, 160}, {160, 320}, {1599, 1600}, {1600, 3200},
		{3199, 3200}, {3200, 4800}, {MaxPlaintext, maxPadded},
	} {
		if got := len(pad(make([]byte, c[0]))); got != c[1] {
			t.Errorf("%d bytes padded to %d, want %d", c[0], got, c[1])
		}
	}
}

func TestPadding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOfN(rapid.Byte(), 0, 4000).Draw(t, "plain")
		padded := pad(plain)
		if !isBucket(len(padded)) {
			t.Fatalf("%d is no bucket", len(padded))
		}
		if got, ok := unpad(padded); !ok || !bytes.Equal(got, plain) {
			t.Fatalf("unpad(pad(x)) = %x, %v", got, ok)
		}
	})
	for name, padded := range map[string][]byte{
		"nothing": {}, "zeros": make([]byte, 16), "no marker": bytes.Repeat([]byte{1}, 16),
		"bucket too large": append(pad([]byte("x")), make([]byte, 48)...),
		"marker not first": append(bytes.Repeat([]byte{0x80}, 15), 0x81),
	} {
		if _, ok := unpad(padded); ok {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Skipped keys come out by place whatever is asked for, and what was given up is told from what was used.
func TestSkippedKeyBookkeeping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &session{}
		stored, used := map[place]bool{}, map[place]bool{}
		var last place
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "store") {
				last = place{last.chain, last.number + 1}
				if rapid.IntRange(0, 9).Draw(t, "chain") == 0 {
					last = place{last.chain + 1, 1}
				}
				s.store(last, [32]byte{byte(last.number), byte(last.chain)}, 0)
				stored[last] = true
				continue
			}
			at := place{rapid.Uint32Range(0, last.chain).Draw(t, "c"), rapid.Uint32Range(1, 50).Draw(t, "n")}
			key, err := s.skippedKey(at)
			switch {
			case err == nil && (!stored[at] || used[at] || key != [32]byte{byte(at.number), byte(at.chain)}):
				t.Fatalf("%v: a wrong key", at)
			case errors.Is(err, ErrDuplicate) && stored[at] && !used[at]:
				t.Fatalf("%v: given up, yet reported as used", at)
			case err != nil && stored[at] && !used[at] && at.compare(s.dropped) > 0:
				t.Fatalf("%v: lost", at)
			}
			used[at] = used[at] || err == nil
			if len(s.skipped) > maxSkipped {
				t.Fatalf("%d stored", len(s.skipped))
			}
		}
	})
}

func TestIdentity(t *testing.T) {
	id, err := GenerateIdentity()
	if err != nil {
		t.Fatal(err)
	}
	row, _ := id.MarshalBinary()
	again, err := UnmarshalIdentity(row)
	if err != nil || !again.Public().Equal(id.Public()) || again.Public().Fingerprint() != id.Public().Fingerprint() {
		t.Fatalf("identity does not survive its row: %v", err)
	}
	if err := again.Public().Verify(); err != nil {
		t.Error(err)
	}
	if !ed25519.Verify(id.Public().Sign, []byte("challenge"), again.Sign([]byte("challenge"))) {
		t.Error("Sign does not verify")
	}
	other, _ := GenerateIdentity()
	if other.Public().Equal(id.Public()) || other.Public().Fingerprint() == id.Public().Fingerprint() {
		t.Error("two identities look alike")
	}
	pub := id.Public()
	pub.DH = other.Public().DH
	if err := pub.Verify(); !errors.Is(err, ErrBadSignature) {
		t.Errorf("another's DH key: %v, want ErrBadSignature", err)
	}
	if err := (PublicIdentity{}).Verify(); !errors.Is(err, ErrMalformed) {
		t.Errorf("empty identity: %v, want ErrMalformed", err)
	}
	if _, err := (*Peer)(nil).Pin(pub); !errors.Is(err, ErrBadSignature) {
		t.Errorf("Pin of a bad identity: %v, want ErrBadSignature", err)
	}
}

func TestSafetyNumber(t *testing.T) {
	alice, bob := newDevice(t, "alice", fixed("a")).id.Public(), newDevice(t, "bob", fixed("b")).id.Public()
	number := SafetyNumber(alice, "alice", bob, "bob")
	if len(number) != 60 || strings.Trim(number, "0123456789") != "" {
		t.Fatalf("%q is not 60 digits", number)
	}
	if number != SafetyNumber(bob, "bob", alice, "alice") {
		t.Error("the two sides see different numbers")
	}
	mallory := newDevice(t, "mallory", fixed("m")).id.Public()
	onlyDH := alice.clone()
	onlyDH.DH = mallory.DH
	for name, other := range map[string]string{
		"identity": SafetyNumber(mallory, "alice", bob, "bob"),
		"dh key":   SafetyNumber(onlyDH, "alice", bob, "bob"),
		"id":       SafetyNumber(alice, "alicia", bob, "bob"),
	} {
		if other == number {
			t.Errorf("another %s, the same number", name)
		}
	}
}
