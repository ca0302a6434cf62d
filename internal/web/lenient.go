package web

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// StringOrInt reads a JSON string or a whole number and holds its text as sent; other values are a WrongType. Some
// clients send "0" where others send 0. It is written as a string. A null leaves it unchanged.
type StringOrInt string

// UnmarshalJSON reads a string or a whole number.
func (s *StringOrInt) UnmarshalJSON(data []byte) error {
	switch {
	case string(data) == "null":
		return nil
	case data[0] == '"':
		return json.Unmarshal(data, (*string)(s))
	case isWhole(string(data)):
		*s = StringOrInt(data)
		return nil
	}
	return wantError("a string or a whole number")
}

// Int64 returns the number that s holds: decimal digits with an optional minus sign, nothing else.
func (s StringOrInt) Int64() (int64, error) {
	if !isWhole(string(s)) {
		return 0, wantError("a whole number")
	}
	n, err := strconv.ParseInt(string(s), 10, 64)
	if err != nil {
		return 0, wantError("a whole number of 64 bits")
	}
	return n, nil
}

// IntOrString reads a whole number of 64 bits or a string that holds one; other values are a WrongType. A null leaves it unchanged.
type IntOrString int64

// UnmarshalJSON reads either form.
func (n *IntOrString) UnmarshalJSON(data []byte) error {
	var s StringOrInt
	if err := s.UnmarshalJSON(data); err != nil || string(data) == "null" {
		return err
	}
	v, err := s.Int64()
	*n = IntOrString(v)
	return err
}

func isWhole(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}

// NumberOrString reads a JSON number or a string that holds one; other values are a WrongType. It is written as a
// number. A null leaves it unchanged.
type NumberOrString float64

// jsonNumber is the number of RFC 8259, section 6: no sign but minus, no hexadecimal, no infinity, no spaces.
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// UnmarshalJSON reads a number or a string that holds one.
func (n *NumberOrString) UnmarshalJSON(data []byte) error {
	text := string(data)
	if text == "null" {
		return nil
	}
	if data[0] == '"' {
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
	}
	if !jsonNumber.MatchString(text) {
		return wantError("a number")
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return wantError("a number within the range of a double")
	}
	*n = NumberOrString(f)
	return nil
}
