package relayclient

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"kabar/internal/relayproto"
)

// Address names a device of an account.
type Address = relayproto.Addr

// Class decides which limits the relay applies.
type Class int

// The classes.
const (
	Customer Class = iota
	Business
)

func (c Class) proto() relayproto.Class {
	if c == Business {
		return relayproto.Class_CLASS_BUSINESS
	}
	return relayproto.Class_CLASS_CUSTOMER
}

// Options say where and as whom to connect.
type Options struct {
	URL     string // of the relay, ws://host:port or wss://host:port, with or without a path before ours
	Relay   string // the name the relay must give itself; empty: any
	Account string // digits of a phone number, or a business-scoped user id
	Device  uint32 // 0 means 1

	PublicKey ed25519.PublicKey           // the device's login key
	Sign      func(message []byte) []byte // signs with the private half, plain Ed25519

	// Registration, which happens when the relay does not know the address.
	Class    Class
	Invite   string // what admits the account; not needed in open mode
	Code     string // the verification code of a business, from the relay's operator; empty until it is known
	Host     []byte // 32 random bytes of a program for many customers, which an invite is bound to; or nil
	Recovery []byte // 32 random bytes, kept by the device: they allow a re-registration when the old key is lost; or nil

	// Reinstall re-registers when the relay knows the address under another key. Recovery or SignOld must allow it.
	Reinstall bool
	SignOld   func(message []byte) []byte // signs with the key registered before; or nil

	// OnLogin is called after each login, before anything is sent or received. It compares the counters
	// (LoginInfo.Restored) and stores the new one durably, together with what a restored store demands. The relay counts
	// the counter as stored only after OnLogin has returned nil; an error fails the Dial. Nil: counted as stored at once.
	OnLogin func(ctx context.Context, info LoginInfo) error

	HTTPClient *http.Client // nil: http.DefaultClient. Its Timeout would cut long downloads; contexts bound requests.
}

// LoginInfo is what the relay says at a login.
type LoginInfo struct {
	Counter    uint64 // number of this login: store it
	Previous   uint64 // the highest Counter this device has had stored, according to the relay
	OneTime    int    // one-time X25519 keys the relay has left
	OneTimeKEM int    // one-time KEM keys the relay has left
	Published  bool   // identity, signed prekey and last-resort key are there
	HighestID  uint32 // the highest id of a prekey of any kind that this device has published; 0: none, or an old relay
	Registered bool   // this Dial has registered (or re-registered) the address: nothing is published yet
}

// Restored says whether a store is older than what the device has done since: it comes from a backup, or it lost a commit.
// stored is the counter it holds, 0 in a new device; nextID is above every prekey it knows of, of any kind. Such a device
// must start its sessions afresh, and replace its prekeys (Prekeys.Replace), above HighestID.
func (i LoginInfo) Restored(stored uint64, nextID uint32) bool {
	return stored < i.Previous || nextID <= i.HighestID
}

func (o *Options) address() Address { return Address{Account: o.Account, Device: max(o.Device, 1)} }

func (o *Options) client() *http.Client {
	if o.HTTPClient != nil {
		return o.HTTPClient
	}
	return http.DefaultClient
}

// check refuses options that could never work.
func (o *Options) check() error {
	switch {
	case !relayproto.ValidAccount(o.Account):
		return fmt.Errorf("account %q: want 1-128 visible ASCII characters", o.Account)
	case len(o.PublicKey) != ed25519.PublicKeySize:
		return errors.New("want a public key of 32 bytes")
	case o.Sign == nil:
		return errors.New("want a Sign function")
	case len(o.Recovery) != 0 && len(o.Recovery) != relayproto.RecoverySize:
		return errors.New("want a recovery secret of 32 bytes")
	case len(o.Host) != 0 && len(o.Host) != relayproto.HostSize:
		return errors.New("want a host secret of 32 bytes")
	case len(o.Code) > relayproto.CodeSize:
		return fmt.Errorf("the verification code has %d characters, want %d", len(o.Code), relayproto.CodeSize)
	}
	return nil
}

// urls returns where the relay speaks frames and where it keeps blobs.
func (o *Options) urls() (frames, blobs string, err error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return "", "", err
	}
	scheme, ok := map[string]string{"ws": "http", "wss": "https"}[u.Scheme]
	if !ok || u.Host == "" {
		return "", "", fmt.Errorf("relay URL %q: want ws://host:port or wss://host:port", o.URL)
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	frames = u.JoinPath(relayproto.Path).String()
	u.Scheme = scheme
	return frames, u.JoinPath(relayproto.BlobPath).String(), nil
}
