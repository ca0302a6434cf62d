package e164

import (
	"strconv"

	"github.com/nyaruka/phonenumbers"
)

// International returns digits as people write a number: +62 811-1000-200. Those of no known country get a plus sign alone.
func International(digits string) string {
	n, err := phonenumbers.Parse("+"+digits, "")
	if err != nil {
		return "+" + digits
	}
	return phonenumbers.Format(n, phonenumbers.INTERNATIONAL)
}

// CountryCode returns the calling code that digits begin with; "" for those of no known country.
func CountryCode(digits string) string {
	n, err := phonenumbers.Parse("+"+digits, "")
	if err != nil {
		return ""
	}
	return strconv.Itoa(int(n.GetCountryCode()))
}
