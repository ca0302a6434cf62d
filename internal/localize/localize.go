// Package localize writes amounts of money and dates as a language does, with the data of the Unicode CLDR: amounts through
// bojanz/currency, dates by the patterns in dates/, which extract.mjs takes from it.
//
// Languages are those of templates: es, es_ES. A regional form that writes as its language does has no data of its own.
// What a language cannot write, it says so and writes nothing: there is no other language to fall back on. The package
// keeps nothing and is safe for concurrent use.
package localize

import (
	"strconv"
	"strings"

	"github.com/bojanz/currency"

	"kabar"
)

// Format implements kabar.Formatter.
type Format struct{}

// Currency writes an amount with its currency's sign, rounded half up to the digits that the currency has. An unknown
// currency or language is not written.
func (Format) Currency(language string, c *kabar.Currency) (string, bool) {
	if _, known := dataOf(language); !known {
		return "", false
	}
	digits, known := currency.GetDigits(c.Code)
	if !known {
		return "", false
	}
	amount, err := currency.NewAmount(strconv.FormatInt(c.Amount1000, 10)+"e-3", c.Code)
	if err != nil {
		return "", false
	}
	f := currency.NewFormatter(currency.NewLocale(strings.ReplaceAll(language, "_", "-")))
	return f.Format(amount.RoundTo(digits, currency.RoundHalfUp)), true
}
