package e2ee

import (
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"strings"
)

// safetyRounds makes searching for an identity with a look-alike number expensive.
const safetyRounds = 5200

// SafetyNumber is 60 digits that two people compare out loud: 30 for each side, the smaller first, so both see the same. The
// id is one that does not change with the device, such as the account. It changes when either identity does.
func SafetyNumber(a PublicIdentity, aID string, b PublicIdentity, bID string) string {
	x, y := safetyHalf(a, aID), safetyHalf(b, bID)
	if y < x {
		x, y = y, x
	}
	return x + y
}

// safetyHalf is 30 digits of SHA-512 iterated over the identity and the id.
func safetyHalf(identity PublicIdentity, id string) string {
	keys := identity.keys()
	sum := sha512.Sum512(append(append([]byte{0, protoVersion}, keys...), id...))
	buf := make([]byte, 0, len(sum)+len(keys))
	for range safetyRounds {
		sum = sha512.Sum512(append(append(buf, sum[:]...), keys...))
	}
	var digits strings.Builder
	for i := 0; i < 30; i += 5 {
		var word [8]byte
		copy(word[3:], sum[i:i+5])
		fmt.Fprintf(&digits, "%05d", binary.BigEndian.Uint64(word[:])%100000)
	}
	return digits.String()
}
