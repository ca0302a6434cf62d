package kabar

import "time"

// Direction says who wrote a message.
type Direction int8

// The directions.
const (
	Outbound Direction = 1 // the business to the customer
	Inbound  Direction = 2 // the customer to the business
)

// Message is one message of a conversation.
type Message struct {
	ID           MessageID
	Ref          uint64 // the key behind the server's permutation; public ids of both dialects are made of it
	Account      AccountID
	Number       NumberID
	Conversation ConversationID
	Prev         MessageID // the message before it in the conversation; zero at the first
	Direction    Direction
	Status       Status
	Content      Content
	Context      Context
	At           time.Time   // accepted (outbound) or written by the customer (inbound)
	Expires      time.Time   // outbound: not sent after this; zero means the default
	Failure      Reason      // set when Status is Failed
	FailedCard   int         // outbound, while it fails: Event.Card
	Attempts     int         // how often it was encrypted anew after a retry request
	IfClosed     *Template   // outbound: what it becomes if its turn comes when the window is closed; nil: it fails
	Taps         map[int]int // outbound: how often the customer has opened each of its links, by LinkTap.Place
	Wire         string      // inbound: the network's id of it
	Held         bool        // outbound, while it is being accepted: it waits until it is known how customers take its template
	Pricing      Pricing     // outbound: why it costs, or why not; empty: Category.Pricing
	Charge       int64       // outbound: the entry of the ledger that reserves what it costs; 0: it costs nothing
	Events       []int64     // seqs of the events that tell of it, oldest first; the store keeps them
}

// DefaultTTL is how long an outbound message is tried when the sender sets no ttl.
const DefaultTTL = 30 * 24 * time.Hour

// MaxResends is how often a message is encrypted again for a customer who could not decrypt it.
const MaxResends = 3

// Context ties a message to another one.
type Context struct {
	ReplyTo   MessageID   `json:"reply_to,omitempty"` // the quoted message of the same conversation
	Unknown   string      `json:"unknown,omitempty"`  // the network's id of a quoted message that we do not have
	Forwarded bool        `json:"forwarded,omitempty"`
	Frequent  bool        `json:"frequent,omitempty"` // forwarded many times
	Referral  *Referral   `json:"referral,omitempty"`
	Product   *ProductRef `json:"product,omitempty"` // the product of a catalog that the message is about
	// Callback is what the sender wants to be told again with every status of the message.
	Callback string `json:"callback,omitempty"`
}

// ProductRef names a product of a catalog.
type ProductRef struct {
	Catalog    string `json:"catalog_id"`
	RetailerID string `json:"product_retailer_id"`
}

// Referral is the ad or post from which the customer opened the chat.
type Referral struct {
	Headline   string  `json:"headline,omitempty"`
	Body       string  `json:"body,omitempty"`
	SourceType string  `json:"source_type,omitempty"` // "ad" or "post"
	SourceID   string  `json:"source_id,omitempty"`
	SourceURL  string  `json:"source_url,omitempty"`
	Kind       Kind    `json:"kind,omitempty"`   // of its picture: KindImage or KindVideo; empty: it has none
	Medium     MediaID `json:"medium,omitempty"` // the picture, once it has been downloaded
}
