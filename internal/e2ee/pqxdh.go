package e2ee

import (
	"bytes"
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/sha256"
	"fmt"
	"time"
)

// agreement is everything both sides of a handshake must see alike. Its hash is the transcript.
type agreement struct {
	initiator, responder         Address
	initiatorKeys, responderKeys PublicIdentity
	signed                       PublicSignedPreKey
	kem                          PublicKEMPreKey
	oneTime                      *PublicOneTimePreKey
	ephemeral                    []byte
	ciphertext                   []byte
}

func (a *agreement) transcript() [32]byte {
	b := append(make([]byte, 0, 3072), "kabar/e2ee/1 transcript"...)
	b = a.responder.append(a.initiator.append(b))
	b = append(append(b, a.initiatorKeys.keys()...), a.responderKeys.keys()...)
	b = append(appendU32(b, a.signed.ID), a.signed.Key...)
	b = append(appendFlag(appendU32(b, a.kem.ID), a.kem.OneTime), a.kem.Key...)
	b = appendFlag(b, a.oneTime != nil)
	if a.oneTime != nil {
		b = append(appendU32(b, a.oneTime.ID), a.oneTime.Key...)
	}
	b = append(b, a.ephemeral...)
	return sha256.Sum256(append(b, a.ciphertext...))
}

// session derives the first keys from the agreed secrets: PQXDH's KDF, with the transcript in its info.
func (a *agreement) session(secrets [][]byte, now time.Time) *session {
	material := bytes.Repeat([]byte{0xff}, 32) // PQXDH's F for curve25519
	for _, secret := range secrets {
		material = append(material, secret...)
	}
	transcript := a.transcript()
	out := derive(material, make([]byte, 32), infoHandshake+string(transcript[:]), 64)
	return &session{
		transcript: transcript,
		root:       [32]byte(out[:32]),
		auth:       [32]byte(out[32:]),
		created:    now.Unix(),
		used:       now.Unix(),
	}
}

// exchange is one Diffie-Hellman of the handshake.
type exchange struct {
	priv *ecdh.PrivateKey
	pub  []byte
}

// agreeAll runs the exchanges in order. One that yields zero fails them all.
func agreeAll(exchanges []exchange) ([][]byte, error) {
	secrets := make([][]byte, 0, len(exchanges)+1)
	for i, x := range exchanges {
		secret, err := agree(x.priv, x.pub)
		if err != nil {
			return nil, fmt.Errorf("agreement %d: %w: %w", i+1, ErrMalformed, err)
		}
		secrets = append(secrets, secret)
	}
	return secrets, nil
}

// initiate makes the initiator's session from a bundle, after verifying the bundle.
func initiate(rnd entropy, self *Identity, selfAddr, peerAddr Address, b *Bundle, now time.Time) (*session, error) {
	if err := b.Verify(); err != nil {
		return nil, err
	}
	kem, err := mlkem.NewEncapsulationKey768(b.KEM.Key)
	if err != nil {
		return nil, fmt.Errorf("kem key: %w: %w", ErrMalformed, err)
	}
	ephemeral, err := rnd.newX25519()
	if err != nil {
		return nil, err
	}
	exchanges := []exchange{{self.dh, b.Signed.Key}, {ephemeral, b.Identity.DH}, {ephemeral, b.Signed.Key}}
	if b.OneTime != nil {
		exchanges = append(exchanges, exchange{ephemeral, b.OneTime.Key})
	}
	secrets, err := agreeAll(exchanges)
	if err != nil {
		return nil, err
	}
	shared, ciphertext := rnd.encapsulate(kem)

	a := agreement{
		initiator: selfAddr, responder: peerAddr, initiatorKeys: self.public, responderKeys: b.Identity,
		signed: b.Signed, kem: b.KEM, oneTime: b.OneTime,
		ephemeral: ephemeral.PublicKey().Bytes(), ciphertext: ciphertext,
	}
	s := a.session(append(secrets, shared), now)
	s.initiator = true
	s.recv.remote = [32]byte(b.Signed.Key)
	s.handshake = a.handshake().marshal()
	return s, nil
}

func (a *agreement) handshake() *handshake {
	h := &handshake{
		identity:  a.initiatorKeys,
		ids:       KeyIDs{Signed: a.signed.ID, KEM: a.kem.ID},
		ephemeral: [32]byte(a.ephemeral), ciphertext: a.ciphertext,
	}
	if a.oneTime != nil {
		h.ids.OneTime = a.oneTime.ID
	}
	return h
}

// ownKeys is the responder's side of a handshake's ids.
type ownKeys struct {
	signed  *SignedPreKey
	kem     *KEMPreKey
	oneTime *OneTimePreKey // nil when the handshake names none
}

// loadKeys finds the private keys a handshake names and refuses expired ones.
func loadKeys(store PreKeyStore, ids KeyIDs, now time.Time) (k ownKeys, err error) {
	if k.signed, err = store.SignedPreKey(ids.Signed); err != nil {
		return k, fmt.Errorf("signed prekey %d: %w", ids.Signed, err)
	}
	if k.kem, err = store.KEMPreKey(ids.KEM); err != nil {
		return k, fmt.Errorf("kem prekey %d: %w", ids.KEM, err)
	}
	if k.signed.Expired(now) || k.kem.Expired(now) {
		return k, fmt.Errorf("prekeys %d, %d expired: %w", ids.Signed, ids.KEM, ErrUnknownPreKey)
	}
	if ids.OneTime == 0 {
		return k, nil
	}
	if k.oneTime, err = store.OneTimePreKey(ids.OneTime); err != nil {
		return k, fmt.Errorf("one-time prekey %d: %w", ids.OneTime, err)
	}
	return k, nil
}

// used names the keys that must not be used again.
func (k ownKeys) used() UsedKeys {
	var u UsedKeys
	if k.oneTime != nil {
		u.OneTime = k.oneTime.ID
	}
	if k.kem.OneTime {
		u.KEM = k.kem.ID
	}
	return u
}

// respond makes the responder's session from a handshake whose identity has been verified.
func respond(self *Identity, selfAddr, peerAddr Address, h *handshake, k ownKeys, now time.Time) (*session, error) {
	exchanges := []exchange{
		{k.signed.key, h.identity.DH}, {self.dh, h.ephemeral[:]}, {k.signed.key, h.ephemeral[:]},
	}
	a := agreement{
		initiator: peerAddr, responder: selfAddr, initiatorKeys: h.identity, responderKeys: self.public,
		signed: k.signed.Public(), kem: k.kem.Public(), ephemeral: h.ephemeral[:], ciphertext: h.ciphertext,
	}
	if k.oneTime != nil {
		pub := k.oneTime.Public()
		a.oneTime = &pub
		exchanges = append(exchanges, exchange{k.oneTime.key, h.ephemeral[:]})
	}
	secrets, err := agreeAll(exchanges)
	if err != nil {
		return nil, err
	}
	shared, err := k.kem.key.Decapsulate(h.ciphertext)
	if err != nil {
		return nil, fmt.Errorf("kem ciphertext: %w: %w", ErrMalformed, err)
	}
	s := a.session(append(secrets, shared), now)
	s.replayable = k.used() == UsedKeys{}
	s.send.pair = pairOf(k.signed.key)
	return s, nil
}
