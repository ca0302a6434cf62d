package e2ee

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
)

// entropy is where fresh secrets come from. The product has one source, systemEntropy; known-answer tests bring another.
type entropy struct {
	io.Reader
	encapsulate func(*mlkem.EncapsulationKey768) (secret, ciphertext []byte)
}

func systemEntropy() entropy {
	return entropy{Reader: rand.Reader, encapsulate: (*mlkem.EncapsulationKey768).Encapsulate}
}

// fill reads len(b) fresh bytes into b.
func (e entropy) fill(b []byte) error {
	if _, err := io.ReadFull(e, b); err != nil {
		return fmt.Errorf("e2ee: read randomness: %w", err)
	}
	return nil
}

// newX25519 makes a fresh X25519 key.
func (e entropy) newX25519() (*ecdh.PrivateKey, error) {
	var seed [32]byte
	if err := e.fill(seed[:]); err != nil {
		return nil, err
	}
	return ecdh.X25519().NewPrivateKey(seed[:])
}

// agree is X25519. A peer key of small order, whose result is all zero, is an error.
func agree(priv *ecdh.PrivateKey, pub []byte) ([]byte, error) {
	key, err := ecdh.X25519().NewPublicKey(pub)
	if err != nil {
		return nil, err
	}
	return priv.ECDH(key)
}

// keyPair is a ratchet key as rows hold it. The parsed private key is made when first needed, because making it costs as
// much as using it; the public half is kept so that sending along a chain needs neither.
type keyPair struct {
	priv, pub [32]byte
	parsed    *ecdh.PrivateKey
}

func (e entropy) newKeyPair() (keyPair, error) {
	key, err := e.newX25519()
	if err != nil {
		return keyPair{}, err
	}
	return pairOf(key), nil
}

func pairOf(key *ecdh.PrivateKey) keyPair {
	return keyPair{priv: [32]byte(key.Bytes()), pub: [32]byte(key.PublicKey().Bytes()), parsed: key}
}

// set says whether there is a key.
func (k *keyPair) set() bool { return k.priv != [32]byte{} }

func (k *keyPair) agree(pub []byte) ([]byte, error) {
	if k.parsed != nil {
		return agree(k.parsed, pub)
	}
	key, err := ecdh.X25519().NewPrivateKey(k.priv[:])
	if err != nil {
		return nil, err
	}
	return agree(key, pub)
}

// hmacSum is HMAC-SHA256.
func hmacSum(key, data []byte) [32]byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(data)
	var sum [32]byte
	mac.Sum(sum[:0])
	return sum
}

// derive is HKDF-SHA256. It panics only for an output length beyond RFC 5869, which no caller asks for.
func derive(secret, salt []byte, info string, n int) []byte {
	out, err := hkdf.Key(sha256.New, secret, salt, info, n)
	if err != nil {
		panic("e2ee: " + err.Error())
	}
	return out
}

// expand is HKDF-Expand of a uniform 32-byte secret to 32 bytes.
func expand(secret [32]byte, info string) []byte {
	out, err := hkdf.Expand(sha256.New, secret[:], info, 32)
	if err != nil {
		panic("e2ee: " + err.Error())
	}
	return out
}
