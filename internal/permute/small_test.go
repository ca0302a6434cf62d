package permute_test

import (
	"bytes"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"kabar/internal/permute"
)

func TestSmallNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := permute.New(rapid.SliceOfN(rapid.Byte(), permute.KeySize, permute.KeySize).Draw(t, "key"))
		if err != nil {
			t.Fatal(err)
		}
		key := rapid.Uint64Range(0, 1<<52-1).Draw(t, "n")
		id := p.HideSmall(key)
		if got, ok := p.RevealSmall(id); !ok || got != key {
			t.Fatalf("RevealSmall(%d) = %d, %v; want %d", id, got, ok, key)
		}
		if n := len(strconv.FormatUint(id, 10)); n != 15 && n != 16 || id >= 1<<53 {
			t.Fatalf("%d is shown as %d", key, id)
		}
	})
}

// TestKnownSmallIDs pins the mapping: a change would orphan every id that was ever handed out.
func TestKnownSmallIDs(t *testing.T) {
	p, err := permute.New(bytes.Repeat([]byte{7}, permute.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[uint64]uint64{0: 990802823821473, 1: 1739434404944110, 1 << 40: 3322678064595298, 1<<52 - 1: 741747687941338, 1 << 52: 0} {
		if got := p.HideSmall(key); got != want {
			t.Errorf("HideSmall(%d) = %d, want %d", key, got, want)
		}
	}
	for _, id := range []uint64{0, 1e14 - 1, 1e14 + 1<<52, 1 << 63} {
		if key, ok := p.RevealSmall(id); ok {
			t.Errorf("%d is the number of %d", id, key)
		}
	}
}
