package relayproto_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"

	"kabar/internal/relayproto"
)

// TestLoginChallengeIsWhatTheSpecificationSays pins the bytes: devices written by others sign them, too.
func TestLoginChallengeIsWhatTheSpecificationSays(t *testing.T) {
	h := &relayproto.Hello{Relay: "kabar", Nonce: []byte{1, 2, 3}}
	got := relayproto.LoginChallenge(h, relayproto.Addr{Account: "628", Device: 1})
	want := hex.EncodeToString([]byte("kabar-relay/1 login\x00")) +
		"00000005" + hex.EncodeToString([]byte("kabar")) + "00000003010203" + "00000003" + hex.EncodeToString([]byte("628")) + "00000001"
	if hex.EncodeToString(got) != want {
		t.Fatalf("got  %x\nwant %s", got, want)
	}
}

// TestChallengesDiffer: no two different statements have the same bytes, and none is the beginning of another.
func TestChallengesDiffer(t *testing.T) {
	type statement struct {
		kind         int
		relay, nonce string
		addr         relayproto.Addr
		class        relayproto.Class
		key          string
	}
	text := rapid.StringMatching(`[ab]{0,3}`)
	draw := rapid.Custom(func(t *rapid.T) statement {
		s := statement{
			kind: rapid.IntRange(0, 2).Draw(t, "kind"), relay: text.Draw(t, "relay"), nonce: text.Draw(t, "nonce"),
			addr: relayproto.Addr{Account: text.Draw(t, "account"), Device: rapid.Uint32Range(0, 2).Draw(t, "device")},
		}
		if s.kind > 0 {
			s.class, s.key = relayproto.Class(rapid.IntRange(0, 2).Draw(t, "class")), text.Draw(t, "key")
		}
		return s
	})
	encode := func(s statement) []byte {
		h := &relayproto.Hello{Relay: s.relay, Nonce: []byte(s.nonce)}
		switch s.kind {
		case 0:
			return relayproto.LoginChallenge(h, s.addr)
		case 1:
			return relayproto.RegisterChallenge(h, s.addr, s.class, []byte(s.key))
		}
		return relayproto.ReplaceChallenge(h, s.addr, s.class, []byte(s.key))
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		if a != b && bytes.HasPrefix(encode(a), encode(b)) {
			t.Fatalf("%+v and %+v are signed alike", a, b)
		}
	})
}

func TestBlobIDs(t *testing.T) {
	good := "DFvRdSlR2D1pXDWsgJktgNc0eAaxi_NIsMQHMMtZf-c"
	for id, want := range map[string]bool{
		good: true, good[1:]: false, good + "A": false, "": false,
		"../../../../../../../../../../../etc/passwd"[:43]: false,
		"DFvRdSlR2D1pXDWsgJktgNc0eAaxi/NIsMQHMMtZfrc":      false,
		"DFvRdSlR2D1pXDWsgJktgNc0eAaxi.NIsMQHMMtZfrc":      false,
	} {
		if relayproto.ValidBlobID(id) != want {
			t.Errorf("ValidBlobID(%q) = %t", id, !want)
		}
	}
}
