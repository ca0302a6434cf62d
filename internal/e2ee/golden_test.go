package e2ee

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

var update = flag.Bool("update", false, "rewrite testdata/session.golden")

// TestGolden pins every byte that another implementation, an older row or a peer of another version must agree on.
func TestGolden(t *testing.T) {
	var out strings.Builder
	line := func(name string, value []byte) { fmt.Fprintf(&out, "%s %x\n", name, value) }
	binaryOf := func(v encoding.BinaryMarshaler) []byte {
		b, err := v.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	alice, bob := newDevice(t, "alice", fixed("golden alice")), newDevice(t, "bob", fixed("golden bob"))
	bundle := bob.bundle(true)
	line("alice-identity", binaryOf(alice.id))
	line("bob-identity", binaryOf(bob.id))
	line("bob-signed-prekey", binaryOf(bob.keys.Signed[0]))
	line("bob-last-resort-kem", binaryOf(bob.keys.KEM[0]))
	line("bob-one-time-kem", binaryOf(bob.keys.KEM[1]))
	line("bob-one-time-prekey", binaryOf(bob.keys.OneTime[0]))
	line("bob-bundle", binaryOf(bundle))
	var err error
	alice.peer, err = initiatePeer(alice.rnd, alice.id, alice.addr, bob.addr, bundle, nil, epoch)
	alice.must(err)
	line("alice-row-unanswered", binaryOf(alice.peer))
	talk := func(name string, from, to *device, text string) {
		msg := from.send(text, epoch)
		line(name, msg)
		to.expect(from, msg, text, epoch)
	}
	talk("alice-first", alice, bob, "first")
	talk("alice-second", alice, bob, strings.Repeat("s", 64))
	talk("bob-answer", bob, alice, "answer")
	alice.send("skipped", epoch)
	talk("alice-steady", alice, bob, "steady")
	line("alice-signal", alice.signal("typing", epoch.Add(time.Microsecond)))
	line("alice-row", binaryOf(alice.peer))
	line("bob-row", binaryOf(bob.peer))
	fmt.Fprintf(&out, "safety-number %s\n", SafetyNumber(alice.id.Public(), "alice", bob.id.Public(), "bob"))
	compareGolden(t, out.String())
}

func compareGolden(t *testing.T, got string) {
	t.Helper()
	const file = "testdata/session.golden"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wantLines := strings.Split(string(want), "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(wantLines) || wantLines[i] != line {
			name, _, _ := strings.Cut(line, " ")
			t.Fatalf("%s differs: a peer or a row of the released format would not be understood", name)
		}
	}
}

// TestHandshakeByHand opens a first message as docs/encryption.md describes it, with nothing of this package's own
// derivations: PQXDH, the first ratchet step, the chain, the salted message key, the header check and the associated data.
func TestHandshakeByHand(t *testing.T) {
	alice, bob := newDevice(t, "alice", fixed("a")), newDevice(t, "bob", fixed("b"))
	alice.initiate(bob, true, epoch)
	alice.send("zero", epoch)
	msg := alice.send("by hand", epoch)

	// The layout of a handshake message.
	field := func(from, n int) []byte { return msg[from : from+n] }
	aliceSign, aliceDH := field(2, 32), field(34, 32)
	signedID, kemID, onceID := field(130, 4), field(134, 4), field(138, 4)
	ephemeral, ciphertext := field(142, 32), field(174, 1088)
	ratchet, number, salt := field(1262, 32), field(1298, 4), field(1306, 16)
	check, header, body := field(1322, 8), msg[:1330], msg[1330:]
	if len(body) != 16+16 || binary.BigEndian.Uint32(number) != 1 {
		t.Fatalf("unexpected layout: body of %d bytes, number %x", len(body), number)
	}

	dh := func(priv *ecdh.PrivateKey, pub []byte) []byte {
		key, err := ecdh.X25519().NewPublicKey(pub)
		bob.must(err)
		secret, err := priv.ECDH(key)
		bob.must(err)
		return secret
	}
	signed, kem, once := bob.keys.Signed[0], bob.keys.KEM[1], bob.keys.OneTime[0]
	shared, err := kem.key.Decapsulate(ciphertext)
	bob.must(err)
	address := func(name string) []byte {
		return bytes.Join([][]byte{{0, 0, 0, byte(len(name))}, []byte(name), {0, 0, 0, 1}}, nil)
	}
	transcript := sha256.Sum256(bytes.Join([][]byte{
		[]byte("kabar/e2ee/1 transcript"), address("alice"), address("bob"),
		aliceSign, aliceDH, bob.id.public.Sign, bob.id.public.DH,
		signedID, signed.key.PublicKey().Bytes(),
		kemID, {1}, kem.key.EncapsulationKey().Bytes(),
		{1}, onceID, once.key.PublicKey().Bytes(),
		ephemeral, ciphertext,
	}, nil))
	material := bytes.Join([][]byte{
		bytes.Repeat([]byte{0xff}, 32),
		dh(signed.key, aliceDH), dh(bob.id.dh, ephemeral), dh(signed.key, ephemeral), dh(once.key, ephemeral), shared,
	}, nil)
	key := func(secret, salt []byte, info string, n int) []byte {
		out, err := hkdf.Key(sha256.New, secret, salt, info, n)
		bob.must(err)
		return out
	}
	mac := func(key []byte, data ...byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(data)
		return h.Sum(nil)
	}
	first := key(material, make([]byte, 32), "kabar/e2ee/1 PQXDH X25519 ML-KEM-768 SHA-256"+string(transcript[:]), 64)
	root, auth := first[:32], first[32:]
	chain := key(dh(signed.key, ratchet), root, "kabar/e2ee/1 root", 64)[32:]
	messageKey := mac(mac(chain, 2), 1)
	headerKey, err := hkdf.Expand(sha256.New, auth, "kabar/e2ee/1 header from initiator", 32)
	bob.must(err)
	if !bytes.Equal(mac(headerKey, header[:1322]...)[:8], check) {
		t.Error("header check differs")
	}
	aead, err := chacha20poly1305.New(key(messageKey, salt, "kabar/e2ee/1 message", 32))
	bob.must(err)
	padded, err := aead.Open(nil, make([]byte, 12), body, append(transcript[:], header...))
	if err != nil || string(padded) != "by hand\x80\x00\x00\x00\x00\x00\x00\x00\x00" {
		t.Errorf("opened by hand: %q, %v", padded, err)
	}
}
