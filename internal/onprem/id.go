package onprem

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"github.com/google/uuid"

	"kabar"
	"kabar/internal/msgid"
)

// MessageID returns the public id of a message between a number and a customer.
func MessageID(outbound bool, n *kabar.Number, c kabar.Customer, ref uint64) string {
	return msgid.Encode(outbound, n.Peer(c), msgid.Stanza(ref, outbound))
}

// MessageRef returns what a public id stands for, and false for what is none of this API's.
func MessageRef(id string) (ref uint64, ok bool) {
	_, _, stanza, err := msgid.Decode(id)
	if err != nil {
		return 0, false
	}
	return msgid.Ref(stanza)
}

// OwnID returns the id that this API gives a message to which the Cloud API gives another; other texts as they are.
func OwnID(id string) string {
	outbound, peer, stanza, err := msgid.DecodeWamid(id)
	if err != nil {
		return id
	}
	return msgid.Encode(outbound, peer, stanza)
}

// message finds the message with a public id among those of the number. An id that differs in anything from the one the
// message has is nobody's: ReasonNotFound.
func (a *API) message(ctx context.Context, number kabar.NumberID, id string) (*kabar.Message, error) {
	outbound, peer, stanza, err := msgid.Decode(id)
	if err != nil {
		return nil, kabar.Refuse(kabar.ReasonNotFound, "", "there is no message with this id")
	}
	return a.engine.Identified(ctx, number, outbound, peer, stanza)
}

// A media id is a UUID of version 4 to look at. Its 122 free bits are the medium's public number and 58 bits of an HMAC of
// it: what was not made here is refused without a look at the store.

// MediaID returns the public id of a medium.
func (a *API) MediaID(id kabar.MediaID) string { return a.uuid(a.store.HideMedia(id)).String() }

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

// digest is what a mac is made with. One that has been used is ready at half the cost: it has digested the key.
type digest struct {
	hash hash.Hash
	said []byte
}

// mac returns bytes that only this server can make of a purpose and numbers.
func (a *API) mac(purpose string, numbers ...int64) []byte {
	d, kept := a.digests.Get().(*digest)
	if !kept {
		d = &digest{hash: hmac.New(sha256.New, a.secret)}
	}
	defer a.digests.Put(d)
	d.said = append(d.said[:0], purpose...)
	for _, n := range numbers {
		d.said = binary.BigEndian.AppendUint64(d.said, uint64(n))
	}
	d.hash.Reset()
	d.hash.Write(d.said)
	return d.hash.Sum(nil)
}

// billingID returns the id of a billing conversation: 32 hexadecimal digits.
func (a *API) billingID(key int64) string { return hex.EncodeToString(a.mac("billing", key)[:16]) }

// noticeID returns the id of a system message, which is none of the customer's messages: of the event that tells it.
func (a *API) noticeID(n *kabar.Number, ev *kabar.Event) string {
	return msgid.Encode(false, n.Peer(ev.Customer), a.mac("notice", int64(ev.Number), ev.Seq)[:msgid.ForeignLen])
}

// wireID returns the public id of a message that only the network knows: of its own if it has the form of one, else the
// network's id as it is.
func wireID(n *kabar.Number, c kabar.Customer, wire string) string {
	stanza, outbound, ok := msgid.Wire(wire)
	if !ok {
		return wire
	}
	return msgid.Encode(outbound, n.Peer(c), stanza)
}
