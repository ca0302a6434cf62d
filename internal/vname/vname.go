// Package vname reads and makes the certificates that a business registers its number with: who the business is, verified by
// whoever admits it to the network.
//
// The form is the original's: base64 of a protobuf message whose first field holds the details, and in there the verified name
// is field 4. A certificate of a kabar relay's operator also holds the relay's invite, in a field of its own, so that the one
// text is all that a business is given. Nothing is signed here: the relay believes the invite, and the name is only shown.
package vname

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// The fields of the message, and of its details.
const (
	fieldDetails = 1
	fieldName    = 4
	fieldInvite  = 1000 // not of the original
)

// MaxName is the longest verified name, in characters; maxText the longest certificate, in bytes.
const (
	MaxName = 128
	maxText = 16 << 10
)

// Certificate is what a certificate says.
type Certificate struct {
	Name   string // of the business, as it was verified
	Invite string // of a relay; empty in a certificate of the original
}

// Encode returns the text of a certificate.
func (c Certificate) Encode() string {
	details := protowire.AppendTag(nil, fieldName, protowire.BytesType)
	details = protowire.AppendString(details, c.Name)
	if c.Invite != "" {
		details = protowire.AppendTag(details, fieldInvite, protowire.BytesType)
		details = protowire.AppendString(details, c.Invite)
	}
	message := protowire.AppendTag(nil, fieldDetails, protowire.BytesType)
	return base64.StdEncoding.EncodeToString(protowire.AppendBytes(message, details))
}

// Decode reads the text of a certificate, in any alphabet of base64, with and without padding and line ends.
func Decode(text string) (Certificate, error) {
	if len(text) > maxText {
		return Certificate{}, fmt.Errorf("the certificate has more than %d bytes", maxText)
	}
	plain := strings.NewReplacer("-", "+", "_", "/", "\n", "", "\r", "", " ", "", "=", "").Replace(text)
	message, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil {
		return Certificate{}, errors.New("the certificate is not base64")
	}
	details, err := field(message, fieldDetails)
	if err != nil {
		return Certificate{}, err
	}
	name, err := field(details, fieldName)
	if err != nil {
		return Certificate{}, err
	}
	invite, err := field(details, fieldInvite)
	if err != nil {
		return Certificate{}, err
	}
	c := Certificate{string(name), string(invite)}
	if c.Name == "" || !utf8.ValidString(c.Name) || utf8.RuneCountInString(c.Name) > MaxName || strings.ContainsFunc(c.Name, unicode.IsControl) {
		return Certificate{}, errors.New("the certificate names nobody")
	}
	return c, nil
}

// field returns the bytes of a field of a message; nil if it has none.
func field(message []byte, number protowire.Number) ([]byte, error) {
	for len(message) > 0 {
		n, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return nil, errors.New("the certificate is damaged")
		}
		message = message[size:]
		if n == number && kind == protowire.BytesType {
			value, size := protowire.ConsumeBytes(message)
			if size < 0 {
				return nil, errors.New("the certificate is damaged")
			}
			return value, nil
		}
		if size = protowire.ConsumeFieldValue(n, kind, message); size < 0 {
			return nil, errors.New("the certificate is damaged")
		}
		message = message[size:]
	}
	return nil, nil
}
