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
)

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
	Failure  Reason    `json:"failure,omitempty"`
	Billing  int64     `json:"billing,omitempty"` // key of the billing conversation
	Expires  time.Time `json:"expires,omitzero"`  // end of the billing conversation
	Category Category  `json:"category,omitempty"`

	Hash string `json:"hash,omitempty"` // EventIdentity: the new identity
}

// RawContent is a content together with its kind, as one JSON value.
type RawContent struct {
	Kind Kind    `json:"kind"`
	Body rawJSON `json:"body"`
}

// rawJSON is json.RawMessage without making the vocabulary's readers learn that package.
type rawJSON []byte

// MarshalJSON returns the bytes as they are.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// UnmarshalJSON keeps a copy of the bytes.
func (r *rawJSON) UnmarshalJSON(b []byte) error { *r = append((*r)[:0], b...); return nil }

// Snapshot encodes c for an event.
func Snapshot(c Content) (RawContent, error) {
	b, err := EncodeContent(c)
	return RawContent{Kind: c.Kind(), Body: b}, err
}

// Content decodes the snapshot.
func (r RawContent) Content() (Content, error) { return DecodeContent(r.Kind, r.Body) }
