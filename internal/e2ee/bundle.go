package e2ee

import (
	"crypto/ed25519"
	"crypto/mlkem"
	"fmt"
)

// PublicSignedPreKey is the public half of a SignedPreKey.
type PublicSignedPreKey struct {
	ID  uint32
	Key []byte // X25519, 32 bytes
	Sig []byte // by the identity, 64 bytes
}

// PublicKEMPreKey is the public half of a KEMPreKey.
type PublicKEMPreKey struct {
	ID      uint32
	OneTime bool   // false: the last resort
	Key     []byte // ML-KEM-768 encapsulation key, 1,184 bytes
	Sig     []byte // by the identity, 64 bytes
}

// PublicOneTimePreKey is the public half of a OneTimePreKey. It is not signed: the handshake proves it.
type PublicOneTimePreKey struct {
	ID  uint32
	Key []byte // X25519, 32 bytes
}

// Bundle is what a directory hands out so that a stranger can begin a session.
type Bundle struct {
	Identity PublicIdentity
	Signed   PublicSignedPreKey
	KEM      PublicKEMPreKey
	OneTime  *PublicOneTimePreKey // nil when they have run out
}

const (
	bundleSize        = 1 + publicIdentitySize + 4 + 32 + 64 + 4 + 1 + mlkem.EncapsulationKeySize768 + 64 + 1
	bundleOneTimeSize = 4 + 32
)

// Verify checks every length and id (ErrMalformed) and every signature (ErrBadSignature).
func (b *Bundle) Verify() error {
	if err := b.Identity.Verify(); err != nil {
		return fmt.Errorf("verify bundle: %w", err)
	}
	if !b.wellFormed() {
		return fmt.Errorf("verify bundle: %w", ErrMalformed)
	}
	if err := b.Identity.verifyContext(contextSigned, signedContent(b.Signed.ID, b.Signed.Key), b.Signed.Sig); err != nil {
		return fmt.Errorf("verify bundle: %w", err)
	}
	content := kemContent(b.KEM.ID, b.KEM.OneTime, b.KEM.Key)
	if err := b.Identity.verifyContext(contextKEM, content, b.KEM.Sig); err != nil {
		return fmt.Errorf("verify bundle: %w", err)
	}
	return nil
}

func (b *Bundle) wellFormed() bool {
	return b.Signed.ID != 0 && len(b.Signed.Key) == 32 && len(b.Signed.Sig) == ed25519.SignatureSize &&
		b.KEM.ID != 0 && len(b.KEM.Key) == mlkem.EncapsulationKeySize768 && len(b.KEM.Sig) == ed25519.SignatureSize &&
		(b.OneTime == nil || b.OneTime.ID != 0 && len(b.OneTime.Key) == 32)
}

// MarshalBinary returns 1,483 or, with a one-time key, 1,519 bytes. A bundle with a field of wrong length is ErrMalformed.
func (b *Bundle) MarshalBinary() ([]byte, error) {
	id := b.Identity
	if !b.wellFormed() || len(id.Sign) != ed25519.PublicKeySize || len(id.DH) != 32 || len(id.Sig) != ed25519.SignatureSize {
		return nil, fmt.Errorf("marshal bundle: %w", ErrMalformed)
	}
	out := append(make([]byte, 0, bundleSize+bundleOneTimeSize), protoVersion)
	out = id.append(out)
	out = appendU32(out, b.Signed.ID)
	out = append(append(out, b.Signed.Key...), b.Signed.Sig...)
	out = appendFlag(appendU32(out, b.KEM.ID), b.KEM.OneTime)
	out = append(append(out, b.KEM.Key...), b.KEM.Sig...)
	out = appendFlag(out, b.OneTime != nil)
	if b.OneTime != nil {
		out = append(appendU32(out, b.OneTime.ID), b.OneTime.Key...)
	}
	return out, nil
}

// ParseBundle reads what MarshalBinary wrote: lengths and ids only. Initiate verifies the signatures.
func ParseBundle(data []byte) (*Bundle, error) {
	r := reader{rest: data}
	r.version()
	b := &Bundle{Identity: r.publicIdentity()}
	b.Signed = PublicSignedPreKey{ID: r.u32(), Key: r.clone(32), Sig: r.clone(ed25519.SignatureSize)}
	b.KEM = PublicKEMPreKey{
		ID: r.u32(), OneTime: r.flag(),
		Key: r.clone(mlkem.EncapsulationKeySize768), Sig: r.clone(ed25519.SignatureSize),
	}
	if r.flag() {
		b.OneTime = &PublicOneTimePreKey{ID: r.u32(), Key: r.clone(32)}
	}
	r.require(b.wellFormed())
	if err := r.end("parse bundle"); err != nil {
		return nil, err
	}
	return b, nil
}
