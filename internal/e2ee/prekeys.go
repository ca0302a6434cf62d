package e2ee

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/mlkem"
	"errors"
	"fmt"
	"time"
)

// errZeroID guards the one id that means "none".
var errZeroID = errors.New("e2ee: prekey id 0 is reserved")

// SignedPreKey is a device's medium-term X25519 key, private half included.
type SignedPreKey struct {
	ID      uint32
	Created time.Time // whole seconds
	key     *ecdh.PrivateKey
	sig     []byte
}

// GenerateSignedPreKey makes and signs a fresh key. id is chosen by the caller, not 0 and not in use.
func GenerateSignedPreKey(self *Identity, id uint32, now time.Time) (*SignedPreKey, error) {
	return generateSignedPreKey(systemEntropy(), self, id, now)
}

func generateSignedPreKey(rnd entropy, self *Identity, id uint32, now time.Time) (*SignedPreKey, error) {
	if id == 0 {
		return nil, errZeroID
	}
	key, err := rnd.newX25519()
	if err != nil {
		return nil, err
	}
	sig, err := self.signContext(contextSigned, signedContent(id, key.PublicKey().Bytes()))
	if err != nil {
		return nil, err
	}
	return &SignedPreKey{ID: id, Created: seconds(now), key: key, sig: sig}, nil
}

// signedContent is what the identity signs for a signed prekey.
func signedContent(id uint32, pub []byte) []byte { return append(appendU32(nil, id), pub...) }

// NeedsRotation says that the key is old enough to be replaced.
func (k *SignedPreKey) NeedsRotation(now time.Time) bool {
	return !now.Before(k.Created.Add(PreKeyRotation))
}

// Expired says that no message may use the key any more: delete the row.
func (k *SignedPreKey) Expired(now time.Time) bool {
	return !now.Before(k.Created.Add(PreKeyRotation + PreKeyGrace))
}

// Public returns the half that goes into a bundle.
func (k *SignedPreKey) Public() PublicSignedPreKey {
	return PublicSignedPreKey{ID: k.ID, Key: k.key.PublicKey().Bytes(), Sig: append([]byte(nil), k.sig...)}
}

// MarshalBinary returns the key's row, secret included.
func (k *SignedPreKey) MarshalBinary() ([]byte, error) {
	b := appendTime(appendU32([]byte{protoVersion}, k.ID), k.Created)
	return append(append(b, k.key.Bytes()...), k.sig...), nil
}

// UnmarshalSignedPreKey reads what MarshalBinary wrote, or returns ErrMalformed.
func UnmarshalSignedPreKey(data []byte) (*SignedPreKey, error) {
	r := reader{rest: data}
	r.version()
	k := &SignedPreKey{ID: r.u32(), Created: r.time()}
	secret := r.take(32)
	k.sig = r.clone(ed25519.SignatureSize)
	r.require(k.ID != 0)
	if err := r.end("unmarshal signed prekey"); err != nil {
		return nil, err
	}
	key, err := ecdh.X25519().NewPrivateKey(secret)
	if err != nil {
		return nil, fmt.Errorf("unmarshal signed prekey: %w", err)
	}
	k.key = key
	return k, nil
}

// KEMPreKey is an ML-KEM-768 key, private half included: either used once, or the last resort that is handed out when the
// one-time keys have run out and that rotates like a signed prekey. Both kinds share one space of ids.
type KEMPreKey struct {
	ID      uint32
	OneTime bool
	Created time.Time // whole seconds
	key     *mlkem.DecapsulationKey768
	sig     []byte
}

// GenerateKEMPreKey makes and signs a fresh key.
func GenerateKEMPreKey(self *Identity, id uint32, oneTime bool, now time.Time) (*KEMPreKey, error) {
	return generateKEMPreKey(systemEntropy(), self, id, oneTime, now)
}

func generateKEMPreKey(rnd entropy, self *Identity, id uint32, oneTime bool, now time.Time) (*KEMPreKey, error) {
	if id == 0 {
		return nil, errZeroID
	}
	var seed [mlkem.SeedSize]byte
	if err := rnd.fill(seed[:]); err != nil {
		return nil, err
	}
	key, err := mlkem.NewDecapsulationKey768(seed[:])
	if err != nil {
		return nil, fmt.Errorf("e2ee: kem prekey: %w", err)
	}
	sig, err := self.signContext(contextKEM, kemContent(id, oneTime, key.EncapsulationKey().Bytes()))
	if err != nil {
		return nil, err
	}
	return &KEMPreKey{ID: id, OneTime: oneTime, Created: seconds(now), key: key, sig: sig}, nil
}

// kemContent is what the identity signs for a KEM key; it includes whether the key is the last resort.
func kemContent(id uint32, oneTime bool, pub []byte) []byte {
	return append(appendFlag(appendU32(nil, id), oneTime), pub...)
}

// NeedsRotation says that a last-resort key is old enough to be replaced. A one-time key never is.
func (k *KEMPreKey) NeedsRotation(now time.Time) bool {
	return !k.OneTime && !now.Before(k.Created.Add(PreKeyRotation))
}

// Expired says that no message may use a last-resort key any more: delete the row. A one-time key goes when it is used.
func (k *KEMPreKey) Expired(now time.Time) bool {
	return !k.OneTime && !now.Before(k.Created.Add(PreKeyRotation+PreKeyGrace))
}

// Public returns the half that goes into a bundle.
func (k *KEMPreKey) Public() PublicKEMPreKey {
	return PublicKEMPreKey{
		ID: k.ID, OneTime: k.OneTime,
		Key: k.key.EncapsulationKey().Bytes(), Sig: append([]byte(nil), k.sig...),
	}
}

// MarshalBinary returns the key's row, secret included.
func (k *KEMPreKey) MarshalBinary() ([]byte, error) {
	b := appendFlag(appendU32([]byte{protoVersion}, k.ID), k.OneTime)
	b = append(appendTime(b, k.Created), k.key.Bytes()...)
	return append(b, k.sig...), nil
}

// UnmarshalKEMPreKey reads what MarshalBinary wrote, or returns ErrMalformed.
func UnmarshalKEMPreKey(data []byte) (*KEMPreKey, error) {
	r := reader{rest: data}
	r.version()
	k := &KEMPreKey{ID: r.u32(), OneTime: r.flag(), Created: r.time()}
	seed := r.take(mlkem.SeedSize)
	k.sig = r.clone(ed25519.SignatureSize)
	r.require(k.ID != 0)
	if err := r.end("unmarshal kem prekey"); err != nil {
		return nil, err
	}
	key, err := mlkem.NewDecapsulationKey768(seed)
	if err != nil {
		return nil, fmt.Errorf("unmarshal kem prekey: %w", err)
	}
	k.key = key
	return k, nil
}

// OneTimePreKey is an X25519 key used for one handshake, private half included.
type OneTimePreKey struct {
	ID  uint32
	key *ecdh.PrivateKey
}

// GenerateOneTimePreKeys makes one fresh key for each id; none may be 0.
func GenerateOneTimePreKeys(ids ...uint32) ([]*OneTimePreKey, error) {
	return generateOneTimePreKeys(systemEntropy(), ids...)
}

func generateOneTimePreKeys(rnd entropy, ids ...uint32) ([]*OneTimePreKey, error) {
	keys := make([]*OneTimePreKey, 0, len(ids))
	for _, id := range ids {
		if id == 0 {
			return nil, errZeroID
		}
		key, err := rnd.newX25519()
		if err != nil {
			return nil, err
		}
		keys = append(keys, &OneTimePreKey{ID: id, key: key})
	}
	return keys, nil
}

// Public returns the half that goes into a bundle.
func (k *OneTimePreKey) Public() PublicOneTimePreKey {
	return PublicOneTimePreKey{ID: k.ID, Key: k.key.PublicKey().Bytes()}
}

// MarshalBinary returns the key's row, secret included.
func (k *OneTimePreKey) MarshalBinary() ([]byte, error) {
	return append(appendU32([]byte{protoVersion}, k.ID), k.key.Bytes()...), nil
}

// UnmarshalOneTimePreKey reads what MarshalBinary wrote, or returns ErrMalformed.
func UnmarshalOneTimePreKey(data []byte) (*OneTimePreKey, error) {
	r := reader{rest: data}
	r.version()
	k := &OneTimePreKey{ID: r.u32()}
	secret := r.take(32)
	r.require(k.ID != 0)
	if err := r.end("unmarshal one-time prekey"); err != nil {
		return nil, err
	}
	key, err := ecdh.X25519().NewPrivateKey(secret)
	if err != nil {
		return nil, fmt.Errorf("unmarshal one-time prekey: %w", err)
	}
	k.key = key
	return k, nil
}

// PreKeyStore finds private prekeys for a handshake. A missing key is ErrUnknownPreKey (or wraps it); any other error stops
// Decrypt and is returned wrapped. Call PreKeyIDs first to load only what a message needs.
type PreKeyStore interface {
	SignedPreKey(id uint32) (*SignedPreKey, error)
	KEMPreKey(id uint32) (*KEMPreKey, error)
	OneTimePreKey(id uint32) (*OneTimePreKey, error)
}

// PreKeys is a PreKeyStore over keys already loaded. The zero value holds none.
type PreKeys struct {
	Signed  []*SignedPreKey
	KEM     []*KEMPreKey
	OneTime []*OneTimePreKey
}

// SignedPreKey returns the key with this id, or ErrUnknownPreKey.
func (p PreKeys) SignedPreKey(id uint32) (*SignedPreKey, error) {
	for _, k := range p.Signed {
		if k.ID == id {
			return k, nil
		}
	}
	return nil, ErrUnknownPreKey
}

// KEMPreKey returns the key with this id, or ErrUnknownPreKey.
func (p PreKeys) KEMPreKey(id uint32) (*KEMPreKey, error) {
	for _, k := range p.KEM {
		if k.ID == id {
			return k, nil
		}
	}
	return nil, ErrUnknownPreKey
}

// OneTimePreKey returns the key with this id, or ErrUnknownPreKey.
func (p PreKeys) OneTimePreKey(id uint32) (*OneTimePreKey, error) {
	for _, k := range p.OneTime {
		if k.ID == id {
			return k, nil
		}
	}
	return nil, ErrUnknownPreKey
}

// seconds drops what rows do not keep.
func seconds(t time.Time) time.Time { return time.Unix(t.Unix(), 0) }
