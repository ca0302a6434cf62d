// Package kabar is the vocabulary of the product: messages and their content, customers, numbers, accounts, templates,
// conversations, events, endpoints, and the pure rules about them.
//
// Read it first. It holds nouns and decisions only: no I/O, no clock, no goroutine, nothing but the standard library.
// Whoever needs the time is handed it. Everything that talks to a database, a network or an API lives in internal/ and
// speaks these words. ARCHITECTURE.md shows how the pieces fit.
//
// Limits and names follow the contract of the On-Premises API (section 1.5 for content, section 3 for refusals); both API
// dialects translate to and from the types here and decide nothing themselves.
package kabar

import "time"

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

// Account is a business account: the owner of numbers, templates and a line of credit.
type Account struct {
	ID   AccountID
	Name string
}

// Number is one business phone number.
type Number struct {
	ID             NumberID
	Account        AccountID
	Digits         string // E.164 without the plus sign
	Profile        Profile
	ProfileVersion int64 // raised with every change of Profile
}

// Profile is what customers see of a business. It travels to them inside the encryption.
type Profile struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"` // up to 512 characters
	Address     string   `json:"address,omitempty"`     // up to 256 characters
	Email       string   `json:"email,omitempty"`       // up to 128 characters
	Websites    []string `json:"websites,omitempty"`    // up to two of 256 characters each
}

// Customer is a person who talks to a number. At least one of WaID and BSUID is set: since 2026 a customer may hide the
// phone number, so neither is the identity; the conversation's key is.
type Customer struct {
	WaID  string // phone number in digits; empty when hidden
	BSUID string // business-scoped user id; empty when unknown
	Name  string // as the customer's own profile says; may be empty
}

// Handle is what APIs call the customer by: the wa_id, or the BSUID of one who hides the number.
func (c Customer) Handle() string {
	if c.WaID != "" {
		return c.WaID
	}
	return c.BSUID
}

// Window is how long free-form messages are allowed after the customer's last message.
const Window = 24 * time.Hour

// Conversation is the state between one number and one customer.
type Conversation struct {
	ID           ConversationID
	Account      AccountID
	Number       NumberID
	Customer     Customer
	LastMessage  MessageID // newest message; history walks Message.Prev from here
	LastInbound  time.Time // time of the customer's newest message, by the customer's clock, never in the future
	Blocked      bool      // the customer has blocked the number
	Billing      Billing
	ProfileSent  int64 // version of the number's profile this customer has
	IdentityHash string
}

// WindowOpen reports whether free-form messages are allowed at now.
func (c *Conversation) WindowOpen(now time.Time) bool {
	return !c.LastInbound.IsZero() && now.Before(c.LastInbound.Add(Window))
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
