package web

import (
	"encoding"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Kind says what is wrong with a body. A dialect maps it to its own code.
type Kind int

// The kinds of [Error].
const (
	Syntax      Kind = iota + 1 // not JSON, or more than one value
	Empty                       // no body, or white space only
	TooLarge                    // more bytes or more names than allowed
	TooDeep                     // objects and lists nested too deep
	InvalidUTF8                 // not UTF-8
	Duplicate                   // a name twice in one object
	WrongCase                   // a known name in other upper and lower case
	UnknownKey                  // a name nobody knows, where that is refused
	WrongType                   // a value of another type than the field, or out of its range
	BrokenOff                   // a body that ended before its end: the client has gone, or was too slow
)

var kindTexts = [...]string{
	Syntax: "syntax error", Empty: "empty body", TooLarge: "too large", TooDeep: "nested too deep",
	InvalidUTF8: "invalid UTF-8", Duplicate: "duplicate name", WrongCase: "wrong case in name",
	UnknownKey: "unknown key", WrongType: "wrong type", BrokenOff: "the body broke off",
}

// String names the kind in a few words.
func (k Kind) String() string {
	if k <= 0 || int(k) >= len(kindTexts) {
		return "kind " + strconv.Itoa(int(k))
	}
	return kindTexts[k]
}

// Error is what [Decode] and [ReadBody] say of a body they refuse. Its texts quote names of the body (cut to 100 bytes),
// never values, so they may be logged and answered.
type Error struct {
	Kind   Kind
	Key    string // where: names and list positions joined by dots, "template.components.0.type"; empty at the top
	Detail string // a few words for a person; may be empty
}

// Error joins kind, key and detail.
func (e *Error) Error() string {
	s := e.Kind.String()
	if e.Key != "" {
		s += " at " + e.Key
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// position is a place in a list, within the Key of an Error.
var position = regexp.MustCompile(`\.([0-9]+)`)

// Path is Key as the rest of the product writes paths: a.b[0].c.
func (e *Error) Path() string { return position.ReplaceAllString(e.Key, "[$1]") }

// Fault returns what is wrong with a body, by the error of whoever has read it: its [*Error], or one of kind TooLarge for the
// end of a stream ([Body]); nil when something else has failed.
func Fault(err error) *Error {
	if fault, ok := errors.AsType[*Error](err); ok {
		return fault
	}
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(large.Limit)
	}
	return nil
}

const maxQuoted = 100 // bytes of a name that an error repeats

func newError(kind Kind, at jsontext.Pointer, detail string) *Error {
	parts := []string{}
	for token := range at.Tokens() {
		parts = append(parts, token)
	}
	return &Error{Kind: kind, Key: clip(strings.Join(parts, ".")), Detail: detail}
}

func clip(s string) string {
	if len(s) <= maxQuoted {
		return s
	}
	n := maxQuoted
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// syntaxError translates an error of the JSON reader.
func syntaxError(err error) *Error {
	var se *jsontext.SyntacticError
	switch {
	case !errors.As(err, &se):
		return &Error{Kind: Syntax, Detail: "the value ends too early"}
	case errors.Is(err, jsontext.ErrDuplicateName):
		return newError(Duplicate, se.JSONPointer, "")
	}
	return newError(Syntax, se.JSONPointer, fmt.Sprintf("at byte %d", se.ByteOffset))
}

// typeError translates an error of the step from JSON to Go values.
func typeError(err error) *Error {
	var se *json.SemanticError
	switch {
	case !errors.As(err, &se):
		return syntaxError(err)
	case errors.Is(err, json.ErrUnknownName):
		return newError(UnknownKey, se.JSONPointer, "")
	}
	return newError(WrongType, se.JSONPointer, typeDetail(se))
}

func typeDetail(se *json.SemanticError) string {
	var own wantError
	switch {
	case errors.As(se.Err, &own):
		return own.Error()
	case errors.Is(se.Err, strconv.ErrRange):
		return "number out of range"
	case se.GoType == nil || decodesItself(se.GoType):
		return "value not accepted"
	}
	return "want " + noun(se.GoType)
}

// wantError is the error of the lenient types of this package.
type wantError string

func (e wantError) Error() string { return "want " + string(e) }

// noun names the JSON value that fits a Go type.
func noun(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice, reflect.Array:
		return "a list"
	}
	if v := reflect.Zero(t); v.CanInt() || v.CanUint() {
		return "a whole number"
	}
	return "another value"
}

// decodesItself tells whether t or *t has a method of its own to read JSON.
func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.UnmarshalerFrom]()) ||
		p.Implements(reflect.TypeFor[stdjson.Unmarshaler]()) ||
		p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}
