package webhook

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"time"

	"kabar"
)

// idEncoding is base32 in lower case: ids have no characters that need escaping, and no dots.
var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// eventID returns the webhook-id of an event: the same for every attempt, in every process. The salt is the endpoint's
// key behind the store's secret permutation, so that two servers, whose endpoints and events have the same small numbers,
// never give the same id; the time keeps events apart whose seq is given anew after an old backup was restored.
func eventID(salt uint64, e kabar.EndpointID, seq int64, at time.Time) string {
	b := []byte("kabar webhook-id 1")
	for _, n := range []uint64{salt, uint64(e), uint64(seq), uint64(at.UnixMilli())} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	sum := sha256.Sum256(b)
	return "evt_" + idEncoding.EncodeToString(sum[:16])
}
