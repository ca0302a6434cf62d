package e2ee

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// RFC 7748, section 6.1.
func TestX25519Vector(t *testing.T) {
	priv := unhex(t, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
	pub := unhex(t, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
	want := unhex(t, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
	pair := keyPair{priv: [32]byte(priv)}
	if got, err := pair.agree(pub); err != nil || !bytes.Equal(got, want) {
		t.Errorf("agree = %x, %v", got, err)
	}
}

// RFC 5869, test case 1.
func TestHKDFVector(t *testing.T) {
	got := derive(bytes.Repeat([]byte{0x0b}, 22), unhex(t, "000102030405060708090a0b0c"),
		string(unhex(t, "f0f1f2f3f4f5f6f7f8f9")), 42)
	want := unhex(t, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
	if !bytes.Equal(got, want) {
		t.Errorf("derive = %x", got)
	}
}

// smallOrder are points whose product with any scalar is zero.
var smallOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// A zero agreement fails the operation wherever a peer can bring it in.
func TestZeroAgreementIsRefused(t *testing.T) {
	alice, bob := newDevice(t, "alice", fixed("a")), newDevice(t, "bob", fixed("b"))
	for _, point := range smallOrder {
		zero := unhex(t, point)
		if _, err := agree(alice.id.dh, zero); err == nil {
			t.Fatalf("agree with %s succeeded", point)
		}
		once := bob.bundle(true)
		once.OneTime.Key = zero
		signed := bob.bundle(true)
		signed.Signed.Key = zero
		signed.Signed.Sig, _ = bob.id.signContext(contextSigned, signedContent(signed.Signed.ID, zero))
		for name, b := range map[string]*Bundle{
			"one-time key": once, "signed prekey": signed, "identity": zeroIdentity(bob, zero),
		} {
			_, err := Initiate(alice.id, alice.addr, bob.addr, b, nil, epoch)
			if !errors.Is(err, ErrMalformed) || errors.Is(err, ErrBadSignature) {
				t.Errorf("small-order %s: %v", name, err)
			}
		}
		refuseEphemeral(t, alice, bob, zero)
	}
}

// zeroIdentity is the bundle of a peer who signed a small-order identity.
func zeroIdentity(d *device, zero []byte) *Bundle {
	b := d.bundle(true)
	b.Identity.DH = zero
	b.Identity.Sig, _ = d.id.signContext(contextIdentity, zero)
	return b
}

func refuseEphemeral(t *testing.T, alice, bob *device, zero []byte) {
	t.Helper()
	alice.peer = nil
	alice.initiate(bob, true, epoch)
	copy(alice.peer.sessions[0].handshake[publicIdentitySize+12:], zero)
	bob.refuse(alice, alice.send("x", epoch), ErrMalformed, epoch)
}

// A malicious peer who sends a small-order ratchet key gains nothing.
func TestZeroRatchetIsRefused(t *testing.T) {
	alice, bob := pair(t, "zero ratchet")
	bob.expect(alice, alice.send("x", epoch), "x", epoch)
	s := alice.peer.sessions[0].clone()
	s.send.pair.pub = [32]byte{}
	s.send.begun++
	msg, err := s.encrypt(alice.rnd, []byte("x"), epoch.Unix())
	alice.must(err)
	bob.send("a reply, so that there is a key to agree with", epoch)
	bob.refuse(alice, msg, ErrUndecryptable, epoch)
}

func TestBundleSignatures(t *testing.T) {
	alice, bob := newDevice(t, "alice", fixed("a")), newDevice(t, "bob", fixed("b"))
	for name, spoil := range map[string]func(b *Bundle){
		"signed prekey":      func(b *Bundle) { b.Signed.Key[0] ^= 1 },
		"signed prekey id":   func(b *Bundle) { b.Signed.ID++ },
		"signed prekey sig":  func(b *Bundle) { b.Signed.Sig[5] ^= 1 },
		"kem key":            func(b *Bundle) { b.KEM.Key[100] ^= 1 },
		"kem id":             func(b *Bundle) { b.KEM.ID++ },
		"kem last resort":    func(b *Bundle) { b.KEM.OneTime = !b.KEM.OneTime },
		"identity dh":        func(b *Bundle) { b.Identity.DH[0] ^= 1 },
		"identity sig":       func(b *Bundle) { b.Identity.Sig[0] ^= 1 },
		"another's identity": func(b *Bundle) { b.Identity = alice.id.Public() },
	} {
		b := bob.bundle(true)
		spoil(b)
		if _, err := Initiate(alice.id, alice.addr, bob.addr, b, nil, epoch); !errors.Is(err, ErrBadSignature) {
			t.Errorf("%s: %v, want ErrBadSignature", name, err)
		}
	}
	for name, spoil := range map[string]func(b *Bundle){
		"short key":   func(b *Bundle) { b.Signed.Key = b.Signed.Key[:31] },
		"no identity": func(b *Bundle) { b.Identity = PublicIdentity{} },
		"no kem":      func(b *Bundle) { b.KEM = PublicKEMPreKey{} },
		"zero id":     func(b *Bundle) { b.OneTime.ID = 0 },
	} {
		b := bob.bundle(true)
		spoil(b)
		if err := b.Verify(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: Verify = %v, want ErrMalformed", name, err)
		}
		if _, err := b.MarshalBinary(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: MarshalBinary = %v, want ErrMalformed", name, err)
		}
	}
}

// A one-time key that the directory swapped is not signed, but the handshake does not come out.
func TestSwappedOneTimeKey(t *testing.T) {
	alice, bob := newDevice(t, "alice", fixed("a")), newDevice(t, "bob", fixed("b"))
	b := bob.bundle(true)
	other, err := GenerateOneTimePreKeys(77)
	bob.must(err)
	b.OneTime.Key = other[0].Public().Key
	alice.peer, err = Initiate(alice.id, alice.addr, bob.addr, b, nil, epoch)
	alice.must(err)
	bob.refuse(alice, alice.send("x", epoch), ErrUndecryptable, epoch)
	if len(bob.keys.OneTime) != 1 {
		t.Error("a failed handshake used up a key")
	}
}

// Someone with an agreement key of his own cannot speak under another's signature key.
func TestBorrowedSignatureKey(t *testing.T) {
	alice, bob, mallory := newDevice(t, "alice", fixed("a")), newDevice(t, "bob", fixed("b")), newDevice(t, "alice", fixed("m"))
	mallory.id.public.Sign = alice.id.Public().Sign
	mallory.initiate(bob, true, epoch)
	bob.refuse(mallory, mallory.send("I am alice", epoch), ErrBadSignature, epoch)
	mallory.id.public.Sig = alice.id.Public().Sig
	mallory.peer = nil
	mallory.initiate(bob, true, epoch)
	bob.refuse(mallory, mallory.send("I am alice", epoch), ErrBadSignature, epoch)
}

// A message opens only between the two addresses it was made for.
func TestAddressesAreBound(t *testing.T) {
	alice, bob := newDevice(t, "alice", fixed("a")), newDevice(t, "bob", fixed("b"))
	alice.initiate(bob, true, epoch)
	msg := alice.send("x", epoch)
	for name, address := range map[string][2]Address{
		"other device of mine":    {{bob.addr.Account, 2}, alice.addr},
		"other account of mine":   {{"bobby", 1}, alice.addr},
		"other device of hers":    {bob.addr, {alice.addr.Account, 2}},
		"other account of hers":   {bob.addr, {"alicia", 1}},
		"the addresses exchanged": {alice.addr, bob.addr},
	} {
		_, _, _, err := Decrypt(bob.id, address[0], address[1], nil, msg, bob.keys, epoch)
		if !errors.Is(err, ErrUndecryptable) {
			t.Errorf("%s: %v, want ErrUndecryptable", name, err)
		}
	}
	bob.expect(alice, msg, "x", epoch)
}

// Every part of the agreement moves the transcript, which is in every key and every message's associated data.
func TestTranscriptBindsEverything(t *testing.T) {
	alice, bob := newDevice(t, "alice", fixed("a")), newDevice(t, "bob", fixed("b"))
	fresh := func() *agreement {
		b := bob.bundle(true)
		b.KEM.ID, b.OneTime.ID = 9, 9
		return &agreement{
			initiator: alice.addr, responder: bob.addr, initiatorKeys: alice.id.Public(), responderKeys: b.Identity,
			signed: b.Signed, kem: PublicKEMPreKey{ID: 9, OneTime: true, Key: make([]byte, 1184)},
			oneTime: &PublicOneTimePreKey{ID: 9, Key: make([]byte, 32)}, ephemeral: make([]byte, 32), ciphertext: make([]byte, 1088),
		}
	}
	seen := map[[32]byte]string{fresh().transcript(): "nothing changed"}
	for name, change := range map[string]func(a *agreement){
		"initiator account":  func(a *agreement) { a.initiator.Account += "x" },
		"initiator device":   func(a *agreement) { a.initiator.Device++ },
		"responder account":  func(a *agreement) { a.responder.Account += "x" },
		"responder device":   func(a *agreement) { a.responder.Device++ },
		"initiator sign key": func(a *agreement) { a.initiatorKeys.Sign[0] ^= 1 },
		"initiator dh key":   func(a *agreement) { a.initiatorKeys.DH[0] ^= 1 },
		"responder sign key": func(a *agreement) { a.responderKeys.Sign[0] ^= 1 },
		"responder dh key":   func(a *agreement) { a.responderKeys.DH[0] ^= 1 },
		"signed id":          func(a *agreement) { a.signed.ID++ },
		"signed key":         func(a *agreement) { a.signed.Key[0] ^= 1 },
		"kem id":             func(a *agreement) { a.kem.ID++ },
		"kem key":            func(a *agreement) { a.kem.Key[0] ^= 1 },
		"kem one-time":       func(a *agreement) { a.kem.OneTime = false },
		"one-time id":        func(a *agreement) { a.oneTime.ID++ },
		"one-time key":       func(a *agreement) { a.oneTime.Key[0] ^= 1 },
		"no one-time key":    func(a *agreement) { a.oneTime = nil },
		"ephemeral":          func(a *agreement) { a.ephemeral[0] ^= 1 },
		"ciphertext":         func(a *agreement) { a.ciphertext[0] ^= 1 },
	} {
		a := fresh()
		change(a)
		if other, dup := seen[a.transcript()]; dup {
			t.Errorf("%s: same transcript as with %s", name, other)
		}
		seen[a.transcript()] = name
	}
}

// What a device signs for others can never serve as a prekey signature.
func TestSignIsSeparated(t *testing.T) {
	bob := newDevice(t, "bob", fixed("b"))
	b := bob.bundle(true)
	content := signedContent(b.Signed.ID, b.Signed.Key)
	sig := bob.id.Sign(content)
	if !ed25519.Verify(bob.id.Public().Sign, content, sig) {
		t.Fatal("Sign is not plain Ed25519")
	}
	b.Signed.Sig = sig
	if err := b.Verify(); !errors.Is(err, ErrBadSignature) {
		t.Fatalf("a plain signature passed for a prekey's: %v", err)
	}
}

// storeError is a database that fails.
type storeError struct{ PreKeys }

var errDisk = errors.New("disk on fire")

func (storeError) KEMPreKey(uint32) (*KEMPreKey, error) { return nil, errDisk }

// A failing store is reported as itself: the message is not to be given up for it.
func TestStoreErrorsPass(t *testing.T) {
	alice, bob := newDevice(t, "alice", fixed("a")), newDevice(t, "bob", fixed("b"))
	alice.initiate(bob, true, epoch)
	msg := alice.send("x", epoch)
	_, _, _, err := Decrypt(bob.id, bob.addr, alice.addr, nil, msg, storeError{bob.keys}, epoch)
	if !errors.Is(err, errDisk) || errors.Is(err, ErrUndecryptable) {
		t.Errorf("Decrypt with a failing store = %v", err)
	}
	_, _, _, err = Decrypt(bob.id, bob.addr, alice.addr, nil, msg, PreKeys{}, epoch)
	if !errors.Is(err, ErrUnknownPreKey) || !errors.Is(err, ErrUndecryptable) {
		t.Errorf("Decrypt with an empty store = %v", err)
	}
}

func TestZeroIDsAreReserved(t *testing.T) {
	bob := newDevice(t, "bob", fixed("b"))
	_, errSigned := GenerateSignedPreKey(bob.id, 0, epoch)
	_, errKEM := GenerateKEMPreKey(bob.id, 0, true, epoch)
	_, errOnce := GenerateOneTimePreKeys(1, 0)
	if errSigned == nil || errKEM == nil || errOnce == nil {
		t.Error("a prekey with id 0 was made")
	}
}
