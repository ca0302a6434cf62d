package relayproto

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
)

// Errors of Encode and Decode.
var (
	ErrFrameTooLarge = errors.New("relayproto: frame too large")
	ErrMalformed     = errors.New("relayproto: malformed frame")
)

// Encode returns the bytes of a frame, at most MaxFrame.
func Encode(f *Frame) ([]byte, error) {
	if n := proto.Size(f); n > MaxFrame {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrFrameTooLarge, n, MaxFrame)
	}
	b, err := proto.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("relayproto: encode: %w", err)
	}
	return b, nil
}

// Decode reads a frame and checks its shape: it has a body, every field that must be there is, and no field is over its
// limit. The frame shares no memory with b. Any bytes are safe.
func Decode(b []byte) (*Frame, error) {
	if len(b) > MaxFrame {
		return nil, ErrFrameTooLarge
	}
	f := new(Frame)
	if err := proto.Unmarshal(b, f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if fault := check(f); fault != "" {
		return nil, fmt.Errorf("%w: %s", ErrMalformed, fault)
	}
	return f, nil
}

// check returns what is wrong with the shape of f, or "".
func check(f *Frame) string {
	switch b := f.Body.(type) {
	case nil:
		return "no body"
	case *Frame_Hello:
		return must(len(b.Hello.Nonce) == NonceSize, "nonce of 32 bytes")
	case *Frame_Register:
		return checkRegister(b.Register)
	case *Frame_Login:
		return must(validAddress(b.Login.Address), "address")
	case *Frame_Send:
		return checkSend(b.Send)
	case *Frame_Deliver:
		d := b.Deliver
		return must(d.Seq > 0 && len(d.MsgId) == MsgIDSize && validAddress(d.From) && len(d.Ciphertext) <= MaxCiphertext, "delivery")
	case *Frame_Expired:
		return must(b.Expired.Seq > 0 && len(b.Expired.MsgId) == MsgIDSize && validAddress(b.Expired.To), "expiry notice")
	case *Frame_Ack:
		return must(len(b.Ack.Seqs) <= MaxAcks, "at most 1,000 seqs")
	case *Frame_Signal:
		return must(len(b.Signal.Ciphertext) <= MaxSignal && (validAddress(b.Signal.To) || validAddress(b.Signal.From)), "signal")
	case *Frame_Publish:
		return checkPublish(b.Publish)
	case *Frame_Fetch:
		return must(validAddress(b.Fetch.Target), "target")
	case *Frame_Bundle:
		return must(b.Bundle.Signed != nil && b.Bundle.Kem != nil, "bundle")
	case *Frame_Lookup:
		return checkLookup(b.Lookup)
	case *Frame_AskTicket:
		return must(len(b.AskTicket.Sha256) == 32 && b.AskTicket.Size >= 0, "size and SHA-256")
	}
	return ""
}

func must(ok bool, what string) string {
	if ok {
		return ""
	}
	return "want " + what
}

func checkRegister(r *Register) string {
	switch {
	case !validAddress(r.Address):
		return "want address"
	case len(r.PublicKey) != 32:
		return "want public key of 32 bytes"
	case r.Class != Class_CLASS_CUSTOMER && r.Class != Class_CLASS_BUSINESS:
		return "want class"
	case len(r.Invite) > MaxInvite:
		return "want shorter invite"
	case len(r.Recovery) != 0 && len(r.Recovery) != RecoverySize:
		return "want recovery secret of 32 bytes"
	case len(r.Host) != 0 && len(r.Host) != HostSize:
		return "want host secret of 32 bytes"
	case len(r.Code) > CodeSize:
		return "want code of 6 digits"
	}
	return ""
}

// checkSend leaves the size of the ciphertext to the relay, which answers TOO_LARGE.
func checkSend(s *Send) string {
	switch {
	case len(s.MsgId) != MsgIDSize:
		return "want message id of 16 bytes"
	case !validAddress(s.To):
		return "want recipient"
	case s.ExpiresAtMs < 0:
		return "want expiry after 1970"
	}
	return ""
}

func checkPublish(p *Publish) string {
	if len(p.Identity) > MaxPrekey {
		return "want shorter identity"
	}
	if len(p.OneTime) > MaxPrekeys || len(p.OneTimeKem) > MaxPrekeys {
		return "want at most 200 one-time keys of a kind"
	}
	for _, keys := range [][]*Prekey{{p.Signed}, {p.LastResort}} {
		if keys[0] != nil && !rising(keys) {
			return "want key with id"
		}
	}
	if !rising(p.OneTime) || !rising(p.OneTimeKem) {
		return "want keys with rising ids"
	}
	return ""
}

// rising says whether ids grow from 1 or more and keys are neither empty nor too long.
func rising(keys []*Prekey) bool {
	last := uint32(0)
	for _, k := range keys {
		if k.GetId() <= last || len(k.Key) == 0 || len(k.Key) > MaxPrekey {
			return false
		}
		last = k.Id
	}
	return true
}

func checkLookup(l *Lookup) string {
	if len(l.Accounts) > MaxLookup {
		return "want at most 100 accounts"
	}
	for _, a := range l.Accounts {
		if !ValidAccount(a) {
			return "want accounts of 1-128 visible ASCII characters"
		}
	}
	return ""
}
