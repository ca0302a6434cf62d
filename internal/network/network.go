// Package network is the contract between the engine and the drivers that carry messages for business numbers.
//
// A driver computes, the engine commits. A driver is handed its own state, returns bytes and a change of that state, and
// the engine stores the change in the same transaction as the message, job or event that goes with it. So a ratchet never
// advances without its ciphertext being stored, and nothing is acknowledged to a peer before it is on disk.
//
// networktest.Exercise is the definition of a correct driver. Abilities that not every network has are the small
// interfaces in abilities.go, found by type assertion.
package network

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kabar"
)

// Network carries messages for one business number. Prepare and Keys are called concurrently for different customers,
// never concurrently for the same one.
type Network interface {
	// Keys names the entries of the driver's state that Prepare and Open need for o.
	Keys(o *Outgoing) []string
	// Prepare turns a judged message, receipt or request into the exact bytes to send and the change of the driver's
	// state. It is pure: it reads the state it is handed and touches nothing. ErrNeedsOpen asks for Open first.
	Prepare(o *Outgoing, s State) (Packet, Change, error)
	// Open fetches what a first contact needs (a prekey bundle, say) and returns the change that makes Prepare work. A
	// *Refused error is final for the message; any other is tried again.
	Open(ctx context.Context, o *Outgoing, s State) (Change, error)
	// Transmit hands a committed packet to the network. It may be repeated with the same bytes, after a crash too. nil
	// means that the network has it; a *Refused error is final; *Later and any other error mean: try again.
	Transmit(ctx context.Context, p Packet) error
	// Run connects, receives, and reconnects until ctx ends; it returns only then, or when going on is pointless.
	Run(ctx context.Context, in Inbox) error
}

// Inbox is the engine as a driver sees it. Its methods are safe for concurrent use.
type Inbox interface {
	// State returns the entries of the driver's state under keys; what does not exist is absent from the result.
	State(ctx context.Context, keys ...string) (State, error)
	// Deliver commits an update together with a change. nil means that both are on disk: only then may the driver
	// acknowledge to its peer. ErrConflict means that the state has changed meanwhile: read it again and recompute.
	Deliver(ctx context.Context, u kabar.Update, c Change) error
	// Ready says that the connection stands, or stands again: what waited for it is tried at once.
	Ready()
}

// State is what a driver has stored, by key. Only the driver understands the values.
type State map[string]Entry

// Entry is one stored value and its version, which is 1 or more.
type Entry struct {
	Version int64
	Value   []byte
}

// Change is a list of compare-and-set operations, applied all or none.
type Change []Set

// Set stores Value under Key if the stored version is still Version. Version 0 means: there is no such entry. A nil Value
// deletes the entry.
type Set struct {
	Key     string
	Version int64
	Value   []byte
}

// Packet is what goes onto the wire, exactly. A driver encodes in it all that Transmit needs.
type Packet []byte

// Purpose says what an Outgoing is.
type Purpose string

// The purposes.
const (
	PurposeMessage Purpose = "message"
	PurposeReceipt Purpose = "receipt" // tell the customer what has arrived or has been read
	PurposeRetry   Purpose = "retry"   // ask the customer for a message that could not be decrypted
	PurposeProfile Purpose = "profile" // tell the customer who the business is
	PurposeFlow    Purpose = "flow"    // tell the customer how a flow goes on
)

// Outgoing is one thing to send to a customer.
type Outgoing struct {
	Purpose Purpose
	From    *kabar.Number
	To      kabar.Customer
	Now     time.Time

	// Messages.
	Ref     string // the network's id of the message, chosen by the engine: the same for every resend
	Message *kabar.Message
	ReplyTo string                // network id of the quoted message
	Target  string                // network id of the message a reaction is about
	Medium  *kabar.RemoteMedium   // of a content with a medium
	Cards   []*kabar.RemoteMedium // of a content with media on its cards, in the order of kabar.CardMedia
	Fresh   bool                  // encrypt in a new session: the customer could not decrypt the last one
	Opened  bool                  // Open has been called for this Outgoing, and what it returned is committed
	Fetched any                   // the driver's own: what Open has fetched, so that a conflict does not have it fetch once more

	Receipt *kabar.Receipt // receipts
	Refs    []string       // retry requests: what could not be decrypted
	Step    *kabar.FlowStep
}

// Errors a driver and the engine tell each other.
var (
	// ErrNeedsOpen is Prepare's answer when there is no session with the customer yet.
	ErrNeedsOpen = errors.New("network: open a session first")
	// ErrConflict is Inbox.Deliver's answer when an entry no longer has the expected version.
	ErrConflict = errors.New("network: the driver's state has changed meanwhile")
)

// Refused says that the network will never take the message.
type Refused struct{ Reason kabar.Reason }

func (e *Refused) Error() string { return "network: refused: " + string(e.Reason) }

// Later says that the network wants to be asked again after a while (a rate limit, a full mailbox).
type Later struct {
	After time.Duration
	Why   string
}

func (e *Later) Error() string { return fmt.Sprintf("network: %s: again after %s", e.Why, e.After) }
