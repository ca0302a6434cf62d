package relayserver

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"kabar/internal/relayproto"
)

// ticketFor is how long an upload may take to begin.
const ticketFor = 10 * time.Minute

// ticket allows one upload: these bytes, under this id. Nothing is stored for it: its token carries it, authenticated
// with a key that lives as long as the process. Whoever repeats an upload with it stores the same bytes again.
type ticket struct {
	id      string // of the blob
	owner   int64  // device
	size    int64
	sum     [sha256.Size]byte
	expires time.Time // real time, in whole milliseconds
}

var errTicket = errors.New("relay: invalid or expired ticket")

const ticketSize = relayproto.BlobIDSize + 8 + 8 + sha256.Size + 8

func newTicket(owner int64, ask *relayproto.AskTicket, now time.Time) ticket {
	var random [32]byte
	_, _ = rand.Read(random[:]) // it never fails
	return ticket{
		id:      base64.RawURLEncoding.EncodeToString(random[:]),
		owner:   owner,
		size:    ask.Size,
		sum:     [sha256.Size]byte(ask.Sha256),
		expires: now.Add(ticketFor),
	}
}

// token returns the ticket as a bearer token.
func (t ticket) token(key []byte) string {
	b := append(make([]byte, 0, ticketSize+sha256.Size), t.id...)
	b = binary.BigEndian.AppendUint64(b, uint64(t.owner))
	b = binary.BigEndian.AppendUint64(b, uint64(t.size))
	b = append(b, t.sum[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(t.expires.UnixMilli()))
	return base64.RawURLEncoding.EncodeToString(append(b, mac(key, b)...))
}

func mac(key, b []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(b)
	return m.Sum(nil)
}

// parseTicket returns errTicket for a token that is not ours or too old.
func parseTicket(token string, key []byte, now time.Time) (ticket, error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != ticketSize+sha256.Size || !hmac.Equal(b[ticketSize:], mac(key, b[:ticketSize])) {
		return ticket{}, errTicket
	}
	t := ticket{id: string(b[:relayproto.BlobIDSize])}
	b = b[relayproto.BlobIDSize:]
	t.owner = int64(binary.BigEndian.Uint64(b))
	t.size = int64(binary.BigEndian.Uint64(b[8:]))
	copy(t.sum[:], b[16:])
	t.expires = time.UnixMilli(int64(binary.BigEndian.Uint64(b[16+sha256.Size:])))
	if !now.Before(t.expires) {
		return ticket{}, errTicket
	}
	return t, nil
}
