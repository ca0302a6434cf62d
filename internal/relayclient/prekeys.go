package relayclient

import (
	"context"
	"fmt"

	"kabar/internal/relayproto"
)

// Prekey is a public key with its id, opaque to the relay.
type Prekey struct {
	ID  uint32 // 1 or more; never used twice for a kind of key
	Key []byte // 1 to relayproto.MaxPrekey bytes: public key and signature, as the caller encodes them
}

// Prekeys are what Publish adds to the directory. What is nil stays as it is.
type Prekeys struct {
	Identity   []byte   // replaces the one before
	Signed     *Prekey  // replaces the one before; its id must be higher
	LastResort *Prekey  // KEM key served when the one-time ones are gone; replaces the one before, with a higher id
	OneTime    []Prekey // X25519, rising ids above all before; at most relayproto.MaxPrekeys
	OneTimeKEM []Prekey // KEM, rising ids above all before; at most relayproto.MaxPrekeys
	Replace    bool     // the one-time keys published before are served no more; a relay that does not know this keeps them
}

// Bundle is what a stranger needs to begin a session with its owner.
type Bundle struct {
	Identity      []byte
	Signed        Prekey
	KEM           Prekey
	KEMLastResort bool    // KEM is the last resort: the one-time ones have run out
	OneTime       *Prekey // nil when they have run out
}

// Publish returns nil when the relay has everything on disk. Repeating the very same call is harmless. Ids that the
// relay has seen before are a *PrekeyIDReused, and nothing is stored.
func (c *Conn) Publish(ctx context.Context, p Prekeys) error {
	return c.order(ctx, &relayproto.Frame{Body: &relayproto.Frame_Publish{Publish: &relayproto.Publish{
		Identity:   p.Identity,
		Signed:     one(p.Signed),
		LastResort: one(p.LastResort),
		OneTime:    many(p.OneTime),
		OneTimeKem: many(p.OneTimeKEM),
		Replace:    p.Replace,
	}}})
}

// FetchBundle returns a bundle of the account's device 1. Its one-time keys are gone from the directory: a bundle that
// is not used is lost. Errors: ErrUnknownRecipient, ErrNoPrekeys, *RetryAfter (also after 10 bundles of one target within
// an hour).
func (c *Conn) FetchBundle(ctx context.Context, account string) (*Bundle, error) {
	target := Address{Account: account, Device: 1}
	f, err := c.ask(ctx, &relayproto.Frame{Body: &relayproto.Frame_Fetch{Fetch: &relayproto.Fetch{Target: target.Proto()}}})
	if err != nil {
		return nil, err
	}
	b := f.GetBundle()
	if b == nil {
		return nil, fmt.Errorf("%w: the relay answered without a bundle", ErrMalformed)
	}
	out := &Bundle{
		Identity:      b.Identity,
		Signed:        Prekey{ID: b.Signed.Id, Key: b.Signed.Key},
		KEM:           Prekey{ID: b.Kem.Id, Key: b.Kem.Key},
		KEMLastResort: b.KemIsLastResort,
	}
	if b.OneTime != nil {
		out.OneTime = &Prekey{ID: b.OneTime.Id, Key: b.OneTime.Key}
	}
	return out, nil
}

func one(k *Prekey) *relayproto.Prekey {
	if k == nil {
		return nil
	}
	return &relayproto.Prekey{Id: k.ID, Key: k.Key}
}

func many(keys []Prekey) []*relayproto.Prekey {
	out := make([]*relayproto.Prekey, len(keys))
	for i := range keys {
		out[i] = one(&keys[i])
	}
	return out
}
