package e2ee

import "bytes"

const (
	fineStep   = 160  // buckets are its multiples up to coarseStep,
	coarseStep = 1600 // and multiples of this from there on
	maxPadded  = 160 * coarseStep
)

// bucket returns the padded length of content of n bytes, the marker byte included: 16, 64, then multiples of 160 up to
// 1,600, then multiples of 1,600.
func bucket(n int) int {
	switch {
	case n <= 16:
		return 16
	case n <= 64:
		return 64
	case n <= coarseStep:
		return roundUp(n, fineStep)
	default:
		return roundUp(n, coarseStep)
	}
}

func roundUp(n, step int) int { return (n + step - 1) / step * step }

// isBucket says whether n is a length that pad produces.
func isBucket(n int) bool { return n > 0 && n <= maxPadded && bucket(n) == n }

// pad appends the marker 0x80 and zeros up to the bucket (ISO/IEC 7816-4), into a new slice.
func pad(plaintext []byte) []byte {
	out := make([]byte, bucket(len(plaintext)+1))
	copy(out, plaintext)
	out[len(plaintext)] = 0x80
	return out
}

// unpad undoes pad. It accepts only what pad produces.
func unpad(padded []byte) ([]byte, bool) {
	content := bytes.TrimRight(padded, "\x00")
	n := len(content) - 1
	if n < 0 || content[n] != 0x80 || bucket(n+1) != len(padded) {
		return nil, false
	}
	return content[:n:n], true
}
