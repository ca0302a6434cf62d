package secrets

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// The ID stands in stores and in the names of files: it must never change, and must tell keys apart.
func TestKeyID(t *testing.T) {
	a, b := fixedKey(1), fixedKey(2)
	if a.ID() != "0369a9d834070f9f" || a.ID() == b.ID() || a.ID() != fixedKey(1).ID() {
		t.Errorf("IDs are %s and %s", a.ID(), b.ID())
	}
	if raw := hex.EncodeToString(bytes.Repeat([]byte{1}, 8)); a.ID() == raw {
		t.Error("the ID is the key's own beginning")
	}
	if id := (Key{}).ID(); id != "" {
		t.Errorf("the zero Key has the ID %q", id)
	}
}
