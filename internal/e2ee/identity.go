package e2ee

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Ed25519ctx contexts (RFC 8032). A plain Ed25519 signature, as Sign makes, can never pass for one of these, so nobody who
// chooses what a device signs can obtain a signed prekey.
const (
	contextIdentity = "kabar/e2ee/1 identity"
	contextSigned   = "kabar/e2ee/1 signed prekey"
	contextKEM      = "kabar/e2ee/1 kem prekey"
)

const (
	publicIdentitySize = ed25519.PublicKeySize + 32 + ed25519.SignatureSize
	identitySize       = 1 + ed25519.SeedSize + 32
)

// Address names one device of one account. Both ends must use the same spelling: it is bound into every session.
type Address struct {
	Account string
	Device  uint32
}

// append writes the address unambiguously.
func (a Address) append(b []byte) []byte {
	b = appendU32(b, uint32(len(a.Account)))
	b = append(b, a.Account...)
	return appendU32(b, a.Device)
}

// Identity is a device's long-term private identity: an Ed25519 key that signs and an X25519 key that agrees.
type Identity struct {
	sign   ed25519.PrivateKey
	dh     *ecdh.PrivateKey
	public PublicIdentity
}

// GenerateIdentity makes a fresh identity.
func GenerateIdentity() (*Identity, error) { return generateIdentity(systemEntropy()) }

func generateIdentity(rnd entropy) (*Identity, error) {
	var seeds [64]byte
	if err := rnd.fill(seeds[:]); err != nil {
		return nil, err
	}
	return identityFrom(seeds[:32], seeds[32:])
}

func identityFrom(signSeed, dhKey []byte) (*Identity, error) {
	dh, err := ecdh.X25519().NewPrivateKey(dhKey)
	if err != nil {
		return nil, fmt.Errorf("e2ee: identity: %w", err)
	}
	id := &Identity{sign: ed25519.NewKeyFromSeed(signSeed), dh: dh}
	pub := dh.PublicKey().Bytes()
	sig, err := id.signContext(contextIdentity, pub)
	if err != nil {
		return nil, err
	}
	id.public = PublicIdentity{Sign: id.sign.Public().(ed25519.PublicKey), DH: pub, Sig: sig}
	return id, nil
}

// MarshalBinary returns the 65 secret bytes of the identity.
func (id *Identity) MarshalBinary() ([]byte, error) {
	b := append(make([]byte, 0, identitySize), protoVersion)
	b = append(b, id.sign.Seed()...)
	return append(b, id.dh.Bytes()...), nil
}

// UnmarshalIdentity reads what MarshalBinary wrote, or returns ErrMalformed.
func UnmarshalIdentity(data []byte) (*Identity, error) {
	r := reader{rest: data}
	r.version()
	seed, key := r.take(ed25519.SeedSize), r.take(32)
	if err := r.end("unmarshal identity"); err != nil {
		return nil, err
	}
	return identityFrom(seed, key)
}

// Public returns the half that others may see.
func (id *Identity) Public() PublicIdentity { return id.public.clone() }

// Sign makes a plain Ed25519 signature over msg, to prove to a relay, say, that the device is present. Anyone can check it
// with ed25519.Verify; it cannot be mistaken for the signature of a prekey.
func (id *Identity) Sign(msg []byte) []byte { return ed25519.Sign(id.sign, msg) }

func (id *Identity) signContext(context string, msg []byte) ([]byte, error) {
	sig, err := id.sign.Sign(nil, msg, &ed25519.Options{Context: context})
	if err != nil {
		return nil, fmt.Errorf("e2ee: sign: %w", err)
	}
	return sig, nil
}

// PublicIdentity is what a device shows of its identity: both public keys and the signature that ties them.
type PublicIdentity struct {
	Sign ed25519.PublicKey // 32 bytes
	DH   []byte            // X25519, 32 bytes
	Sig  []byte            // Ed25519ctx by Sign over DH, 64 bytes
}

// Verify checks lengths (ErrMalformed) and that Sign signed DH (ErrBadSignature).
func (p PublicIdentity) Verify() error {
	if len(p.Sign) != ed25519.PublicKeySize || len(p.DH) != 32 || len(p.Sig) != ed25519.SignatureSize {
		return fmt.Errorf("verify identity: %w", ErrMalformed)
	}
	return p.verifyContext(contextIdentity, p.DH, p.Sig)
}

// verifyContext checks a signature of this identity; Sign has its proper length by then.
func (p PublicIdentity) verifyContext(context string, msg, sig []byte) error {
	if err := ed25519.VerifyWithOptions(p.Sign, msg, sig, &ed25519.Options{Context: context}); err != nil {
		return fmt.Errorf("verify %s: %w", context, ErrBadSignature)
	}
	return nil
}

// Fingerprint is the hex SHA-256 of both public keys, for logs and comparison; people compare a SafetyNumber.
func (p PublicIdentity) Fingerprint() string {
	sum := sha256.Sum256(p.keys())
	return hex.EncodeToString(sum[:])
}

// Equal says whether both keys are the same. Signatures are not compared: they follow from the keys.
func (p PublicIdentity) Equal(q PublicIdentity) bool {
	return bytes.Equal(p.Sign, q.Sign) && bytes.Equal(p.DH, q.DH)
}

// keys is the 64 bytes that identify the identity.
func (p PublicIdentity) keys() []byte { return append(append(make([]byte, 0, 64), p.Sign...), p.DH...) }

func (p PublicIdentity) clone() PublicIdentity {
	return PublicIdentity{Sign: bytes.Clone(p.Sign), DH: bytes.Clone(p.DH), Sig: bytes.Clone(p.Sig)}
}

func (p PublicIdentity) append(b []byte) []byte {
	b = append(b, p.Sign...)
	b = append(b, p.DH...)
	return append(b, p.Sig...)
}

func (r *reader) publicIdentity() PublicIdentity {
	return PublicIdentity{Sign: r.clone(ed25519.PublicKeySize), DH: r.clone(32), Sig: r.clone(ed25519.SignatureSize)}
}
