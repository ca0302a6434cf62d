package relayproto

import "time"

// Protocol is the version both sides speak; Path is where a relay speaks it, BlobPath where it keeps blobs.
const (
	Protocol = "kabar-relay/1"
	Path     = "/v1/connect"
	BlobPath = "/v1/blobs"
)

// Sizes. They are part of the protocol: a relay may not lower them and a device may not exceed them.
const (
	MaxCiphertext = 256 << 10             // bytes of an envelope; what is larger travels as a blob
	MaxSignal     = 4 << 10               // bytes of a signal
	MaxFrame      = MaxCiphertext + 4<<10 // bytes of an encoded frame
	MaxBlob       = 110 << 20             // bytes of a blob: 100 MB of medium and what encryption adds
	MaxAccount    = 128                   // characters of an account
	MaxInvite     = 512                   // bytes of an invite
	MaxPrekey     = 4 << 10               // bytes of an identity or a prekey
	MaxPrekeys    = 200                   // one-time keys of one kind in a Publish; the frame's size bounds them, too
	MaxLookup     = 100                   // accounts of a Lookup
	MaxAcks       = 1000                  // seqs of an Ack
	MsgIDSize     = 16                    // bytes of a message id
	NonceSize     = 32                    // bytes of a login nonce
	RecoverySize  = 32                    // bytes of a recovery secret
	HostSize      = 32                    // bytes of a host secret
	CodeSize      = 6                     // digits of a verification code
)

// Credit is how much the relay sends ahead of acknowledgements: at most CreditFrames envelopes, and as many expiry
// notices, and not another one while CreditBytes or more are out.
const (
	CreditFrames = 64
	CreditBytes  = 1 << 20
)

// Times. The relay pings every PingEvery and hangs up on a device that it has not heard for SilentAfter; a device that
// has heard nothing for as long should reconnect. LoginWithin bounds the time from the connection to Confirm.
const (
	PingEvery   = 25 * time.Second
	SilentAfter = 75 * time.Second
	LoginWithin = 30 * time.Second
)
