package graph

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"

	"kabar"
	"kabar/internal/msgid"
)

// nodeID is the public id of a row.
func (a *API) nodeID(key int64) string { return strconv.FormatUint(a.store.Node(key), 10) }

// nodeKey returns the key in a public id, which has one spelling.
func (a *API) nodeKey(id string) (int64, bool) {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != id {
		return 0, false
	}
	return a.store.NodeKey(n)
}

// mac returns bytes that only this server can make of a purpose and numbers.
func (a *API) mac(purpose string, numbers ...int64) []byte {
	h := hmac.New(sha256.New, a.secret)
	b := []byte(purpose)
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	h.Write(b)
	return h.Sum(nil)
}

// namespaceOf writes bytes that cannot be guessed in the form of a namespace.
func namespaceOf(b []byte) string {
	return fmt.Sprintf("%x_%x_4%03x_%x_%x", b[0:4], b[4:6], binary.BigEndian.Uint16(b[6:])&0xfff, b[8:10], b[10:16])
}

// messageID returns the public id of a message between a number and a customer.
func messageID(outbound bool, n *kabar.Number, c kabar.Customer, ref uint64) string {
	return msgid.EncodeWamid(outbound, n.Peer(c), msgid.Stanza(ref, outbound))
}

// message finds the message with a public id among those of the number. An id that differs in anything from the one the
// message has is nobody's: ReasonNotFound.
func (a *API) message(ctx context.Context, number kabar.NumberID, id string) (*kabar.Message, error) {
	outbound, peer, stanza, err := msgid.DecodeWamid(id)
	if err != nil {
		return nil, kabar.Refuse(kabar.ReasonNotFound, "", "there is no message with this id")
	}
	return a.engine.Identified(ctx, number, outbound, peer, stanza)
}

// medium returns the key in a public id; false for what is no id of ours.
func (a *API) medium(id string) (kabar.MediaID, bool) {
	key, ok := a.nodeKey(id)
	return kabar.MediaID(key), ok
}

// wireID returns the public id of a message that only the network knows: of its own if it has the form of one, else the
// network's id as it is.
func wireID(n *kabar.Number, c kabar.Customer, wire string) string {
	stanza, outbound, ok := msgid.Wire(wire)
	if !ok {
		return wire
	}
	return msgid.EncodeWamid(outbound, n.Peer(c), stanza)
}
