package msgid

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var (
	ours    = Stanza(0x0123456789abcdef, true)
	theirs  = Stanza(0x0123456789abcdef, false)
	foreign = bytes.Repeat([]byte{0xc4}, ForeignLen)
)

// The bytes are written out by hand from the contract's description of the layout.
func TestVectors(t *testing.T) {
	tests := []struct {
		name     string
		outbound bool
		digits   string
		stanza   []byte
		prefix   string
		hex      string
	}{
		{"outbound, 12 digits", true, "628110001234", ours, "gBEG", "801106" + "628110001234" + "0209" + "010123456789abcdef"},
		{"outbound, 11 digits", true, "34600111222", ours, "gBGG", "801186" + "34600111222f" + "0209" + "010123456789abcdef"},
		{"inbound, 12 digits", false, "628110001234", theirs, "ABEG", "001106" + "628110001234" + "020a" + "01010123456789abcdef"},
		{"inbound, 11 digits", false, "34600111222", theirs, "ABGG", "001186" + "34600111222f" + "020a" + "01010123456789abcdef"},
		{"a customer's stanza", false, "34600111222", foreign, "ABGG", "001186" + "34600111222f" + "0210" + strings.Repeat("c4", 16)},
		{"10 digits", true, "4930123456", ours, "gBEF", "801105" + "4930123456" + "0209" + "010123456789abcdef"},
		{"15 digits", true, "123456789012345", ours, "gBGI", "801188" + "123456789012345f" + "0209" + "010123456789abcdef"},
		{"one digit", true, "7", ours, "gBGB", "801181" + "7f" + "0209" + "010123456789abcdef"},
		{"leading zeros", true, "0012", ours, "gBEC", "801102" + "0012" + "0209" + "010123456789abcdef"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id := Encode(tt.outbound, tt.digits, tt.stanza)
			raw, err := base64.RawURLEncoding.DecodeString(id)
			if err != nil || hex.EncodeToString(raw) != tt.hex || !strings.HasPrefix(id, tt.prefix) {
				t.Errorf("Encode = %s (%x, %v), want %s (%s…)", id, raw, err, tt.hex, tt.prefix)
			}
			outbound, digits, stanza, err := Decode(id)
			if err != nil || outbound != tt.outbound || digits != tt.digits || !bytes.Equal(stanza, tt.stanza) {
				t.Errorf("Decode = %v %s %x %v", outbound, digits, stanza, err)
			}
		})
	}
}

// The contract gives 27 to 36 characters for numbers of the usual length.
func TestLength(t *testing.T) {
	for id, want := range map[string]int{
		Encode(true, "34600111222", ours):      27,
		Encode(true, "628110001234", ours):     27,
		Encode(false, "628110001234", theirs):  28,
		Encode(false, "628110001234", foreign): 36,
	} {
		if len(id) != want {
			t.Errorf("%s has %d characters, want %d", id, len(id), want)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	tests := []struct {
		name     string
		outbound bool
		digits   string
		stanza   []byte
	}{
		{"no digits", true, "", ours},
		{"16 digits", true, "1234567890123456", ours},
		{"plus sign", true, "+34600111222", ours},
		{"a letter", true, "3460011122x", ours},
		{"other digits", true, "٣٤", ours},
		{"no stanza", true, "34600111222", nil},
		{"inbound stanza outbound", true, "34600111222", theirs},
		{"outbound stanza inbound", false, "34600111222", ours},
		{"foreign stanza outbound", true, "34600111222", foreign},
		{"17 bytes", false, "34600111222", make([]byte, 17)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if id := Encode(tt.outbound, tt.digits, tt.stanza); id != "" {
				t.Errorf("Encode = %q, want none", id)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	raw := func(h string) string {
		b, err := hex.DecodeString(h)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	const out, in = "010123456789abcdef", "01010123456789abcdef"
	good := raw("801186" + "34600111222f" + "0209" + out)
	if _, _, _, err := Decode(good); err != nil {
		t.Fatalf("the good id is refused: %v", err)
	}
	tests := map[string]string{
		"empty":                        "",
		"a graph id":                   "wamid.HBgLMzQ2MDAxMTEyMjIVAgARGBI",
		"standard base64":              strings.NewReplacer("_", "/", "-", "+").Replace(raw("801186" + "34600111222f" + "0209" + strings.Repeat("ff", 9))),
		"padded base64":                good + "=",
		"a newline inside":             good[:9] + "\n" + good[9:],
		"a newline at the end":         good + "\n",
		"a space":                      " " + good,
		"one character less":           good[:len(good)-1],
		"one character more":           good + "A",
		"very long":                    strings.Repeat("gBGG", 1<<16),
		"unused bits set":              good[:len(good)-1] + string(good[len(good)-1]+1),
		"other direction":              raw("011186" + "34600111222f" + "0209" + out),
		"other peer tag":               raw("801286" + "34600111222f" + "0209" + out),
		"no digits":                    raw("801100" + "0209" + out),
		"no digits, odd":               raw("801180" + "0209" + out),
		"digits past the end":          raw("80117f" + "34600111222f" + "0209" + out),
		"padding without its mark":     raw("801106" + "34600111222f" + "0209" + out),
		"mark without padding":         raw("801186" + "346001112223" + "0209" + out),
		"padding of another value":     raw("801186" + "34600111222e" + "0209" + out),
		"padding in the middle":        raw("801186" + "346f0111222f" + "0209" + out),
		"a high nibble of 10":          raw("801186" + "a4600111222f" + "0209" + out),
		"16 digits":                    raw("801108" + "1234567890123456" + "0209" + out),
		"other stanza tag":             raw("801186" + "34600111222f" + "0309" + out),
		"stanza length too small":      raw("801186" + "34600111222f" + "0208" + out),
		"stanza length too big":        raw("801186" + "34600111222f" + "020a" + out),
		"no stanza":                    raw("801186" + "34600111222f" + "0200"),
		"nothing after the digits":     raw("801186" + "34600111222f"),
		"inbound length, outbound":     raw("801186" + "34600111222f" + "020a" + in),
		"outbound length, inbound":     raw("001186" + "34600111222f" + "0209" + out),
		"foreign length, outbound":     raw("801186" + "34600111222f" + "0210" + strings.Repeat("c4", 16)),
		"stanza of 11 bytes":           raw("001186" + "34600111222f" + "020b" + in + "00"),
		"nothing after the stanza tag": raw("801186" + "34600111222f" + "02"),
		"direction only":               raw("80"),
		"direction and peer tag":       raw("8011"),
		"bytes after the whole stanza": raw("801186" + "34600111222f" + "0209" + out + "00"),
	}
	for name, id := range tests {
		t.Run(name, func(t *testing.T) {
			outbound, digits, stanza, err := Decode(id)
			if !errors.Is(err, ErrMalformed) || outbound || digits != "" || stanza != nil {
				t.Errorf("Decode(%q) = %v %q %x %v, want ErrMalformed alone", id, outbound, digits, stanza, err)
			}
		})
	}
}

func TestRef(t *testing.T) {
	for _, ref := range []uint64{0, 1, 1 << 63, 1<<64 - 1, 0x0123456789abcdef} {
		for _, outbound := range []bool{true, false} {
			stanza := Stanza(ref, outbound)
			if want := map[bool]int{true: OutboundLen, false: InboundLen}[outbound]; len(stanza) != want {
				t.Errorf("Stanza(%d, %v) has %d bytes, want %d", ref, outbound, len(stanza), want)
			}
			if got, ok := Ref(stanza); !ok || got != ref {
				t.Errorf("Ref(Stanza(%d, %v)) = %d, %v", ref, outbound, got, ok)
			}
		}
	}
	for _, stanza := range [][]byte{
		nil, {1}, make([]byte, 7), make([]byte, 8), make([]byte, 9), make([]byte, 10), foreign,
		append([]byte{2}, make([]byte, 8)...), append([]byte{1, 2}, make([]byte, 8)...), append([]byte{1, 1, 1}, make([]byte, 8)...),
	} {
		if ref, ok := Ref(stanza); ok || ref != 0 {
			t.Errorf("Ref(%x) = %d, true; it is not ours", stanza, ref)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[0-9]{1,15}`).Draw(t, "digits")
		outbound := rapid.Bool().Draw(t, "outbound")
		n := OutboundLen
		if !outbound {
			n = rapid.SampledFrom([]int{InboundLen, ForeignLen}).Draw(t, "length")
		}
		stanza := rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "stanza")
		id := Encode(outbound, digits, stanza)
		gotOut, gotDigits, gotStanza, err := Decode(id)
		if err != nil || gotOut != outbound || gotDigits != digits || !bytes.Equal(gotStanza, stanza) {
			t.Fatalf("Decode(%q) = %v %s %x %v", id, gotOut, gotDigits, gotStanza, err)
		}
	})
}

// Whatever is accepted is the one way to write it.
func FuzzDecode(f *testing.F) {
	f.Add(Encode(true, "34600111222", ours))
	f.Add(Encode(true, "628110001234", ours))
	f.Add(Encode(false, "34600111222", theirs))
	f.Add(Encode(false, "1", foreign))
	f.Add("")
	f.Add("gBGG")
	f.Add("ABEG\n")
	f.Fuzz(func(t *testing.T, id string) {
		outbound, digits, stanza, err := Decode(id)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("Decode(%q): %v", id, err)
			}
			return
		}
		if again := Encode(outbound, digits, stanza); again != id {
			t.Fatalf("Decode(%q), encoded again, is %q", id, again)
		}
		Ref(stanza)
	})
}

// What the network calls a message is the stanza of an id, or of none.
func FuzzWire(f *testing.F) {
	for _, wire := range []string{"", "010000000000000042", "01010000000000000042", "0102030405060708090A0b0c0d0e0f10", "01", "no id of ours"} {
		f.Add(wire)
	}
	f.Fuzz(func(t *testing.T, wire string) {
		stanza, outbound, ok := Wire(wire)
		id := Encode(outbound, "34600111222", stanza)
		if ok != (id != "") {
			t.Fatalf("%q: ok is %v, the id %q", wire, ok, id)
		}
		if ok && !strings.EqualFold(hex.EncodeToString(stanza), wire) {
			t.Fatalf("%q is %x", wire, stanza)
		}
	})
}
