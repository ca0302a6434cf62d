// Package contentjson reads and writes the objects of a message that both dialects write alike: interactive, template, location and
// what a message is about, of requests; places, taps, replies and orders, of webhooks. What differs, a medium above all, each
// dialect does by itself.
//
// Types are understood in capitals, too: some clients write them so (Cloud API contract, section 5). It checks forms only; limits are the vocabulary's. Errors are *kabar.Error with the path of the field. Nothing here keeps state.
//
// Source: On-Premises contract, section 1.5; Cloud API contract, sections 1.1 to 1.3.
package contentjson

import (
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"kabar"
	"kabar/internal/web"
)

// Media reads a dialect's object of a medium of a kind, at a path of the request.
type Media[M any] func(kind kabar.Kind, field string, o *M) (*kabar.Media, error)

// Location is the object of a place.
type Location struct {
	Latitude  *web.NumberOrString `json:"latitude"`
	Longitude *web.NumberOrString `json:"longitude"`
	Name      string              `json:"name"`
	Address   string              `json:"address"`
}

// Read reads the object, at a path of the request.
func (l *Location) Read(field string) (*kabar.Location, error) {
	switch {
	case l.Latitude == nil:
		return nil, kabar.Refuse(kabar.ReasonMissing, field+".latitude", "is required")
	case l.Longitude == nil:
		return nil, kabar.Refuse(kabar.ReasonMissing, field+".longitude", "is required")
	}
	return &kabar.Location{Latitude: float64(*l.Latitude), Longitude: float64(*l.Longitude), Name: l.Name, Address: l.Address}, nil
}

// Decimal writes thousandths, which are not negative, as a JSON number: 12500 is 12.5.
func Decimal(thousandths int64) jsontext.Value {
	whole, rest := strconv.FormatInt(thousandths/1000, 10), strconv.FormatInt(1000+thousandths%1000, 10)[1:]
	if rest = strings.TrimRight(rest, "0"); rest != "" {
		return jsontext.Value(whole + "." + rest)
	}
	return jsontext.Value(whole)
}

// Target reads the id of a message that the new one is about: find looks it up in the dialect's form.
func Target(field, id string, find func(id string) (*kabar.Message, error)) (kabar.MessageID, error) {
	if id == "" {
		return 0, kabar.Refuse(kabar.ReasonMissing, field, "is required: the id of a message of this conversation")
	}
	m, err := find(id)
	if refused, ok := errors.AsType[*kabar.Error](err); ok && refused.Reason == kabar.ReasonNotFound {
		return 0, kabar.Refuse(kabar.ReasonInvalid, field, "there is no such message in this conversation")
	}
	if err != nil {
		return 0, err
	}
	return m.ID, nil
}
