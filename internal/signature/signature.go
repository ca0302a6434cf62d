// Package signature signs webhooks and judges signatures, as Standard Webhooks has it (standardwebhooks.com; the text is
// spec/standard-webhooks.md of github.com/standard-webhooks/standard-webhooks). Whoever gets a webhook learns from three headers that it
// is ours, that nobody has changed it, and that it is not an old one that somebody sends again.
//
// What is signed is the id, the second and the body, joined by full stops. There are two kinds of signatures:
//
//   - v1 is HMAC-SHA256 under a secret that both sides know, written whsec_ and base64.
//   - v1a is Ed25519. The sender keeps a whsk_ key, base64 of the 32 bytes of the seed and the 32 of the public key; the receiver has the
//     whpk_ key, base64 of the latter. The specification does not say which form of a private key is meant; this is the one that its example
//     was made with.
//
// A request may carry several signatures: while a secret is replaced, one under the new and one under the old.
//
// What this package does not do: it keeps no secrets, sends nothing, remembers no ids. No error and no printed value repeats a secret.
// Everything here is safe for concurrent use.
package signature

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Limits of a shared secret, in bytes: those of the specification.
const (
	minSecret = 24
	maxSecret = 64
	newSecret = 32
)

// How keys are written.
const (
	sharedPrefix  = "whsec_"
	privatePrefix = "whsk_"
	publicPrefix  = "whpk_"
)

// encoding admits one writing of a key only: no bits that do not count, and no line breaks, which decode sees to.
var encoding = base64.StdEncoding.Strict()

// key is a decoded key: one of the three is set.
type key struct {
	shared  []byte
	private ed25519.PrivateKey
	public  ed25519.PublicKey
}

// New returns a new secret: "whsec_" and the base64 of 32 random bytes.
func New() string {
	var secret [newSecret]byte
	rand.Read(secret[:]) // never fails: crypto/rand stops the process instead
	return sharedPrefix + encoding.EncodeToString(secret[:])
}

// NewPair returns a new Ed25519 key pair: "whsk_…" to keep, "whpk_…" for the receiver.
func NewPair() (private, public string) {
	var seed [ed25519.SeedSize]byte
	rand.Read(seed[:]) // never fails, as above
	k := ed25519.NewKeyFromSeed(seed[:])
	return privatePrefix + encoding.EncodeToString(k), publicOf(k)
}

// Public returns the whpk_ form of a whsk_ key.
func Public(private string) (string, error) {
	k, err := decode(private)
	switch {
	case err != nil:
		return "", err
	case k.private == nil:
		return "", errors.New("only a key that begins with whsk_ has a public half")
	}
	return publicOf(k.private), nil
}

func publicOf(k ed25519.PrivateKey) string {
	return publicPrefix + encoding.EncodeToString(k[ed25519.SeedSize:])
}

// Check refuses what is neither a whsec_ secret with 24 to 64 bytes nor a whsk_ key. The error says what is wrong with it.
func Check(secret string) error {
	k, err := decode(secret)
	if err == nil && k.public != nil {
		return errors.New("that is the receiver's public key: to sign, its whsk_ key is needed")
	}
	return err
}

// decode reads a key of any kind.
func decode(written string) (key, error) {
	prefix, text, found := strings.Cut(written, "_")
	prefix += "_"
	if !found || prefix != sharedPrefix && prefix != privatePrefix && prefix != publicPrefix {
		return key{}, errors.New("a secret for signatures begins with whsec_ or whsk_")
	}
	raw, err := encoding.DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return key{}, fmt.Errorf("what follows %s is no base64", prefix) // the error would repeat bytes of it
	}
	switch prefix {
	case sharedPrefix:
		if len(raw) < minSecret || len(raw) > maxSecret {
			return key{}, fmt.Errorf("a secret has %d to %d bytes, this one %d", minSecret, maxSecret, len(raw))
		}
		return key{shared: raw}, nil
	case privatePrefix:
		if len(raw) != ed25519.PrivateKeySize {
			return key{}, fmt.Errorf("a whsk_ key has %d bytes, seed and public key, this one %d", ed25519.PrivateKeySize, len(raw))
		}
		// A signature under another public half would give the private one away.
		k := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
		if !k.Equal(ed25519.PrivateKey(raw)) {
			return key{}, errors.New("the halves of the whsk_ key do not belong together")
		}
		return key{private: k}, nil
	default:
		if len(raw) != ed25519.PublicKeySize {
			return key{}, fmt.Errorf("a whpk_ key has %d bytes, this one %d", ed25519.PublicKeySize, len(raw))
		}
		return key{public: raw}, nil
	}
}
