package feed

import (
	"encoding/base64"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"

	"kabar"
)

// Cursor says how far the logs of numbers have been read: by their digits, the seq of the last event that was. To those who are given one
// it is a token that means nothing. A number that it does not name has not been read at all: it was added since.
type Cursor map[string]int64

// cursorTag begins each token. Another form would have another one.
const cursorTag = "cur1_"

// String returns the token: the numbers in order, and with each its seq.
func (c Cursor) String() string {
	var b []byte
	for _, digits := range slices.Sorted(maps.Keys(c)) {
		n, err := strconv.ParseUint(digits, 10, 64)
		if err != nil {
			continue // E.164 has 15 digits at most
		}
		b = binary.AppendUvarint(binary.AppendUvarint(b, n), uint64(c[digits]))
	}
	return cursorTag + base64.RawURLEncoding.EncodeToString(b)
}

// ParseCursor reads a token. Anything but what String returns is refused: ReasonInvalid.
func ParseCursor(token string) (Cursor, error) {
	bad := kabar.Refuse(kabar.ReasonInvalid, "after", "is no cursor: give the next of an answer, or the id of an event of the stream, as it is")
	if len(token) < len(cursorTag) || token[:len(cursorTag)] != cursorTag {
		return nil, bad
	}
	b, err := base64.RawURLEncoding.DecodeString(token[len(cursorTag):])
	if err != nil {
		return nil, bad
	}
	c := Cursor{}
	for len(b) > 0 {
		n, used := binary.Uvarint(b)
		if used <= 0 {
			return nil, bad
		}
		seq, more := binary.Uvarint(b[used:])
		if more <= 0 || int64(seq) < 0 {
			return nil, bad
		}
		b = b[used+more:]
		c[strconv.FormatUint(n, 10)] = int64(seq)
	}
	if len(c) > MaxNumbers || c.String() != token {
		return nil, bad
	}
	return c, nil
}
