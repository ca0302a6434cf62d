package kabar

import (
	"encoding/json"
	"strconv"
	"strings"
)

// What conditions of flows make of values. Answers come as text where a handset has them so: what is compared with a number is one if
// it can be read as one.

// flowTruth reports whether a value counts as true: what was left empty does not.
func flowTruth(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v != ""
	case float64:
		return v != 0
	case []any:
		return len(v) > 0
	}
	return v != nil
}

// flowEqual reports whether two values are the same. What was left out is the same as an empty text, and as false.
func flowEqual(a, b any) bool {
	if a == nil {
		a, b = b, a
	}
	if b == nil {
		_, number := a.(float64)
		return !number && !flowTruth(a)
	}
	_, number := a.(float64)
	if _, other := b.(float64); number || other {
		x, ok := flowNumber(a)
		y, both := flowNumber(b)
		return ok && both && x == y
	}
	switch a := a.(type) {
	case string:
		s, ok := b.(string)
		return ok && a == s
	case bool:
		t, ok := b.(bool)
		return ok && a == t
	}
	return false // lists and objects are not compared
}

// flowOrder reports whether two numbers are in one of the orders: -1 for less, 0 for equal, 1 for greater.
func flowOrder(a, b any, orders ...int) bool {
	x, ok := flowNumber(a)
	y, both := flowNumber(b)
	if !ok || !both {
		return false
	}
	for _, order := range orders {
		if order < 0 && x < y || order == 0 && x == y || order > 0 && x > y {
			return true
		}
	}
	return false
}

func flowNumber(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case string:
		n, err := strconv.ParseFloat(v, 64)
		return n, err == nil
	}
	return 0, false
}

// flowWord writes a value as the name of a case has it.
func flowWord(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// ShowFlowValue writes a value for people to read: what is filled in, or what data bring.
func ShowFlowValue(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string, bool, float64:
		return flowWord(v)
	case []any:
		shown := make([]string, len(v))
		for i, one := range v {
			shown[i] = ShowFlowValue(one)
		}
		return strings.Join(shown, ", ")
	}
	b, _ := json.Marshal(v) // it was JSON before
	return string(b)
}
