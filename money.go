package kabar

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Money is an amount in millionths of a currency's unit: a message costs fractions of a cent. Its text is a decimal with at least two
// digits behind the point, "12.50" or "0.0043".
type Money int64

// MaxMoney is the largest amount that can be written: a billion of a currency's units.
const MaxMoney Money = 1_000_000_000 * moneyUnit

const (
	moneyUnit   = 1_000_000
	moneyDigits = 6 // behind the point
	moneyShown  = 2 // of them at least
)

// ParseMoney reads a decimal with at most six digits behind the point, of up to MaxMoney. There is no sign but a minus, no exponent and
// no separator of thousands.
func ParseMoney(s string) (Money, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, part, pointed := strings.Cut(digits, ".")
	if whole == "" || pointed && part == "" || len(part) > moneyDigits || !isDigits(whole) || !isDigits(part) {
		return 0, fmt.Errorf("%.40q is no amount: write a decimal such as 12.50, with up to %d digits behind the point", s, moneyDigits)
	}
	n, err := strconv.ParseInt(whole+part+strings.Repeat("0", moneyDigits-len(part)), 10, 64)
	if err != nil || n > int64(MaxMoney) {
		return 0, fmt.Errorf("%.40q is too much: the most is %s", s, MaxMoney)
	}
	if negative {
		n = -n
	}
	return Money(n), nil
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

func (m Money) String() string {
	sign, n := "", uint64(m)
	if m < 0 {
		sign, n = "-", uint64(-m)
	}
	part := fmt.Sprintf("%0*d", moneyDigits, n%moneyUnit)
	return sign + strconv.FormatUint(n/moneyUnit, 10) + "." + part[:moneyShown] + strings.TrimRight(part[moneyShown:], "0")
}

// Units returns the amount as a number of the currency's unit, for those who cannot read a decimal: it is exact up to 15 digits.
func (m Money) Units() float64 { return float64(m) / moneyUnit }

// MarshalText implements encoding.TextMarshaler.
func (m Money) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *Money) UnmarshalText(b []byte) error {
	v, err := ParseMoney(string(b))
	if err == nil {
		*m = v
	}
	return err
}

// Add returns the sum; it stays at the ends of what an int64 holds.
func (m Money) Add(other Money) Money {
	sum := m + other
	switch {
	case m > 0 && other > 0 && sum < 0:
		return math.MaxInt64
	case m < 0 && other < 0 && sum >= 0:
		return math.MinInt64
	}
	return sum
}
