package relayserver

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"kabar/internal/relayproto"
)

func TestTickets(t *testing.T) {
	key, now := make([]byte, 32), time.UnixMilli(1_700_000_000_000)
	want := newTicket(7, &relayproto.AskTicket{Size: 123, Sha256: make([]byte, 32)}, now)
	token := want.token(key)
	if got, err := parseTicket(token, key, now.Add(ticketFor-time.Millisecond)); err != nil || got.id != want.id ||
		got.owner != 7 || got.size != 123 || got.sum != want.sum || !relayproto.ValidBlobID(got.id) {
		t.Fatalf("parsed %+v, %v; want %+v", got, err, want)
	}
	if _, err := parseTicket(token, key, now.Add(ticketFor)); !errors.Is(err, errTicket) {
		t.Errorf("an old one: %v", err)
	}
	if _, err := parseTicket(token, []byte("another"), now); !errors.Is(err, errTicket) {
		t.Errorf("of another relay: %v", err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] ^= 1
		if _, err := parseTicket(base64.RawURLEncoding.EncodeToString(raw), key, now); !errors.Is(err, errTicket) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		raw[i] ^= 1
	}
}

// FuzzTicket: no bytes are a ticket without the key, and none is a panic.
func FuzzTicket(f *testing.F) {
	f.Add("")
	f.Add("AAAA")
	f.Add(newTicket(1, &relayproto.AskTicket{Sha256: make([]byte, 32)}, time.Now()).token([]byte("another key")))
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := parseTicket(token, []byte("key"), time.Now()); err == nil {
			t.Fatal("forged")
		}
	})
}
