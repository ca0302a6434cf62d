// Package web holds what every HTTP surface of Kabar shares: strict JSON in and out, bodies with limits, and the
// middleware and server settings that keep a server safe on an open port.
//
// JSON in ([Decode]) is refused where two readers could understand it differently: duplicate names, names that match a
// field only in another case, invalid UTF-8, a second value. RFC 8259 leaves these open and RFC 7493 (I-JSON) closes
// most of them. Size, depth and number of names are bounded before anything is stored.
//
// What this package does not do: it knows no dialect (no error codes, no envelopes), no users and no routes, and it
// keeps nothing between requests but what it knows of Go types (shape.go). All of it is safe for concurrent use.
package web

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Limits of a JSON body.
const (
	DefaultMaxBytes = 1 << 20 // bytes
	MaxDepth        = 32      // objects and lists within each other
	MaxKeys         = 1000    // names in all objects together
)

// Unknown is the rule for names that no field has.
type Unknown int

// The rules for unknown names. Names in a map are never unknown.
const (
	RefuseTop Unknown = iota // refused in the outermost object, ignored deeper
	Ignore                   // ignored everywhere
	RefuseAll                // refused everywhere
)

// Options of [Decode]. The zero value is the default.
type Options struct {
	MaxBytes  int64 // 0 means DefaultMaxBytes
	Keys      int   // names in all objects together; 0 means MaxKeys
	Unknown   Unknown
	RefuseNUL bool // refuse the character U+0000, which no database keeps in a text, as a [WrongType]
}

func (o Options) maxBytes() int64 {
	if o.MaxBytes > 0 {
		return o.MaxBytes
	}
	return DefaultMaxBytes
}

// DecodeRequest reads the body of r and decodes it: [ReadBody], then [Decode].
func DecodeRequest(w http.ResponseWriter, r *http.Request, into any, o Options) error {
	body, err := ReadBody(w, r, o.maxBytes())
	if err != nil {
		return err
	}
	return Decode(body, into, o)
}

// Decode reads one JSON value from body into the value that into points to. Every fault of the body is an [*Error]; of
// several faults, those of form come before wrong case, unknown keys and wrong types, in that order. After an error the
// target may be half filled.
//
// Names inside a type with its own Unmarshal method are read by that method: duplicates, depth and number are still
// checked, wrong case is not, and unknown names are refused only with [RefuseAll] and a method that takes a
// [jsontext.Decoder].
func Decode(body []byte, into any, o Options) error {
	if int64(len(body)) > o.maxBytes() {
		return tooLarge(o.maxBytes())
	}
	nul := o.RefuseNUL && bytes.Contains(body, []byte(`\u0000`)) // or a backslash and what looks like one
	if !nul && faultless(body, into, o.Unknown) {
		return nil
	}
	if len(bytes.Trim(body, " \t\r\n")) == 0 {
		return &Error{Kind: Empty}
	}
	if !utf8.Valid(body) {
		return &Error{Kind: InvalidUTF8}
	}
	t := reflect.TypeOf(into)
	if t == nil || t.Kind() != reflect.Pointer {
		return fmt.Errorf("decode: target is a %T; want a pointer", into)
	}
	if err := check(body, t.Elem(), o, nul); err != nil {
		return err
	}
	if err := json.Unmarshal(body, into, json.RejectUnknownMembers(o.Unknown == RefuseAll)); err != nil {
		return typeError(err)
	}
	return nil
}

// faultless decodes a body in which nothing can be wrong, as most are: json.Unmarshal finds it in order though it refuses every
// unknown name, and it is too short to reach the limits that json.Unmarshal does not know. Of any other it leaves the target
// half filled; decoding the same body again fills it as if nothing had been.
func faultless(body []byte, into any, rule Unknown) bool {
	t := reflect.TypeOf(into)
	switch {
	case rule == Ignore, t == nil, t.Kind() != reflect.Pointer, shapeOf(t.Elem()).beyond:
		return false
	case len(body) == 0, body[0] != '{', bytes.Count(body, []byte(":")) > MaxKeys:
		return false
	case bytes.Count(body, []byte("{"))+bytes.Count(body, []byte("[")) > MaxDepth:
		return false
	}
	return json.Unmarshal(body, into, json.RejectUnknownMembers(true)) == nil
}

// check walks over body once, beside the type it is meant for, and finds all that json.Unmarshal would let pass.
func check(body []byte, t reflect.Type, o Options, nul bool) error {
	s := scan{dec: jsontext.NewDecoder(bytes.NewBuffer(body)), rule: o.Unknown, nul: nul, most: cmp.Or(o.Keys, MaxKeys)}
	if err := s.value(t, 0); err != nil {
		return err
	}
	if _, err := s.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return &Error{Kind: Syntax, Detail: "more than one value"}
	}
	if s.fault != nil {
		return s.fault
	}
	return nil
}

type scan struct {
	dec   *jsontext.Decoder
	rule  Unknown
	nul   bool // look for U+0000
	keys  int
	most  int    // keys that there may be
	fault *Error // the first name that is not as it should be; reported only if the form of the whole body is right
}

// value reads the next value, which is meant for type t (nil: not known) and lies within depth objects and lists.
func (s *scan) value(t reflect.Type, depth int) error {
	token, err := s.dec.ReadToken()
	if err != nil {
		return syntaxError(err)
	}
	kind := token.Kind()
	if depth == 0 && kind == 'n' && shapeOf(t).fields != nil {
		return &Error{Kind: WrongType, Detail: "want an object"} // null would pass for an object without members
	}
	if kind != '{' && kind != '[' {
		s.text(token)
		return nil
	}
	if depth == MaxDepth {
		return newError(TooDeep, s.dec.StackPointer().Parent(), fmt.Sprintf("more than %d levels", MaxDepth))
	}
	if kind == '{' {
		err = s.members(shapeOf(t), depth+1)
	} else {
		err = s.elements(shapeOf(t).elem, depth+1)
	}
	return err
}

func (s *scan) members(sh *shape, depth int) error {
	for s.dec.PeekKind() != '}' {
		name, err := s.dec.ReadToken()
		if err != nil {
			return syntaxError(err)
		}
		if s.keys++; s.keys > s.most {
			return &Error{Kind: TooLarge, Detail: fmt.Sprintf("more than %d names", s.most)}
		}
		s.text(name)
		if err := s.value(s.field(sh, name.String(), depth), depth); err != nil {
			return err
		}
	}
	return s.end()
}

func (s *scan) elements(elem reflect.Type, depth int) error {
	for s.dec.PeekKind() != ']' {
		if err := s.value(elem, depth); err != nil {
			return err
		}
	}
	return s.end()
}

func (s *scan) end() error {
	if _, err := s.dec.ReadToken(); err != nil {
		return syntaxError(err)
	}
	return nil
}

// field returns the type of the member called name and records a fault when there is none.
func (s *scan) field(sh *shape, name string, depth int) reflect.Type {
	if sh.fields == nil {
		return sh.elem // a map, or nothing known
	}
	if t, ok := sh.fields[name]; ok {
		return t
	}
	if known, ok := sh.folded[fold(name)]; ok {
		s.blame(WrongCase, "the name is "+known)
		return nil
	}
	if !sh.open && (s.rule == RefuseAll || s.rule == RefuseTop && depth == 1) {
		s.blame(UnknownKey, "")
	}
	return nil
}

// text records a fault of a text that has the character U+0000.
func (s *scan) text(token jsontext.Token) {
	if s.nul && token.Kind() == '"' && strings.Contains(token.String(), "\x00") {
		s.blame(WrongType, "has a NUL character")
	}
}

func (s *scan) blame(kind Kind, detail string) {
	if s.fault == nil || s.fault.Kind == UnknownKey && kind == WrongCase {
		s.fault = newError(kind, s.dec.StackPointer(), detail)
	}
}
