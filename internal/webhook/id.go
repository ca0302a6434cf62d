package webhook

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"

	"kabar"
)

// idEncoding is base32 in lower case: ids have no characters that need escaping, and no dots.
var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// requestID returns the webhook-id of a request. In Kabar's own dialect that of one event is the event's id, the same at every endpoint.
func (s *session) requestID(events []*item) string {
	if s.dialect == kabar.Kabar && len(events) == 1 {
		return s.o.Store.EventID(s.number, events[0].seq, events[0].at)
	}
	return requestID(s.salt, s.of, events)
}

// requestID returns the webhook-id of a request: the same for every attempt to tell of the same events, in every process.
// The salt is the endpoint's key behind the store's secret permutation, so that two servers, whose endpoints and events
// have the same small numbers, never give the same id; the time keeps events apart whose seq is given anew after an old
// backup was restored.
func requestID(salt uint64, e kabar.EndpointID, events []*item) string {
	b := make([]byte, 0, 64+16*len(events))
	b = append(b, "kabar webhook-id 1"...)
	b = binary.BigEndian.AppendUint64(b, salt)
	b = binary.BigEndian.AppendUint64(b, uint64(e))
	for _, ev := range events {
		b = binary.BigEndian.AppendUint64(b, uint64(ev.seq))
		b = binary.BigEndian.AppendUint64(b, uint64(ev.at.UnixMilli()))
	}
	sum := sha256.Sum256(b)
	return "evt_" + idEncoding.EncodeToString(sum[:16])
}
