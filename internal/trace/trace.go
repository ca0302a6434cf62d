// Package trace tells what became of a message: its statuses and when, what the rules judged, and which endpoints were told.
//
// It reads the store and changes nothing. When something happened is in the number's event log; a message remembers which
// events are its own (store.Tx.AddEvent), some bytes in a row that is written anyway. So no index of the log is kept, and what
// retention has trimmed from the log is missing here, too. Of deliveries it tells whether an endpoint was told, and the last answer of
// those that go on; every attempt, with when it succeeded, is package deliveries'.
//
// What an API calls things comes from its dialect, through Names. Contents are shown in their stored form, without keys.
package trace

import (
	"context"
	"encoding/json"
	"time"

	"kabar"
	"kabar/internal/store"
)

// Names are what a dialect calls messages and faults.
type Names struct {
	// ID returns the public id of a message between a number and a customer.
	ID func(outbound bool, n *kabar.Number, c kabar.Customer, ref uint64) string
	// Ref returns what a public id stands for; false for what is none.
	Ref func(id string) (ref uint64, ok bool)
	// Own returns the id here of a message that another dialect calls id; other texts as they are.
	Own func(id string) string
	// Code returns the error code of a reason.
	Code func(kabar.Reason) int
}

// Tracer reads what became of messages. It is safe for concurrent use.
type Tracer struct {
	db *store.DB
	n  Names
}

// New returns a Tracer over an open store.
func New(db *store.DB, n Names) *Tracer { return &Tracer{db, n} }

// Of says whose messages are told: of an account, or of a number; zero means all.
type Of struct {
	Account kabar.AccountID
	Number  kabar.NumberID
}

// Has reports whether somebody who may see o sees a number.
func (o Of) Has(n *kabar.Number) bool {
	return (o.Account == 0 || o.Account == n.Account) && (o.Number == 0 || o.Number == n.ID)
}

// Message is a message and what became of it.
type Message struct {
	ID        string          `json:"id"`
	Number    string          `json:"number"`
	WaID      string          `json:"wa_id"` // or the BSUID of a customer who hides the number
	Direction string          `json:"direction"`
	Type      kabar.Kind      `json:"type"`
	Content   json.RawMessage `json:"content"`
	ReplyTo   string          `json:"reply_to,omitempty"` // id of the quoted message
	Target    string          `json:"target,omitempty"`   // id of the message that a reaction is to
	At        time.Time       `json:"at"`
	Expires   time.Time       `json:"expires,omitzero"` // outbound: not sent after this
	Status    string          `json:"status"`
	Judged    Judged          `json:"judged,omitzero"` // outbound

	Timeline   []Step     `json:"timeline,omitempty"`
	Deliveries []Delivery `json:"deliveries,omitempty"`
}

// Judged is what the rules found.
type Judged struct {
	WindowOpen *bool          `json:"window_open,omitempty"` // whether the customer had written in the 24 hours before
	Category   kabar.Category `json:"category,omitempty"`    // what it is billed as
	Failure    kabar.Reason   `json:"failure,omitempty"`
	Code       int            `json:"code,omitzero"` // of the failure, in the API
	Resent     int            `json:"encrypted_again,omitzero"`
}

// Step is a status and when it was reached.
type Step struct {
	Status string    `json:"status"`
	At     time.Time `json:"at"`
	Event  int64     `json:"event,omitzero"`  // its number in the log
	Error  string    `json:"error,omitempty"` // the event cannot be read: the status is "unknown", unless its kind says it
}

// Delivery is how an event of the message stands with an endpoint.
type Delivery struct {
	Event    int64     `json:"event"`
	What     string    `json:"what"`     // "message", "status delivered"…
	Endpoint string    `json:"endpoint"` // its URL; empty when none is set yet
	Dialect  string    `json:"dialect"`  // in which API's words it is told: two endpoints may have one URL
	State    string    `json:"state"`    // waiting, retrying, parked, done: told, or not wanted by filter or settings
	Failures int       `json:"failures,omitzero"`
	Next     time.Time `json:"next,omitzero"`
	Answer   string    `json:"last_answer,omitempty"`
	Error    string    `json:"error,omitempty"` // the event cannot be read: What is no more than its kind
}

// Message returns the message with a public id of any dialect, or ReasonNotFound.
func (t *Tracer) Message(ctx context.Context, of Of, id string) (*Message, error) {
	m, n, c, err := t.find(ctx, of, id)
	if err != nil {
		return nil, err
	}
	return t.whole(ctx, n, c, m, map[kabar.ConversationID]heard{})
}

// Talk returns a function that tells the messages of a conversation, which the caller reads, newest first.
func (t *Tracer) Talk(n *kabar.Number, c *kabar.Conversation) func(context.Context, *kabar.Message) (*Message, error) {
	last := map[kabar.ConversationID]heard{}
	return func(ctx context.Context, m *kabar.Message) (*Message, error) { return t.whole(ctx, n, c, m, last) }
}

// whole says all that is told of a message. last holds what is known of each customer's last message, from later messages.
func (t *Tracer) whole(ctx context.Context, n *kabar.Number, c *kabar.Conversation, m *kabar.Message, last map[kabar.ConversationID]heard) (*Message, error) {
	out, err := t.tell(ctx, n, c, m)
	if err != nil {
		return nil, err
	}
	if m.Direction == kabar.Outbound {
		h, ok := last[m.Conversation]
		if !ok || h.id > m.ID { // it came later than this one
			if h, err = t.heardBefore(ctx, m); err != nil {
				return nil, err
			}
			last[m.Conversation] = h
		}
		out.Judged.WindowOpen = h.windowAt(m)
	}
	return out, t.follow(ctx, m, out)
}

// find returns the message with a public id, its number and its conversation.
func (t *Tracer) find(ctx context.Context, of Of, id string) (*kabar.Message, *kabar.Number, *kabar.Conversation, error) {
	none := kabar.Refuse(kabar.ReasonNotFound, "", "there is no message with this id")
	id = t.n.Own(id)
	ref, ok := t.n.Ref(id)
	if !ok {
		return nil, nil, nil, none
	}
	m, err := t.db.FindMessage(ctx, t.db.Deref(ref))
	if store.IsNotFound(err) {
		return nil, nil, nil, none
	}
	if err != nil {
		return nil, nil, nil, err
	}
	n, _, err := t.db.Number(ctx, m.Number)
	if err != nil {
		return nil, nil, nil, err
	}
	c, err := t.db.Conversation(ctx, n.ID, m.Conversation)
	if err != nil {
		return nil, nil, nil, err
	}
	hidden := t.n.ID(m.Direction == kabar.Outbound, n, kabar.Customer{}, m.Ref) // from before the customer's number was known
	if !of.Has(n) || t.id(n, c, m) != id && hidden != id {
		return nil, nil, nil, none
	}
	return m, n, c, nil
}

func (t *Tracer) id(n *kabar.Number, c *kabar.Conversation, m *kabar.Message) string {
	return t.n.ID(m.Direction == kabar.Outbound, n, c.Customer, m.Ref)
}

// tell says what the message itself knows.
func (t *Tracer) tell(ctx context.Context, n *kabar.Number, c *kabar.Conversation, m *kabar.Message) (*Message, error) {
	content, err := shown(m.Content)
	if err != nil {
		return nil, err
	}
	out := &Message{ID: t.id(n, c, m), Number: n.Digits, WaID: c.Customer.Handle(), Direction: "inbound", Type: m.Content.Kind(), Content: content,
		At: m.At.UTC(), Expires: m.Expires, Status: m.Status.String()}
	if m.Direction == kabar.Outbound {
		out.Direction = "outbound"
		out.Judged = Judged{Category: kabar.CategoryService, Failure: m.Failure, Resent: m.Attempts}
		if m.Failure != "" {
			out.Judged.Code = t.n.Code(m.Failure)
		}
		if tpl, ok := m.Content.(*kabar.Template); ok {
			out.Judged.Category = tpl.Category
		}
	}
	if out.ReplyTo, err = t.idOf(ctx, n, c, m.Context.ReplyTo); err != nil {
		return nil, err
	}
	if r, ok := m.Content.(*kabar.Reaction); ok {
		out.Target, err = t.idOf(ctx, n, c, r.Target)
	}
	return out, err
}

// idOf returns the public id of another message of the conversation; empty for none.
func (t *Tracer) idOf(ctx context.Context, n *kabar.Number, c *kabar.Conversation, id kabar.MessageID) (string, error) {
	if id == 0 {
		return "", nil
	}
	m, err := t.db.Message(ctx, n.ID, id)
	if store.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return t.id(n, c, m), nil
}

// shown is the stored form of a content without the keys of rows, which mean nothing outside.
func shown(c kabar.Content) (json.RawMessage, error) {
	b, err := kabar.EncodeContent(c)
	if err != nil {
		return nil, err
	}
	copied, err := kabar.DecodeContent(c.Kind(), b)
	if err != nil {
		return nil, err
	}
	for _, m := range kabar.AllMedia(copied) {
		m.ID = 0
	}
	switch c := copied.(type) {
	case *kabar.Reaction:
		c.Target = 0
	case *kabar.Template:
		c.Components = nil // what was filled in is in what was rendered
	}
	return kabar.EncodeContent(copied)
}
