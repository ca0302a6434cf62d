package msgid_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kabar/internal/msgid"
)

func TestWamid(t *testing.T) {
	const want = "wamid.HBgLMTU1NTAwMDExMTEVAgARGBIwMTAyMDMwNDA1MDYwNzA4MDkA"
	got := msgid.EncodeWamid(true, "15550001111", []byte{1, 2, 3, 4, 5, 6, 7, 8, 9})
	if got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	plain, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(got, "wamid."))
	if err != nil || string(plain) != "\x1c\x18\x0b15550001111\x15\x02\x00\x11\x18\x12010203040506070809\x00" {
		t.Fatalf("%q, %v", plain, err)
	}
}

func TestWamidComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		outbound := rapid.Bool().Draw(t, "outbound")
		lengths := []int{msgid.InboundLen, msgid.ForeignLen}
		if outbound {
			lengths = []int{msgid.OutboundLen}
		}
		n := rapid.SampledFrom(lengths).Draw(t, "length")
		stanza := rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "stanza")
		digits := rapid.StringMatching(`[1-9][0-9]{0,14}`).Draw(t, "digits")
		id := msgid.EncodeWamid(outbound, digits, stanza)
		out, d, s, err := msgid.DecodeWamid(id)
		if err != nil || out != outbound || d != digits || !bytes.Equal(s, stanza) {
			t.Fatalf("%s: %v %s %x, %v", id, out, d, s, err)
		}
	})
}

func FuzzDecodeWamid(f *testing.F) {
	f.Add("wamid.HBgLMTU1NTAwMDExMTEVAgARGBIwMTAyMDMwNDA1MDYwNzA4MDkA")
	f.Add("wamid.HBgLMTU1NTAwMDExMTEVAgASGBQwMTAxMDMwNDA1MDYwNzA4MDkwQQA=")
	f.Add("wamid.")
	f.Add("wamid.HBj/")
	f.Fuzz(func(t *testing.T, id string) {
		out, digits, stanza, err := msgid.DecodeWamid(id)
		if err != nil {
			if !errors.Is(err, msgid.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		if again := msgid.EncodeWamid(out, digits, stanza); again != id {
			t.Fatalf("%s is also %s", id, again)
		}
	})
}
