package kabar

import "time"

// EventKind says what an event reports.
type EventKind string

// The kinds of events.
const (
	EventMessage  EventKind = "message"  // a customer wrote
	EventStatus   EventKind = "status"   // an outbound message came further, or failed
	EventDeleted  EventKind = "deleted"  // a customer deleted a message of theirs
	EventIdentity EventKind = "identity" // a customer has new keys
	EventNumber   EventKind = "number"   // a customer has another phone number: Customer is as it was before
	EventConsent  EventKind = "consent"  // a customer has opted out of marketing, or in again: Consent says which, Detail how

	// These are about the number as a whole: they have no conversation.
	EventContacts  EventKind = "contacts" // who of those the business has asked about is on the network
	EventCollected EventKind = "collected"
	EventFault     EventKind = "fault"    // something outside of any message is amiss: Failure and Detail say what
	EventSecurity  EventKind = "security" // the number has another PIN of two-step verification, or none any more
	EventName      EventKind = "name"     // a name of the number was put before review, or decided upon: Name, Outcome and Declined say how
	EventReview    EventKind = "review"   // the account was, as a business: Outcome says how; told in the log of its oldest number
	EventCredit    EventKind = "credit"   // much of the account's line of credit is used, or all of it
	EventLimits    EventKind = "limits"   // the number has other limits
	EventTemplate  EventKind = "template" // a template of the account has changed: told in the log of the account's oldest number
	EventEndpoint  EventKind = "endpoint" // the state of an endpoint of the number is another: Endpoint says which
)

// Collection is what can be collected.
type Collection string

// The kinds of collections.
const (
	CollectMessages Collection = "messages"
	CollectMedia    Collection = "media"
)

// Collected is the end of a collection.
type Collected struct {
	What    Collection `json:"what"`
	Removed int        `json:"removed"`
	Failed  bool       `json:"failed,omitempty"`
}

// Event is one entry of a number's event log. It is a snapshot: what an endpoint is told later does not depend on what
// has changed since. Events of a number are numbered by Seq without gaps, in commit order.
type Event struct {
	Account      AccountID      `json:"-"`
	Number       NumberID       `json:"-"`
	Seq          int64          `json:"-"`
	Conversation ConversationID `json:"-"`
	Kind         EventKind      `json:"kind"`
	At           time.Time      `json:"at"`
	Customer     Customer       `json:"customer"`

	// Of the message the event is about.
	Message   MessageID  `json:"message,omitempty"`
	Ref       uint64     `json:"ref,omitempty,string"`
	Content   RawContent `json:"content,omitzero"` // EventMessage
	Context   Context    `json:"context,omitzero"`
	ReplyRef  uint64     `json:"reply_ref,omitempty,string"`  // public form of Context.ReplyTo
	ReplyOut  bool       `json:"reply_out,omitempty"`         // the quoted message was the business's own
	TargetRef uint64     `json:"target_ref,omitempty,string"` // EventMessage with a reaction: the message reacted to
	TargetOut bool       `json:"target_out,omitempty"`

	// EventStatus only.
	Status   Status    `json:"status,omitempty"`
	Callback string    `json:"callback,omitempty"` // of the message
	Class    Category  `json:"class,omitempty"`    // what the message by itself is priced as
	Pricing  Pricing   `json:"pricing,omitempty"`  // why it costs, or why not; empty: Category.Pricing
	Of       Kind      `json:"of,omitempty"`       // kind of the message's content
	Failure  Reason    `json:"failure,omitempty"`
	Card     int       `json:"card,omitempty"`    // of a carousel, from 1: what has failed is its medium; 0: no card's
	Billing  int64     `json:"billing,omitempty"` // key of the billing conversation
	Expires  time.Time `json:"expires,omitzero"`  // end of the billing conversation
	Category Category  `json:"category,omitempty"`

	Detail string `json:"detail,omitempty"` // EventFault, EventConsent: one sentence for the developer
	Name   string `json:"name,omitempty"`   // EventName: the one that is asked for

	Outcome  Outcome    `json:"outcome,omitempty"`  // EventName, EventReview; empty in events from before there were reviews: OutcomeApproved
	Declined NameReason `json:"declined,omitempty"` // EventName that is OutcomeRejected

	Hash     string    `json:"hash,omitempty"`      // EventIdentity: the new identity
	NewWaID  string    `json:"new_wa_id,omitempty"` // EventNumber
	Identity *Identity `json:"identity,omitempty"`  // EventMessage: of the customer, as it was then
	Contacts []Contact `json:"contacts,omitempty"`  // EventContacts

	Consent ConsentState `json:"consent,omitempty"` // EventConsent

	Collected *Collected      `json:"collected,omitempty"` // EventCollected
	Template  *TemplateChange `json:"template,omitempty"`  // EventTemplate
	Credit    *CreditAlert    `json:"credit,omitempty"`    // EventCredit
	Limits    *LimitChange    `json:"limits,omitempty"`    // EventLimits
	Endpoint  *EndpointChange `json:"endpoint,omitempty"`  // EventEndpoint
}

// RawContent is a content together with its kind, as one JSON value.
type RawContent struct {
	Kind Kind    `json:"kind"`
	Body rawJSON `json:"body"`
}

// rawJSON is json.RawMessage without making the vocabulary's readers learn that package.
type rawJSON []byte

// MarshalJSON returns the bytes as they are; none are null.
func (r rawJSON) MarshalJSON() ([]byte, error) {
	if len(r) == 0 {
		return []byte("null"), nil
	}
	return r, nil
}

// UnmarshalJSON keeps a copy of the bytes.
func (r *rawJSON) UnmarshalJSON(b []byte) error { *r = append((*r)[:0], b...); return nil }

// Snapshot encodes c for an event.
func Snapshot(c Content) (RawContent, error) {
	b, err := EncodeContent(c)
	return RawContent{Kind: c.Kind(), Body: b}, err
}

// Content decodes the snapshot.
func (r RawContent) Content() (Content, error) { return DecodeContent(r.Kind, r.Body) }
