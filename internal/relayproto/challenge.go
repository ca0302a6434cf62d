package relayproto

import "encoding/binary"

// The purposes of a signature. Each begins what is signed, so that no signature serves for another purpose, and ends in
// a zero byte, so that none is the beginning of another.
const (
	purposeLogin    = Protocol + " login\x00"
	purposeRegister = Protocol + " register\x00"
	purposeReplace  = Protocol + " replace\x00"
)

// LoginChallenge returns the bytes a device signs with its key to log in. The relay's name and its nonce bind the
// signature to one relay and one connection.
func LoginChallenge(h *Hello, a Addr) []byte {
	return challenge(purposeLogin, h, a)
}

// RegisterChallenge returns the bytes to be signed with publicKey, the key that is registered.
func RegisterChallenge(h *Hello, a Addr, class Class, publicKey []byte) []byte {
	return registration(purposeRegister, h, a, class, publicKey)
}

// ReplaceChallenge returns the bytes to be signed with the key registered before, which allow publicKey to replace it.
func ReplaceChallenge(h *Hello, a Addr, class Class, publicKey []byte) []byte {
	return registration(purposeReplace, h, a, class, publicKey)
}

func registration(purpose string, h *Hello, a Addr, class Class, publicKey []byte) []byte {
	b := challenge(purpose, h, a)
	b = binary.BigEndian.AppendUint32(b, uint32(class))
	return appendField(b, publicKey)
}

// challenge puts a length before each field, so that two different lists of fields never give the same bytes.
func challenge(purpose string, h *Hello, a Addr) []byte {
	b := append([]byte(nil), purpose...)
	b = appendField(b, h.GetRelay())
	b = appendField(b, h.GetNonce())
	b = appendField(b, a.Account)
	return binary.BigEndian.AppendUint32(b, a.Device)
}

func appendField[F string | []byte](b []byte, field F) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(field)))
	return append(b, field...)
}
