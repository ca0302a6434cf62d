// Package kabar is the vocabulary of the product: messages and their content, customers, numbers, accounts, templates,
// conversations, events, endpoints, and the pure rules about them.
//
// Read it first. It holds nouns and decisions only: no I/O, no clock, no goroutine, nothing but the standard library.
// Whoever needs the time is handed it. Everything that talks to a database, a network or an API lives in internal/ and
// speaks these words. ARCHITECTURE.md shows how the pieces fit.
//
// Limits and names follow the contracts of the On-Premises API (section 1.5 for content, section 3 for refusals) and of the Cloud
// API (section 1.1, for what only that has); both API dialects translate to and from the types here and decide nothing themselves.
package kabar

import (
	"cmp"
	"time"
)

// Keys of rows. All come from one growing sequence, so that a key says what is older; none of them leaves the server
// unpermuted. Zero means "none".
type (
	// AccountID is the key of a business account (WABA).
	AccountID int64
	// NumberID is the key of a business phone number.
	NumberID int64
	// ConversationID is the key of what one number and one customer have with each other.
	ConversationID int64
	// MessageID is the key of a message, inbound or outbound.
	MessageID int64
	// MediaID is the key of a stored medium.
	MediaID int64
	// EndpointID is the key of a webhook endpoint.
	EndpointID int64
)

// Account is a business account: the owner of numbers, templates and flows.
type Account struct {
	ID       AccountID
	Name     string
	Currency string // it is billed in, ISO 4217; DefaultCurrency when it is added without one
	Timezone string // whose days and months prices follow, as of the tz database; DefaultTimezone when it is added without one
	Created  time.Time
	Client   bool // it belongs to a client of whoever runs the server

	Verification Verification // of the business; NotVerified when it is added without
}

// What an account has that is added without them.
const (
	DefaultCurrency = "USD"
	DefaultTimezone = "UTC"
)

// Number is one business phone number.
type Number struct {
	ID             NumberID
	Account        AccountID
	Digits         string // E.164 without the plus sign
	Profile        Profile
	ProfileVersion int64 // raised with every change of Profile
	Created        time.Time
}

// Peer returns the digits that the ids of messages with a customer carry. A customer who hides the number lends them those of
// the business; one who has changed number keeps those that it had first.
func (n *Number) Peer(c Customer) string { return cmp.Or(c.Former, c.WaID, n.Digits) }

// Profile is what customers see of a business. It travels to them inside the encryption.
type Profile struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"` // up to 512 characters
	Address     string   `json:"address,omitempty"`     // up to 256 characters
	Email       string   `json:"email,omitempty"`       // up to 128 characters
	Websites    []string `json:"websites,omitempty"`    // up to two of 256 characters each
	Vertical    string   `json:"vertical,omitempty"`    // one of Verticals
	About       string   `json:"about,omitempty"`       // up to 139 characters
	Photo       []byte   `json:"photo,omitempty"`       // a square JPEG of at most MaxProfilePhoto bytes
	Hours       *Hours   `json:"hours,omitempty"`       // never changed: another takes its place; nil: nobody has said
}

// Customer is a person who talks to a number. At least one of WaID and BSUID is set: since 2026 a customer may hide the
// phone number, so neither is the identity; the conversation's key is.
type Customer struct {
	WaID  string // phone number in digits; empty when hidden
	BSUID string // business-scoped user id; empty when unknown
	Name  string // as the customer's own profile says; may be empty
	// Former is the wa_id that the customer had first, if it has changed: ids of messages name it, so that they stay as they
	// are.
	Former string `json:",omitempty"`
}

// Handle is what APIs call the customer by: the wa_id, or the BSUID of one who hides the number.
func (c Customer) Handle() string {
	if c.WaID != "" {
		return c.WaID
	}
	return c.BSUID
}

// Conversation is the state between one number and one customer.
type Conversation struct {
	ID          ConversationID
	Account     AccountID
	Number      NumberID
	Customer    Customer
	LastMessage MessageID // newest message; history walks Message.Prev from here
	LastInbound time.Time // time of the customer's newest message, by the customer's clock, never in the future
	Blocked     bool      // the customer has blocked the number; whom the number blocks is barred
	Barred      time.Time // when the number has blocked the customer; zero: it does not
	Billing     Billing
	ProfileSent int64 // version of the number's profile this customer has

	AdTapped   time.Time // when the customer last wrote by way of an ad; zero: never
	EntryPoint time.Time // end of the entry point that the business's reply to that has opened; zero: there was none

	Pair Pair      // what was sent of late; counted where Limits.PairRate asks for it
	Away time.Time // when the number's away message was last sent

	IdentityHash    string // of the customer's present keys; empty before the first
	IdentitySince   time.Time
	IdentityPending bool // it has replaced another one, and the business has to acknowledge that
}

// Identity returns the customer's identity; nil while none is known.
func (c *Conversation) Identity() *Identity {
	if c.IdentityHash == "" {
		return nil
	}
	return &Identity{c.IdentityHash, c.IdentitySince, !c.IdentityPending}
}

// Billing is the 24-hour conversation that statuses name in their conversation and pricing objects.
type Billing struct {
	ID       int64     // its key; zero before the first
	Category Category  // what opened it
	Expires  time.Time // end of the 24 hours
}

// Open reports whether the billing conversation still holds for category at now.
func (b Billing) Open(now time.Time, category Category) bool {
	return b.ID != 0 && b.Category == category && now.Before(b.Expires)
}
