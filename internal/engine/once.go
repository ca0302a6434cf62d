package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"kabar"
	"kabar/internal/store"
)

// Once makes a request idempotent: of all requests of a number with the same path and key, one is carried out, and the
// others get its answer. Two that arrive together are decided one after the other by the writer.
type Once struct {
	Path string
	Key  string // 1 to 255 visible ASCII characters
	Hash string // SHA-256 of what is asked for, hex: the same key for anything else is refused
}

// maxOnce is the longest idempotency key.
const maxOnce = 255

// NewOnce reads the values of a request's Idempotency-Key header; nil without one. What is asked for is told to it with Of, once it
// has been read.
func NewOnce(path string, values []string) (*Once, error) {
	if len(values) == 0 {
		return nil, nil
	}
	key := values[0]
	invisible := func(r rune) bool { return r <= ' ' || r > '~' }
	if len(values) > 1 || key == "" || len(key) > maxOnce || strings.ContainsFunc(key, invisible) {
		return nil, kabar.Refuse(kabar.ReasonInvalid, "Idempotency-Key", "must be one value of 1 to %d visible ASCII characters", maxOnce)
	}
	return &Once{Path: path, Key: key}, nil
}

// Of says what is asked for: with the same key, the same bytes are the same request. Without a key it does nothing.
func (o *Once) Of(request []byte) {
	if o == nil {
		return
	}
	sum := sha256.Sum256(request)
	o.Hash = hex.EncodeToString(sum[:])
}

// replay returns the answer that the request got before; nil if it is the first.
func (o *Once) replay(tx *store.Tx, l *line, now time.Time) (*store.Answer, error) {
	if o == nil {
		return nil, nil
	}
	a, err := tx.Answer(l.number.ID, o.Path, o.Key, now)
	return o.same(a, err)
}

// early is replay before the request is looked at: what was accepted once is answered again, whatever has become of its
// medium or template since.
func (o *Once) early(ctx context.Context, db *store.DB, l *line, now time.Time) (*store.Answer, error) {
	if o == nil {
		return nil, nil
	}
	a, err := db.Answer(ctx, l.number.ID, o.Path, o.Key, now)
	return o.same(a, err)
}

func (o *Once) same(a *store.Answer, err error) (*store.Answer, error) {
	if err != nil || a == nil {
		return nil, err
	}
	if a.Hash != o.Hash {
		return nil, kabar.Refuse(kabar.ReasonKeyReused, "Idempotency-Key", "the key was first used with another body")
	}
	return a, nil
}

// remember stores the answer to the first request, which is about a conversation, or 0.
func (o *Once) remember(tx *store.Tx, l *line, now time.Time, status int, body []byte, about kabar.ConversationID) (*store.Answer, error) {
	a := &store.Answer{Status: status, Body: body, At: now, Conversation: about}
	if o == nil {
		return a, nil
	}
	a.Hash = o.Hash
	return a, tx.SaveAnswer(l.number, o.Path, o.Key, a)
}

func (o *Once) want(tx *store.Tx, l *line) {
	if o != nil {
		tx.WantAnswer(l.number.ID, o.Path, o.Key)
	}
}
