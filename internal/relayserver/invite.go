package relayserver

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/big"
	"strings"
	"time"

	"kabar/internal/relayproto"
)

// The form of an invite: prefix, 26 characters of random (130 bits), 7 of checksum, all of A-Z and 2-7. Prefix and checksum
// let a scanner of secrets recognise it, and tell a typing mistake from an invite of another relay.
const (
	invitePrefix = "kri_"
	inviteRandom = 26
	inviteLen    = len(invitePrefix) + inviteRandom + 7
)

// newSecret makes the text of an invite.
func newSecret() string {
	random := rand.Text()[:inviteRandom]
	return invitePrefix + random + checksum(random)
}

func checksum(random string) string {
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], crc32.ChecksumIEEE([]byte(random)))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])
}

// isInvite says whether s has the form of an invite.
func isInvite(s string) bool {
	if len(s) != inviteLen || !strings.HasPrefix(s, invitePrefix) {
		return false
	}
	random := s[len(invitePrefix) : len(invitePrefix)+inviteRandom]
	return s == invitePrefix+random+checksum(random)
}

// The kinds of invites, by whom they admit.
const (
	forBusiness = relayproto.Class_CLASS_BUSINESS
	forHost     = relayproto.Class_CLASS_CUSTOMER
)

// invite is a row of the table.
type invite struct {
	id        int64
	class     relayproto.Class
	account   string // of a business: the only one it admits; empty: any
	host      []byte // SHA-256 of the host's secret; nil: nobody's yet
	seats     int
	createdAt int64 // milliseconds, as those below
	expiresAt int64
	usedAt    int64 // 0: never
	revokedAt int64 // 0: never
}

// What decides about verification codes.
const (
	codeLife = time.Hour // from a code's making to the next one
	maxWrong = 5         // wrong codes that void it
)

// code is a row of the table.
type code struct {
	invite    int64
	account   string
	text      string // six digits; empty when void
	wrong     int
	createdAt int64 // milliseconds
	expiresAt int64
}

// newCode makes six digits.
func newCode() string {
	n, _ := rand.Int(rand.Reader, big.NewInt(1_000_000)) // crypto/rand never fails
	return fmt.Sprintf("%0*d", relayproto.CodeSize, n)
}

// void says whether nobody can register with it any more.
func (c *code) void() bool { return c.wrong >= maxWrong }

// validBusiness says whether s is a phone number, in digits with its country code.
func validBusiness(s string) bool {
	return len(s) >= 7 && len(s) <= 15 && s[0] != '0' && strings.Trim(s, "0123456789") == ""
}

// validCustomer says whether s is a phone number or a business-scoped user id: country, full stop, letters and digits.
func validCustomer(s string) bool {
	country, id, ok := strings.Cut(s, ".")
	return validBusiness(s) || ok && len(country) == 2 && isAlphanumeric(country) && id != "" && isAlphanumeric(id)
}

func isAlphanumeric(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}
