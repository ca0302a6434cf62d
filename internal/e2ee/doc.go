// Package e2ee is the end-to-end encryption between two devices: PQXDH (X25519 and ML-KEM-768) begins a session, the
// Double Ratchet carries it, and a side channel seals signals such as typing without touching the ratchet.
//
// It computes and never stores. Every operation takes the state it starts from, leaves it untouched and returns the next
// one; the caller commits that next state together with the bytes it belongs to, and only then lets the bytes out (sending)
// or acknowledges them (receiving). An operation whose result is not committed has not happened.
//
// It does not fetch bundles, remember which message ids were seen, decide whether a changed identity is acceptable, seal
// its own rows at rest, or speak to any network. It reads no clock: every rule takes the time as an argument.
//
// Values are safe for concurrent reading; nothing is shared between a state and its successor that either one modifies.
// One peer's states form one line, so the caller serialises the operations on one peer.
//
// Bytes from outside never panic: they are parsed by length-checked readers and answered with ErrMalformed.
//
// Sources: the published specifications "The PQXDH Key Agreement Protocol" and "The Double Ratchet Algorithm"; RFC 7748
// (X25519), RFC 8032 (Ed25519ctx), RFC 5869 (HKDF), RFC 8439 (ChaCha20-Poly1305), FIPS 203 (ML-KEM). The choices made
// where those leave room, and the limits of what is promised, are in docs/encryption.md.
package e2ee

import (
	"errors"
	"fmt"
	"time"
)

// Limits and lifetimes.
const (
	// MaxPlaintext is the longest plaintext, in bytes, that Encrypt and SealSignal take.
	MaxPlaintext = maxPadded - 1
	// MaxMessage is the longest message, in bytes, that this package produces or reads.
	MaxMessage = 2 + handshakeSize + headerSize + maxPadded + tagSize

	// PreKeyRotation is the age at which a signed prekey and a last-resort KEM key are replaced.
	PreKeyRotation = 7 * 24 * time.Hour
	// PreKeyGrace is how long a replaced prekey is still kept, for messages on their way.
	PreKeyGrace = 30 * 24 * time.Hour
	// SessionLifetime is the age at which NeedsRehandshake advises a new handshake.
	SessionLifetime = 7 * 24 * time.Hour
	// SessionMessages is the number of messages, both directions together, at which NeedsRehandshake advises one.
	SessionMessages = 1000

	maxSessions  = 4                   // kept per peer
	maxSkip      = 1000                // message keys one message may skip
	maxSkipped   = 200                 // skipped message keys stored per session
	skippedLife  = 30 * 24 * time.Hour // of a stored skipped key
	idleLife     = 30 * 24 * time.Hour // of a session that is not the first and is no longer used
	maxSpent     = 16                  // remembered handshakes that could be replayed, per peer
	spentLife    = PreKeyRotation + PreKeyGrace
	protoVersion = 1
)

// What can go wrong. ErrBadSignature is an ErrMalformed; ErrTooFarAhead and ErrUnknownPreKey are an ErrUndecryptable.
var (
	// ErrNoSession says that there is nothing to encrypt with: fetch a bundle, Initiate, and try again.
	ErrNoSession = errors.New("e2ee: no session")
	// ErrTooLong says that a plaintext exceeds MaxPlaintext.
	ErrTooLong = errors.New("e2ee: plaintext too long")
	// ErrIdentityChanged says that a bundle carries another identity than the pinned one: decide, Pin it, Initiate again.
	ErrIdentityChanged = errors.New("e2ee: identity changed")
	// ErrMalformed says that bytes are no message, bundle, key or row of this version.
	ErrMalformed = errors.New("e2ee: malformed")
	// ErrBadSignature says that an identity or a prekey is not signed by the identity key it names.
	ErrBadSignature = fmt.Errorf("%w: bad signature", ErrMalformed)
	// ErrDuplicate says that the sender proved to be the peer and that this message's key has been used, or that a signal
	// is not newer than the last: acknowledge and drop. A peer restored from a backup that goes on in an old session looks
	// the same; a caller that knows message ids and has not seen this one treats it as ErrUndecryptable.
	ErrDuplicate = errors.New("e2ee: message key already used")
	// ErrUndecryptable says that no session opens the message: keep it, acknowledge it, and ask for it again in a fresh
	// session (Initiate, then Encrypt the request).
	ErrUndecryptable = errors.New("e2ee: undecryptable")
	// ErrTooFarAhead says that a message would skip more than 1,000 keys.
	ErrTooFarAhead = fmt.Errorf("%w: too many keys skipped", ErrUndecryptable)
	// ErrUnknownPreKey says that a handshake names a prekey that is used up, expired or was never ours. A PreKeyStore
	// returns it for an id it does not hold.
	ErrUnknownPreKey = fmt.Errorf("%w: unknown prekey", ErrUndecryptable)
)
