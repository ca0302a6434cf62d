package relayclient

import (
	"context"
	"fmt"
	"time"

	"kabar/internal/relayproto"
)

// MsgID identifies an envelope between its sender and its recipient: 16 random bytes, repeated by every resend.
type MsgID [relayproto.MsgIDSize]byte

// Envelope is what Send puts into a mailbox.
type Envelope struct {
	ID         MsgID
	To         Address   // device 0 means 1
	Kind       uint32    // of the ciphertext; opaque to the relay
	Ciphertext []byte    // at most relayproto.MaxCiphertext bytes
	Expires    time.Time // zero: as late as the relay allows, 30 days by default
}

// Send returns nil when the envelope is in the recipient's mailbox, on disk. Any number of Sends may be in flight at
// once; those of one goroutine after another keep their order in the mailbox.
//
// Send may be repeated with the same ID: the mailbox takes one. After an ErrClosed or a context's error the outcome is
// unknown, and repeating is right. Other errors: ErrUnknownRecipient, ErrExpired and ErrTooLarge (final); *RetryAfter
// with ErrMailboxFull, ErrLimited or ErrOverloaded (repeat later).
func (c *Conn) Send(ctx context.Context, e Envelope) error {
	if len(e.Ciphertext) > relayproto.MaxCiphertext {
		return ErrTooLarge
	}
	s := &relayproto.Send{MsgId: e.ID[:], To: proto(e.To), Kind: e.Kind, Ciphertext: e.Ciphertext}
	if !e.Expires.IsZero() {
		s.ExpiresAtMs = max(1, e.Expires.UnixMilli())
	}
	return c.order(ctx, &relayproto.Frame{Body: &relayproto.Frame_Send{Send: s}})
}

// Signal shows ciphertext (at most relayproto.MaxSignal bytes) to the recipient if it is connected now. Nobody learns
// whether it arrived; nil only means that it was queued.
func (c *Conn) Signal(ctx context.Context, to Address, ciphertext []byte) error {
	if len(ciphertext) > relayproto.MaxSignal {
		return ErrTooLarge
	}
	return c.send(ctx, &relayproto.Frame{Body: &relayproto.Frame_Signal{Signal: &relayproto.Signal{To: proto(to), Ciphertext: ciphertext}}})
}

// Ack tells the relay that the deliveries and expiries with these seqs are committed here; it deletes them. Ack queues
// and does not wait for the relay: what is not acknowledged in the end comes again with the next connection.
func (c *Conn) Ack(ctx context.Context, seqs ...uint64) error {
	for len(seqs) > 0 {
		n := min(len(seqs), relayproto.MaxAcks)
		if err := c.send(ctx, &relayproto.Frame{Body: &relayproto.Frame_Ack{Ack: &relayproto.Ack{Seqs: seqs[:n]}}}); err != nil {
			return err
		}
		seqs = seqs[n:]
	}
	return nil
}

// Lookup says for each account whether the relay knows it, in the order asked. The error may be a *RetryAfter.
func (c *Conn) Lookup(ctx context.Context, accounts ...string) ([]bool, error) {
	known := make([]bool, 0, len(accounts))
	for len(accounts) > 0 {
		n := min(len(accounts), relayproto.MaxLookup)
		f, err := c.ask(ctx, &relayproto.Frame{Body: &relayproto.Frame_Lookup{Lookup: &relayproto.Lookup{Accounts: accounts[:n]}}})
		if err != nil {
			return nil, err
		}
		if len(f.GetKnown().GetKnown()) != n {
			return nil, fmt.Errorf("%w: the relay answered a look-up of another length", ErrMalformed)
		}
		known = append(known, f.GetKnown().GetKnown()...)
		accounts = accounts[n:]
	}
	return known, nil
}

func proto(a Address) *relayproto.Address {
	a.Device = max(a.Device, 1)
	return a.Proto()
}
