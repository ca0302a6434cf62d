package eventjson

import (
	"bytes"

	"kabar"
)

// Join makes one body of those of several events: an array of them, in their order, byte for byte. It is for endpoints that ask for it;
// otherwise an event comes alone, and in no array.
func (d *Dialect) Join(bodies [][]byte) ([]byte, error) {
	joined := append([]byte{'['}, bytes.Join(bodies, []byte{','})...)
	return append(joined, ']'), nil
}

// Ordered reports whether a body shows in which order two events happened: there is one array.
func (d *Dialect) Ordered(_, _ kabar.EventKind) bool { return true }
