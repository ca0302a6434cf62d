// Package prekeys says how a device's public keys lie in the relay's directory, where they are opaque bytes: what the
// business's driver and the phone publish, and how either reads the other's.
//
// Layouts, all of fixed length: identity = Ed25519 key (32) | X25519 key (32) | signature (64); signed prekey and KEM prekey
// = key (32 or 1,184) | signature (64); one-time prekey = X25519 key (32). Ids travel beside them. Signatures are checked by
// e2ee.Initiate, not here.
package prekeys

import (
	"crypto/ed25519"
	"fmt"

	"kabar/internal/e2ee"
	"kabar/internal/relayclient"
)

const (
	curveSize = 32
	kemSize   = 1184
	sigSize   = ed25519.SignatureSize
)

// Identity returns the published form of an identity.
func Identity(p e2ee.PublicIdentity) []byte {
	return join(p.Sign, p.DH, p.Sig)
}

// Signed returns the published form of a signed prekey.
func Signed(k *e2ee.SignedPreKey) relayclient.Prekey {
	p := k.Public()
	return relayclient.Prekey{ID: p.ID, Key: join(p.Key, p.Sig)}
}

// KEM returns the published form of a KEM prekey, one-time or last resort.
func KEM(k *e2ee.KEMPreKey) relayclient.Prekey {
	p := k.Public()
	return relayclient.Prekey{ID: p.ID, Key: join(p.Key, p.Sig)}
}

// OneTime returns the published form of a one-time prekey.
func OneTime(k *e2ee.OneTimePreKey) relayclient.Prekey {
	p := k.Public()
	return relayclient.Prekey{ID: p.ID, Key: join(p.Key)}
}

// Bundle reads a bundle as the relay hands it out.
func Bundle(b *relayclient.Bundle) (*e2ee.Bundle, error) {
	id, signed, kem := b.Identity, b.Signed.Key, b.KEM.Key
	if len(id) != 2*curveSize+sigSize || len(signed) != curveSize+sigSize || len(kem) != kemSize+sigSize {
		return nil, fmt.Errorf("%w: a published key has the wrong length", e2ee.ErrMalformed)
	}
	out := &e2ee.Bundle{
		Identity: e2ee.PublicIdentity{Sign: id[:curveSize], DH: id[curveSize : 2*curveSize], Sig: id[2*curveSize:]},
		Signed:   e2ee.PublicSignedPreKey{ID: b.Signed.ID, Key: signed[:curveSize], Sig: signed[curveSize:]},
		KEM:      e2ee.PublicKEMPreKey{ID: b.KEM.ID, OneTime: !b.KEMLastResort, Key: kem[:kemSize], Sig: kem[kemSize:]},
	}
	if o := b.OneTime; o != nil {
		if len(o.Key) != curveSize {
			return nil, fmt.Errorf("%w: a published key has the wrong length", e2ee.ErrMalformed)
		}
		out.OneTime = &e2ee.PublicOneTimePreKey{ID: o.ID, Key: o.Key}
	}
	return out, nil
}

func join(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}
