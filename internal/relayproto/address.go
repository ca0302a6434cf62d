package relayproto

import "fmt"

// Addr names a device. Unlike the generated Address it can be compared and used as a key.
type Addr struct {
	Account string // digits of a phone number, or a business-scoped user id; 1-128 visible ASCII characters
	Device  uint32 // 1 in this version
}

// String returns "account.device", for logs.
func (a Addr) String() string { return fmt.Sprintf("%s.%d", a.Account, a.Device) }

// Proto returns the address as it travels.
func (a Addr) Proto() *Address { return &Address{Account: a.Account, Device: a.Device} }

// Addr returns the comparable form; of nil, the zero Addr.
func (x *Address) Addr() Addr { return Addr{Account: x.GetAccount(), Device: x.GetDevice()} }

// ValidAccount says whether s may be an account: 1-128 visible ASCII characters.
func ValidAccount(s string) bool {
	if s == "" || len(s) > MaxAccount {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// MaxDevice is the highest device number of an account.
const MaxDevice = 127

func validAddress(a *Address) bool {
	return a != nil && ValidAccount(a.Account) && a.Device >= 1 && a.Device <= MaxDevice
}

// BlobIDSize is the length of a blob's id: 32 random bytes in unpadded base64url.
const BlobIDSize = 43

// ValidBlobID says whether s has the form of a blob's id. Any other string must not get near a path or a URL.
func ValidBlobID(s string) bool {
	if len(s) != BlobIDSize {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
