package phone

import (
	"encoding/json"
	"time"

	"kabar"
)

// Customer is one simulated handset and the person who holds it, as the control API shows them.
type Customer struct {
	WaID         string `json:"wa_id"` // digits; the BSUID of a customer who hides the number
	BSUID        string `json:"bsuid,omitempty"`
	Name         string `json:"name"`
	HideNumber   bool   `json:"hide_number"`
	Online       bool   `json:"online"`        // connected to the relay
	ReadReceipts bool   `json:"read_receipts"` // tell the business what has been read
	AutoRead     bool   `json:"auto_read"`     // read what arrives at once
	AutoReply    bool   `json:"auto_reply"`    // answer what arrives with an echo
	Blocked      bool   `json:"blocked"`       // the customer has blocked the business
}

// Message is one bubble of a chat as its handset sees it. Content members are named like the kind, in the shape of the
// /v1 webhooks: "text":{"body":…}, "image":{"id":…,"caption":…}, "interactive":{…}.
type Message struct {
	ID        string    // public form, as both sides of the API would show it (msgid)
	Wire      string    // id inside the encryption
	Seq       int64     // place in the handset's history, growing; what "after" and "next" count
	From, To  string    // handles
	Mine      bool      // written by the customer
	At        time.Time // by the sender's clock
	Kind      kabar.Kind
	Content   kabar.Content                // with media: MIME, SHA256, Size, Caption, Filename set; ID is the handset's own media key
	Media     string                       // id for GET …/media/{id}; empty if there is none
	Cards     map[kabar.MediaID]CardMedium // of a carousel: by the keys that the media of its cards have in Content; without those that did not come along
	Context   string                       // public id of the quoted message
	Target    string                       // of a reaction: public id of the message it is about
	Forwarded bool
	Frequent  bool              // forwarded many times
	Referral  *kabar.Referral   // the ad or post the customer comes from; Media is its picture then
	Product   *kabar.ProductRef // what the message is about
	Status    kabar.Status      // ticks: Accepted (clock), Sent, Delivered, Read; Received for the business's messages, Read once read
	Deleted   bool
	Reactions []Reaction
	Failure   string          // why Status is Failed, in words
	NoMedia   string          // why the medium could not be fetched, in words; empty: it was, or is on its way
	Flow      *FlowPage       // of a flow that is gone through screen by screen, once it was opened
	JSON      json.RawMessage // the message as the control API prints it
}

// FlowPage is what a customer sees of a flow that is gone through screen by screen.
type FlowPage struct {
	Screen  string         `json:"screen,omitempty"` // empty: it does not begin, or has ended
	Data    map[string]any `json:"data,omitempty"`
	Answers map[string]any `json:"values,omitempty"`   // what was filled in before
	Back    bool           `json:"back,omitzero"`      // there is a screen before this one
	Waiting bool           `json:"waiting,omitzero"`   // the business's server is being asked
	Fault   string         `json:"error,omitempty"`    // what the customer is told
	Over    bool           `json:"over,omitzero"`      // it cannot be filled in any more
	Reply   string         `json:"reply_id,omitempty"` // public id of the message that it has ended with

	All kabar.FlowAnswers `json:"-"` // what was filled in on all screens
}

// CardMedium is the medium on a card of a carousel.
type CardMedium struct {
	Media   string `json:"id"`      // id for GET …/media/{id}
	NoMedia string `json:"failure"` // why it could not be fetched, in words; empty: it was, or is on its way
}

// Reaction is an emoji somebody put on a message.
type Reaction struct {
	Mine  bool
	Emoji string
}

// Change tells whoever watches a phone what has happened. It carries no content: read what it names.
type Change struct {
	Customer string // whose handset; empty: the list of customers has changed
	Message  string // public id of the new or changed message; empty: the customer, typing or the business's profile
	Typing   bool   // the business is writing
}
