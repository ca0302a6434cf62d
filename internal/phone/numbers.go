package phone

import (
	"math/rand/v2"
	"strings"
)

// plans are mobile numbers that look right in their country: prefix, then so many free digits.
var plans = []struct {
	country, prefix string
	free            int
}{
	{"ID", "62812", 8}, {"ID", "62857", 8}, {"ES", "346", 8}, {"BR", "55119", 8}, {"IN", "9198", 8},
	{"MX", "5255", 8}, {"DE", "49151", 8}, {"NG", "234803", 7}, {"PH", "63917", 7}, {"GB", "447700900", 3},
}

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// madeUpNumber returns a plausible number in digits. It may be taken.
func madeUpNumber() string {
	p := plans[rand.IntN(len(plans))]
	return p.prefix + random(p.free, alphanumeric[:10])
}

// madeUpBSUID returns a business-scoped user id (contract Cloud API, section 2): country, full stop, letters and digits.
func madeUpBSUID() string {
	return plans[rand.IntN(len(plans))].country + "." + random(22, alphanumeric)
}

func random(n int, letters string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[rand.IntN(len(letters))]
	}
	return string(b)
}

// isNumber says whether s may be a phone number in international form: 7 to 15 digits, the first not 0.
func isNumber(s string) bool {
	return len(s) >= 7 && len(s) <= 15 && s[0] != '0' && strings.Trim(s, alphanumeric[:10]) == ""
}

// isBSUID says whether s has the form CC.<1 to 125 letters and digits>: what an account at the relay can hold.
func isBSUID(s string) bool {
	country, id, ok := strings.Cut(s, ".")
	return ok && len(country) == 2 && strings.Trim(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" &&
		id != "" && len(id) <= 125 && strings.Trim(id, alphanumeric) == ""
}
