// Package payload is what travels inside the encryption, between a business number and a customer: version 1 of a format
// of its own, so that a change of an API never touches the wire.
//
// A payload is one JSON object with exactly one body. It is written by a driver or a phone, padded and encrypted by e2ee,
// and read by the other side, which trusts who wrote it but not what it says: Decode checks everything. The package knows
// neither keys nor networks. Golden files pin the bytes.
package payload

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"kabar"
)

// Version is the only one there is.
const Version = 1

// MaxSize bounds an encoded payload in bytes. It holds the longest template with every character escaped, and fits into an
// envelope of the relay. Larger content travels as a blob.
const MaxSize = 240 << 10

const (
	maxIDs  = 100 // ids in a receipt or a retry request
	maxName = 256 // bytes of a profile name; a longer one is cut
)

// Payload is one thing said by one side to the other. Exactly one of the bodies is set.
type Payload struct {
	Version int    `json:"v"`
	At      int64  `json:"at"`             // milliseconds since 1970, by the sender's clock
	Name    string `json:"name,omitempty"` // the sender's profile name; customers only
	Was     string `json:"was,omitempty"`  // the account that the sender had before this one; customers who have changed number, or no longer hide it

	Message  *Message       `json:"message,omitempty"`
	Receipt  *Receipt       `json:"receipt,omitempty"`
	Retry    *Retry         `json:"retry,omitempty"`
	Profile  *kabar.Profile `json:"profile,omitempty"` // the business tells who it is
	Deleted  *Deleted       `json:"deleted,omitempty"`
	Blocked  *Blocked       `json:"blocked,omitempty"`
	Reported *Reported      `json:"reported,omitempty"`
	Hello    *Hello         `json:"hello,omitempty"`

	Asked *kabar.FlowQuestion `json:"flow_asked,omitempty"` // the customer fills in a flow that asks the business's server
	Step  *kabar.FlowStep     `json:"flow_step,omitempty"`  // what that has answered

	Tapped *kabar.LinkTap `json:"tapped,omitempty"` // the customer has opened a link of a template

	Typing *Typing `json:"typing,omitempty"` // only as a signal outside the ratchet
}

// Message is a message. Its id is the sender's choice and stays the same however often it is encrypted: 18 hex digits
// from a business (the stanza of its public id), 32 random ones from a customer.
type Message struct {
	ID        string            `json:"id"`
	Kind      kabar.Kind        `json:"kind"`
	Content   json.RawMessage   `json:"content"` // as kabar.EncodeContent writes it, without the keys of either side's store
	Medium    *Medium           `json:"medium,omitempty"`
	Cards     []Medium          `json:"cards,omitempty"` // of the business's cards, in the order of kabar.CardMedia
	ReplyTo   string            `json:"reply_to,omitempty"`
	Target    string            `json:"target,omitempty"` // of a reaction
	Forwarded bool              `json:"forwarded,omitempty"`
	Frequent  bool              `json:"frequent,omitempty"`
	Referral  *kabar.Referral   `json:"referral,omitempty"`
	Picture   *Medium           `json:"picture,omitempty"` // of the referral
	Product   *kabar.ProductRef `json:"product,omitempty"` // what the message is about
}

// Medium says where the encrypted bytes of a medium lie and how to open them.
type Medium struct {
	Blob       string `json:"blob"`        // its id at the relay
	Key        []byte `json:"key"`         // 32 bytes
	CipherHash []byte `json:"cipher_hash"` // SHA-256 of the blob
	CipherSize int64  `json:"cipher_size"` // bytes of the blob
	Size       int64  `json:"size"`        // plain bytes
	SHA256     string `json:"sha256"`      // of the plain bytes, lower-case hex
	MIME       string `json:"mime"`
}

// Receipt says how far messages have come at the sender of the receipt. What is read has been delivered: one receipt is
// enough for both.
type Receipt struct {
	Status string   `json:"status"` // delivered, read or played
	IDs    []string `json:"ids"`    // up to 100
}

// Retry asks for messages that could not be decrypted. It travels in a fresh session, so that the answer can be read. The
// ids are those of the envelopes that could not be read: the sender knows which messages they held.
type Retry struct {
	IDs []string `json:"ids"`
}

// Deleted says that the sender has deleted a message of its own.
type Deleted struct {
	ID string `json:"id"`
}

// Blocked says that the customer has blocked the business, or no longer blocks it.
type Blocked struct {
	Blocked bool `json:"blocked"`
}

// Reported says that the customer has reported the business as spam.
type Reported struct{}

// Hello opens a session and says nothing.
type Hello struct{}

// Typing says that somebody is writing, or has stopped.
type Typing struct {
	On bool `json:"on"`
}

// ErrMalformed is wrapped by every error of Decode.
var ErrMalformed = errors.New("payload: malformed")

// Encode returns the bytes of p. At is set from at.
func Encode(p *Payload, at time.Time) ([]byte, error) {
	out := *p
	out.Version, out.At = Version, at.UnixMilli()
	b, err := json.Marshal(&out)
	if err != nil {
		return nil, fmt.Errorf("encode payload: %w", err)
	}
	if _, err := Decode(b); err != nil {
		return nil, fmt.Errorf("encode payload: %w", err)
	}
	return b, nil
}

// Decode reads and checks a payload. Unknown members are ignored, so that a newer peer may add some, and a message of an
// unknown kind reads as unsupported.
func Decode(b []byte) (*Payload, error) {
	if len(b) > MaxSize {
		return nil, malformed("%d bytes, at most %d", len(b), MaxSize)
	}
	if !utf8.Valid(b) {
		return nil, malformed("invalid UTF-8")
	}
	p := new(Payload)
	if err := json.Unmarshal(b, p); err != nil {
		return nil, malformed("%v", err)
	}
	if p.Version != Version {
		return nil, malformed("version %d, this side knows %d", p.Version, Version)
	}
	if p.At <= 0 {
		return nil, malformed("no time")
	}
	p.Name = clip(p.Name, maxName)
	return p, p.check()
}

func (p *Payload) check() error {
	bodies := 0
	for _, set := range []bool{p.Message != nil, p.Receipt != nil, p.Retry != nil, p.Profile != nil, p.Deleted != nil,
		p.Blocked != nil, p.Reported != nil, p.Hello != nil, p.Typing != nil, p.Asked != nil, p.Step != nil, p.Tapped != nil} {
		if set {
			bodies++
		}
	}
	switch {
	case bodies != 1:
		return malformed("%d bodies, want one", bodies)
	case p.Message != nil:
		return p.Message.check()
	case p.Receipt != nil:
		if _, ok := receiptStatus[p.Receipt.Status]; !ok {
			return malformed("receipt status %q", p.Receipt.Status)
		}
		return checkIDs(p.Receipt.IDs)
	case p.Retry != nil:
		return checkIDs(p.Retry.IDs)
	case p.Deleted != nil:
		return checkIDs([]string{p.Deleted.ID})
	case p.Asked != nil:
		return checkAsked(p.Asked)
	case p.Step != nil:
		return checkStep(p.Step)
	case p.Tapped != nil:
		return checkTapped(p.Tapped)
	}
	return nil
}

var receiptStatus = map[string]kabar.Status{"delivered": kabar.Delivered, "read": kabar.Read, "played": kabar.Played}

// Rank returns the status a receipt reports.
func (r *Receipt) Rank() kabar.Status { return receiptStatus[r.Status] }

func (m *Message) check() error {
	if err := checkIDs([]string{m.ID}); err != nil {
		return err
	}
	for _, id := range []string{m.ReplyTo, m.Target} {
		if id != "" && checkIDs([]string{id}) != nil {
			return malformed("reference %.40q", id)
		}
	}
	if !kinds[m.Kind] {
		if err := m.unsupported(); err != nil {
			return err
		}
	}
	if _, err := kabar.DecodeContent(m.Kind, m.Content); err != nil {
		return malformed("%v", err)
	}
	for _, medium := range []*Medium{m.Medium, m.Picture} {
		if medium != nil && !medium.ok() {
			return malformed("medium")
		}
	}
	if len(m.Cards) > kabar.MaxCards {
		return malformed("%d media of cards, at most %d", len(m.Cards), kabar.MaxCards)
	}
	for n := range m.Cards {
		if !m.Cards[n].ok() {
			return malformed("medium of card %d", n+1)
		}
	}
	return nil
}

func (m *Medium) ok() bool {
	return m.Blob != "" && len(m.Key) == 32 && len(m.CipherHash) == 32 && m.Size >= 0 && m.CipherSize >= m.Size &&
		len(m.SHA256) == 64 && isHex(m.SHA256)
}

// checkIDs wants 1 to 100 ids of 18 or 32 lower-case hex digits.
func checkIDs(ids []string) error {
	if len(ids) == 0 || len(ids) > maxIDs {
		return malformed("%d ids, want 1 to %d", len(ids), maxIDs)
	}
	for _, id := range ids {
		if len(id) != 18 && len(id) != 32 || !isHex(id) {
			return malformed("id %.40q", id)
		}
	}
	return nil
}

func isHex(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}
