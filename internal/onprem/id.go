package onprem

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/google/uuid"

	"kabar"
	"kabar/internal/msgid"
	"kabar/internal/store"
)

// messageID returns the public id of a message between a number and a customer. A customer who hides the number lends the
// id the digits of the business.
func messageID(outbound bool, n *kabar.Number, c kabar.Customer, ref uint64) string {
	return msgid.Encode(outbound, digits(n, c), msgid.Stanza(ref, outbound))
}

func digits(n *kabar.Number, c kabar.Customer) string {
	if c.WaID != "" {
		return c.WaID
	}
	return n.Digits
}

// message finds the message with a public id among those of the number. An id that differs in anything from the one the
// message has is nobody's: ReasonNotFound.
func (a *API) message(ctx context.Context, number kabar.NumberID, id string) (*kabar.Message, error) {
	none := kabar.Refuse(kabar.ReasonNotFound, "", "there is no message with this id")
	outbound, peer, stanza, err := msgid.Decode(id)
	if err != nil {
		return nil, none
	}
	ref, ok := msgid.Ref(stanza)
	if !ok {
		return nil, none
	}
	m, err := a.engine.Message(ctx, number, a.engine.Deref(ref))
	var refused *kabar.Error
	switch {
	case errors.As(err, &refused) && refused.Reason == kabar.ReasonNotFound:
		return nil, none
	case err != nil:
		return nil, err
	case (m.Direction == kabar.Outbound) != outbound:
		return nil, none
	}
	n, err := a.engine.Number(number)
	if err != nil {
		return nil, err
	}
	c, err := a.store.Conversation(ctx, number, m.Conversation)
	if err != nil {
		return nil, store.Refusal(err)
	}
	// The business's own digits are in ids from the time before the customer's number was known.
	if peer != n.Digits && peer != c.Customer.WaID {
		return nil, none
	}
	return m, nil
}

// A media id is a UUID of version 4 to look at. Its 122 free bits are the medium's public number and 58 bits of an HMAC of
// it: what was not made here is refused without a look at the store.

// mediaID returns the public id of a medium.
func (a *API) mediaID(id kabar.MediaID) string { return a.uuid(a.store.HideMedia(id)).String() }

// medium returns the key in a public id; false for what is no id of ours. Whether there is such a medium, and whose it is,
// is another question.
func (a *API) medium(id string) (kabar.MediaID, bool) {
	u, err := uuid.Parse(id)
	if err != nil || u.String() != id { // Parse takes other spellings as well
		return 0, false
	}
	number := uint64(binary.BigEndian.Uint32(u[0:]))<<32 | uint64(binary.BigEndian.Uint16(u[4:]))<<16 |
		uint64(u[6]&0xf)<<12 | uint64(u[7])<<4 | uint64(u[8]>>2&0xf)
	if want := a.uuid(number); !hmac.Equal(want[:], u[:]) {
		return 0, false
	}
	return a.store.RevealMedia(number), true
}

// uuid puts 64 bits of number and 58 of check around the 6 that say version and variant.
func (a *API) uuid(number uint64) uuid.UUID {
	var u uuid.UUID
	check := a.mac("media", int64(number))
	binary.BigEndian.PutUint64(u[8:], binary.BigEndian.Uint64(check)>>6)
	binary.BigEndian.PutUint32(u[0:], uint32(number>>32))
	binary.BigEndian.PutUint16(u[4:], uint16(number>>16))
	u[6] = 0x40 | byte(number>>12)&0xf
	u[7] = byte(number >> 4)
	u[8] = 0x80 | byte(number&0xf)<<2 | u[8]&0x3
	return u
}

// mac returns bytes that only this server can make of a purpose and numbers.
func (a *API) mac(purpose string, numbers ...int64) []byte {
	h := hmac.New(sha256.New, a.secret)
	h.Write([]byte(purpose))
	for _, n := range numbers {
		_ = binary.Write(h, binary.BigEndian, n) // a hash takes everything
	}
	return h.Sum(nil)
}

// billingID returns the id of a billing conversation: 32 hexadecimal digits.
func (a *API) billingID(key int64) string { return hex.EncodeToString(a.mac("billing", key)[:16]) }

// noticeID returns the id of a system message, which is none of the customer's messages: of the event that tells it.
func (a *API) noticeID(n *kabar.Number, ev *kabar.Event) string {
	return msgid.Encode(false, digits(n, ev.Customer), a.mac("notice", int64(ev.Number), ev.Seq)[:msgid.ForeignLen])
}

// wireID returns the public id of a message that only the network knows: of its own if it has the form of one, else the
// network's id as it is.
func wireID(n *kabar.Number, c kabar.Customer, wire string) string {
	stanza, err := hex.DecodeString(wire)
	if err != nil || !slices.Contains([]int{msgid.OutboundLen, msgid.InboundLen, msgid.ForeignLen}, len(stanza)) {
		return wire
	}
	return msgid.Encode(len(stanza) == msgid.OutboundLen, digits(n, c), stanza)
}
