// Package e164 reads phone numbers as people of all countries write them. What a country writes between its code and the
// number, such as the 0 in "+44 (0)20 7946 0958", it knows from libphonenumber's metadata.
//
// It does not know which numbers exist, and has no home country: a number without its country code is none.
package e164

import (
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// nowhere is the region of numbers that must bring their country code.
const nowhere = "ZZ"

// maxWritten is the longest writing that is looked at, in bytes.
const maxWritten = 64

// Digits returns the digits of a number, country code first, without a plus sign; false when it is none that its country could
// have given out. The country code needs no plus sign before it; what a country
// dials to call abroad (00, 011) is no part of a number.
func Digits(written string) (string, bool) {
	written = strings.TrimSpace(written)
	if len(written) > maxWritten {
		return "", false
	}
	if !strings.HasPrefix(written, "+") && !strings.HasPrefix(written, "tel:") && !strings.HasPrefix(written, "＋") {
		written = "+" + written
	}
	n, err := phonenumbers.Parse(written, nowhere)
	if err != nil || !phonenumbers.IsValidNumber(n) || n.GetExtension() != "" { // nobody at an extension has an app
		return "", false
	}
	return strings.TrimPrefix(phonenumbers.Format(n, phonenumbers.E164), "+"), true
}

// In returns the digits, country code first, of a number that is written as in the country with the calling code cc; with none, as
// from abroad. False when numbers of the country do not have so many digits. Unlike Digits it takes what the country has not given
// out, since fictional numbers are among that.
func In(cc, written string) (string, bool) {
	cc = strings.TrimPrefix(cc, "+")
	region := nowhere
	if cc != "" {
		code, err := strconv.Atoi(cc)
		if region = phonenumbers.GetRegionCodeForCountryCode(code); err != nil || region == nowhere {
			return "", false
		}
	} else {
		written = "+" + strings.TrimPrefix(written, "+")
	}
	n, err := phonenumbers.Parse(written, region)
	if err != nil || !phonenumbers.IsPossibleNumber(n) || n.GetExtension() != "" || cc != "" && strconv.Itoa(int(n.GetCountryCode())) != cc {
		return "", false
	}
	return strings.TrimPrefix(phonenumbers.Format(n, phonenumbers.E164), "+"), true
}

// Region returns the country of a number, given by its digits, as ISO 3166 writes it (ID); empty when no country has such a number.
func Region(digits string) string {
	n, err := phonenumbers.Parse("+"+digits, nowhere)
	if err != nil {
		return ""
	}
	region := phonenumbers.GetRegionCodeForNumber(n)
	if len(region) != 2 || region == nowhere { // 001 is nobody's country
		return ""
	}
	return region
}
