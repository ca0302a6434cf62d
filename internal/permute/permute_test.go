package permute_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"kabar/internal/permute"
)

func TestRevealUndoesHide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := permute.New(rapid.SliceOfN(rapid.Byte(), permute.KeySize, permute.KeySize).Draw(t, "key"))
		if err != nil {
			t.Fatal(err)
		}
		key := rapid.Uint64().Draw(t, "n")
		if got := p.Reveal(p.Hide(key)); got != key {
			t.Fatalf("Reveal(Hide(%d)) = %d", key, got)
		}
	})
}

// TestKnownIDs pins the mapping: a change would orphan every id that was ever handed out.
func TestKnownIDs(t *testing.T) {
	p, err := permute.New(bytes.Repeat([]byte{7}, permute.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[uint64]uint64{0: 0xb37e3c4feedb66b, 1: 0x567b51b6aceb70c3, 1 << 40: 0x3610b38ef2cc42c6} {
		if got := p.Hide(key); got != want {
			t.Errorf("Hide(%d) = %#x, want %#x", key, got, want)
		}
	}
}

func TestNeighboursShareNothing(t *testing.T) {
	p, err := permute.New(permute.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[uint64]bool{}
	for key := range uint64(10_000) {
		ref := p.Hide(key)
		if seen[ref>>20] {
			t.Fatalf("the ids of neighbouring keys share their upper 44 bits: %#x", ref)
		}
		seen[ref>>20] = true
	}
}

func TestAKeyOfTheWrongLengthIsRefused(t *testing.T) {
	for _, n := range []int{0, 15, 17, 32} {
		if _, err := permute.New(make([]byte, n)); err == nil {
			t.Errorf("a key of %d bytes was taken", n)
		}
	}
}
