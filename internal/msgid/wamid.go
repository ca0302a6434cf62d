package msgid

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// The ids of the Cloud API say the same in another layout (contract Cloud API, section 1.1): wamidPrefix, and in base64
// wamidHead, number of digits, digits, wamidDirection, direction, wamidStanza, length of the stanza's digits, the stanza in
// capital hexadecimal digits, wamidEnd. A message has the same stanza in both.
const (
	wamidPrefix    = "wamid."
	wamidHead      = "\x1c\x18"
	wamidDirection = "\x15\x02\x00"
	wamidOutbound  = 0x11
	wamidInbound   = 0x12
	wamidStanza    = 0x18
	wamidEnd       = 0x00
)

// maxWamid is the longest id, in characters: 15 digits and a foreign stanza.
var maxWamid = len(wamidPrefix) + base64.StdEncoding.EncodedLen(len(wamidHead)+1+maxDigits+len(wamidDirection)+3+2*ForeignLen+1)

// EncodeWamid is Encode for the Cloud API.
func EncodeWamid(outbound bool, digits string, stanza []byte) string {
	if !validDigits(digits) || !validLen(outbound, len(stanza)) {
		return ""
	}
	b := make([]byte, 0, 64)
	b = append(append(b, wamidHead...), byte(len(digits)))
	b = append(append(b, digits...), wamidDirection...)
	if outbound {
		b = append(b, wamidOutbound)
	} else {
		b = append(b, wamidInbound)
	}
	b = append(b, wamidStanza, byte(2*len(stanza)))
	b = append(b, strings.ToUpper(hex.EncodeToString(stanza))...)
	return wamidPrefix + base64.StdEncoding.EncodeToString(append(b, wamidEnd))
}

// DecodeWamid is Decode for the Cloud API: it accepts exactly what EncodeWamid returns.
func DecodeWamid(id string) (outbound bool, digits string, stanza []byte, err error) {
	text, ok := strings.CutPrefix(id, wamidPrefix)
	if !ok || len(id) > maxWamid {
		return false, "", nil, fmt.Errorf("%w: not a wamid", ErrMalformed)
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return false, "", nil, fmt.Errorf("%w: not base64: %w", ErrMalformed, err)
	}
	outbound, digits, stanza = parseWamid(b)
	if EncodeWamid(outbound, digits, stanza) != id {
		return false, "", nil, fmt.Errorf("%w: not in the canonical form", ErrMalformed)
	}
	return outbound, digits, stanza, nil
}

// parseWamid reads what is there of an id. It leaves to its caller to check that it is one.
func parseWamid(b []byte) (outbound bool, digits string, stanza []byte) {
	b, ok := bytes.CutPrefix(b, []byte(wamidHead))
	if !ok || len(b) == 0 || len(b) < 1+int(b[0]) {
		return false, "", nil
	}
	digits, b = string(b[1:1+b[0]]), b[1+b[0]:]
	if b, ok = bytes.CutPrefix(b, []byte(wamidDirection)); !ok || len(b) < 4 {
		return false, "", nil
	}
	stanza, err := hex.DecodeString(string(b[3 : len(b)-1]))
	if err != nil {
		return false, "", nil
	}
	return b[0] == wamidOutbound, digits, stanza
}
