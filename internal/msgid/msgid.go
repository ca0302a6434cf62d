// Package msgid makes and reads the message ids of the On-Premises API (contract On-Premises API, section 0).
//
// An id says its direction, the digits of the peer and the id that the message has in the stream between server and
// network, the stanza. Applications treat it as opaque, but some log it, sort it or look at its first letters, so the
// shape is kept. The package knows the shape only: which key a number in a stanza stands for, and whether the message
// belongs to the caller, is for others to say.
//
// All functions are pure and safe for concurrent use.
package msgid

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// The layout: direction, peerTag, number of digit bytes, digits, stanzaTag, length of the stanza, stanza.
const (
	outboundTag = 0x80
	inboundTag  = 0x00
	peerTag     = 0x11
	stanzaTag   = 0x02
	oddDigits   = 0x80 // set in the number of digit bytes when the last nibble is padding
	padding     = 0xf

	maxDigits = 15 // E.164
)

// Lengths of stanzas in bytes.
const (
	OutboundLen = 9  // made by Stanza: 1 version byte and the reference
	InboundLen  = 10 // made by Stanza: 2 version bytes and the reference
	ForeignLen  = 16 // inbound, made at random by a customer's phone
)

// The version bytes in front of a reference.
const (
	outboundVersion = "\x01"
	inboundVersion  = "\x01\x01"
)

// maxLen is the longest id, in characters: 15 digits and a foreign stanza.
var maxLen = base64.RawURLEncoding.EncodedLen(3 + (maxDigits+1)/2 + 2 + ForeignLen)

// ErrMalformed is wrapped by the errors of Decode.
var ErrMalformed = errors.New("malformed message id")

// Encode returns the id of a message to or from the peer with the given digits (1 to 15, without a plus sign). It returns
// "" for what no id can hold: other digits, or a stanza whose length the direction does not have.
func Encode(outbound bool, digits string, stanza []byte) string {
	if !validDigits(digits) || !validLen(outbound, len(stanza)) {
		return ""
	}
	b := make([]byte, 0, 32)
	b = append(b, direction(outbound), peerTag)
	b = appendDigits(b, digits)
	b = append(b, stanzaTag, byte(len(stanza)))
	b = append(b, stanza...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// Decode takes an id apart. It accepts exactly what Encode returns: of two ids that differ at most one is a message's.
// The error says what is wrong and wraps ErrMalformed.
func Decode(id string) (outbound bool, digits string, stanza []byte, err error) {
	if len(id) > maxLen {
		return false, "", nil, fmt.Errorf("%w: %d characters, the longest has %d", ErrMalformed, len(id), maxLen)
	}
	b, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		return false, "", nil, fmt.Errorf("%w: not base64url: %w", ErrMalformed, err)
	}
	outbound, digits, stanza, err = parse(b)
	if err != nil {
		return false, "", nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if Encode(outbound, digits, stanza) != id {
		return false, "", nil, fmt.Errorf("%w: not in the canonical form", ErrMalformed)
	}
	return outbound, digits, stanza, nil
}

// Stanza returns our stanza for a message with the public reference ref.
func Stanza(ref uint64, outbound bool) []byte {
	version := inboundVersion
	if outbound {
		version = outboundVersion
	}
	return binary.BigEndian.AppendUint64([]byte(version), ref)
}

// Ref returns the reference in a stanza of ours; false for any other, such as a customer's.
func Ref(stanza []byte) (uint64, bool) {
	version := string(stanza[:max(0, len(stanza)-8)])
	if version != outboundVersion && version != inboundVersion {
		return 0, false
	}
	return binary.BigEndian.Uint64(stanza[len(version):]), true
}

// Wire reads what the network calls a message, hexadecimal digits: the stanza that an id of it holds, and whether the business wrote it.
// False for what no id can hold.
func Wire(wire string) (stanza []byte, outbound, ok bool) {
	stanza, err := hex.DecodeString(wire)
	outbound = len(stanza) == OutboundLen
	if err != nil || !validLen(outbound, len(stanza)) {
		return nil, false, false
	}
	return stanza, outbound, true
}

// parse reads the bytes of an id. It leaves to its caller to check that they are the only ones with that meaning.
func parse(b []byte) (outbound bool, digits string, stanza []byte, err error) {
	if len(b) < 3 || b[0] != outboundTag && b[0] != inboundTag || b[1] != peerTag {
		return false, "", nil, errors.New("does not begin as an id does")
	}
	outbound = b[0] == outboundTag
	n, odd := int(b[2]&^oddDigits), b[2]&oddDigits != 0
	if b = b[3:]; n == 0 || len(b) < n+2 {
		return false, "", nil, errors.New("cut off in the digits")
	}
	if digits, err = parseDigits(b[:n], odd); err != nil {
		return false, "", nil, err
	}
	if b = b[n:]; b[0] != stanzaTag || int(b[1]) != len(b)-2 {
		return false, "", nil, errors.New("the stanza does not fill the rest")
	}
	if stanza = b[2:]; !validLen(outbound, len(stanza)) {
		return false, "", nil, fmt.Errorf("a stanza of %d bytes does not fit the direction", len(stanza))
	}
	return outbound, digits, stanza, nil
}

// parseDigits reads two digits a byte, high nibble first; odd: the last nibble is padding.
func parseDigits(b []byte, odd bool) (string, error) {
	var s strings.Builder
	for i, c := range b {
		high, low := c>>4, c&0xf
		last := odd && i == len(b)-1
		if high > 9 || last && low != padding || !last && low > 9 {
			return "", errors.New("a digit is out of range")
		}
		s.WriteByte('0' + high)
		if !last {
			s.WriteByte('0' + low)
		}
	}
	return s.String(), nil
}

// appendDigits is the reverse of parseDigits, with the number of bytes in front.
func appendDigits(b []byte, digits string) []byte {
	n := byte(len(digits)+1) / 2
	if len(digits)%2 == 0 {
		b = append(b, n)
	} else {
		b = append(b, n|oddDigits)
	}
	for i := 0; i < len(digits); i += 2 {
		low := byte(padding)
		if i+1 < len(digits) {
			low = digits[i+1] - '0'
		}
		b = append(b, (digits[i]-'0')<<4|low)
	}
	return b
}

func direction(outbound bool) byte {
	if outbound {
		return outboundTag
	}
	return inboundTag
}

func validDigits(digits string) bool {
	return digits != "" && len(digits) <= maxDigits && strings.Trim(digits, "0123456789") == ""
}

func validLen(outbound bool, n int) bool {
	if outbound {
		return n == OutboundLen
	}
	return n == InboundLen || n == ForeignLen
}
