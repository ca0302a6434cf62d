package auth

import (
	"context"
	"errors"
	"net/netip"
	"strconv"

	"kabar"
)

// HashPIN returns what is kept of the PIN of a number's two-step verification. Anything but six digits is refused with
// ReasonInvalid.
func (a *Auth) HashPIN(ctx context.Context, pin string) (string, error) {
	if !IsPIN(pin) {
		return "", kabar.Refuse(kabar.ReasonInvalid, "pin", "must have %d digits", pinSize)
	}
	return a.hash(ctx, pin)
}

const pinSize = 6

// IsPIN reports whether s has the form of a PIN.
func IsPIN(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) == pinSize
}

// CheckPIN compares a PIN with what HashPIN has made of the right one. A wrong one is refused with ReasonDenied; like passwords,
// wrong ones are counted, and soon it says how long to wait.
func (a *Auth) CheckPIN(ctx context.Context, n kabar.NumberID, pin, hash string, from netip.Addr) error {
	name := "pin:" + strconv.FormatInt(int64(n), 10) // no user's: their names have no colon
	if err := a.limiter.begin(ctx, name, from); err != nil {
		if refused, ok := errors.AsType[*kabar.Error](err); ok {
			return &kabar.Error{Reason: kabar.ReasonDenied, Detail: "too many wrong PINs", After: refused.After}
		}
		return err
	}
	ok, err := a.matches(ctx, pin, hash)
	switch {
	case err != nil:
		a.limiter.abandoned(from)
		return err
	case !ok:
		a.limiter.failed(name, from)
		return kabar.Refuse(kabar.ReasonDenied, "", "wrong PIN")
	}
	a.limiter.succeeded(name, from)
	return nil
}
