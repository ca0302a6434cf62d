package e2ee

import (
	"encoding/binary"
	"fmt"
	"time"
)

// reader takes fixed-width fields off the front of a byte slice. It never reads past the end: a short input fails the
// reader once, and every later field is zero.
type reader struct {
	rest []byte
	bad  bool
}

// take returns the next n bytes, aliasing the input, or nil when there are fewer.
func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.rest) {
		r.bad = true
		return nil
	}
	out := r.rest[:n:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) copyInto(dst []byte) { copy(dst, r.take(len(dst))) }

func (r *reader) clone(n int) []byte { return append([]byte(nil), r.take(n)...) }

func (r *reader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// flag reads a byte that must be 0 or 1.
func (r *reader) flag() bool {
	b := r.u8()
	r.require(b <= 1)
	return b == 1
}

// version reads the leading version byte.
func (r *reader) version() { r.require(r.u8() == protoVersion) }

// require fails the reader unless ok.
func (r *reader) require(ok bool) { r.bad = r.bad || !ok }

// end says whether everything was read and nothing is left over.
func (r *reader) end(what string) error {
	if r.bad || len(r.rest) != 0 {
		return fmt.Errorf("%s: %w", what, ErrMalformed)
	}
	return nil
}

func appendU32(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }

func appendU64(b []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(b, v) }

// appendTime writes whole seconds since 1970.
func appendTime(b []byte, t time.Time) []byte { return appendU64(b, uint64(t.Unix())) }

func (r *reader) time() time.Time { return time.Unix(int64(r.u64()), 0) }

func appendFlag(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}
