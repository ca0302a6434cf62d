package engine

import (
	"regexp"
	"strings"

	"kabar"
	"kabar/internal/e164"
)

var (
	bsuid  = regexp.MustCompile(`^[A-Z]{2}\.[0-9A-Za-z]{1,128}$`)
	layout = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "", "\u00a0", "")
)

// ParseRecipient reads what an application calls a customer: a phone number in a usual international writing, or a BSUID.
func ParseRecipient(to string) (kabar.Customer, error) {
	switch {
	case to == "":
		return kabar.Customer{}, kabar.Refuse(kabar.ReasonMissing, "to", "say whom to send to")
	case isPhone(strings.TrimPrefix(to, "+")): // as most are
		return kabar.Customer{WaID: strings.TrimPrefix(to, "+")}, nil
	case bsuid.MatchString(to):
		return kabar.Customer{BSUID: to}, nil
	}
	plain, known := e164.Digits(to)
	if !known { // of a country that is made up, in a private network
		plain = strings.TrimPrefix(layout.Replace(to), "+")
	}
	if isPhone(plain) {
		return kabar.Customer{WaID: plain}, nil
	}
	return kabar.Customer{}, kabar.Refuse(kabar.ReasonInvalid, "to", "is neither a phone number with its country code nor a BSUID")
}

// isPhone reports whether s is a phone number with its country code: 7 to 15 digits that do not begin with 0.
func isPhone(s string) bool {
	if len(s) < 7 || len(s) > 15 || s[0] == '0' {
		return false
	}
	return strings.Trim(s, "0123456789") == ""
}
