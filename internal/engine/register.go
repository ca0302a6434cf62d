package engine

import (
	"context"
	"errors"
	"time"

	"kabar"
	"kabar/internal/network"
	"kabar/internal/store"
)

// registerPatience bounds how long a network is waited for.
const registerPatience = 40 * time.Second

// Register has the network admit a number, with an invite if it was given one. It reports whether the number is registered;
// otherwise the network has a verification code for it, which VerifyNumber brings back. ReasonDenied says why the network does
// not admit the number, and with After when it may do so; ReasonNotReady that it does not answer.
func (e *Engine) Register(ctx context.Context, n kabar.NumberID, invite string) (registered bool, err error) {
	l, err := e.line(n)
	if err != nil {
		return false, err
	}
	r, ok := l.net.(network.Registrar)
	if !ok {
		return true, nil // it admits everybody
	}
	if state, _ := r.Registration(); state == network.RegistrationConfirmed {
		return true, nil
	}
	if invite != "" {
		if err := e.db.Write(ctx, nil, func(tx *store.Tx) error { return tx.SetInvite(n, invite) }); err != nil {
			return false, store.Refusal(err)
		}
	}
	asking, cancel := context.WithTimeout(ctx, registerPatience)
	defer cancel()
	if err := r.Register(asking); err != nil {
		return false, e.refusedRegistration(ctx, err)
	}
	switch state, detail := r.Registration(); state {
	case network.RegistrationConfirmed:
		return true, nil
	case network.RegistrationUnproved:
		return false, nil
	default:
		return false, &kabar.Error{Reason: kabar.ReasonDenied, Detail: detail}
	}
}

// Admitted reports whether a number's network admits it, as far as it has said: false for a number that has to be verified, that is
// refused, or that was taken away. A network that has not answered yet has not refused it either.
func (e *Engine) Admitted(n kabar.NumberID) bool {
	l, err := e.line(n)
	if err != nil {
		return false
	}
	state := e.registration(l)
	return state != network.RegistrationUnproved && state != network.RegistrationRefused
}

// VerifyNumber brings the network the verification code of a number. The errors are those of Register; ReasonNotFound says that
// the network waits for no code.
func (e *Engine) VerifyNumber(ctx context.Context, n kabar.NumberID, code string) error {
	l, err := e.line(n)
	if err != nil {
		return err
	}
	r, ok := l.net.(network.Registrar)
	if !ok {
		return nil
	}
	switch state, _ := r.Registration(); state {
	case network.RegistrationConfirmed:
		return nil
	case network.RegistrationUnproved:
	default:
		return kabar.Refuse(kabar.ReasonNotFound, "", "no verification code is waited for")
	}
	asking, cancel := context.WithTimeout(ctx, registerPatience)
	defer cancel()
	return e.refusedRegistration(ctx, r.Verify(asking, code))
}

// refusedRegistration says what a network has answered, or that it has not.
func (e *Engine) refusedRegistration(ctx context.Context, err error) error {
	wrong, isWrong := errors.AsType[*network.WrongCode](err)
	refused, isRefused := errors.AsType[*network.NotAdmitted](err)
	switch {
	case err == nil:
		return nil
	case isWrong:
		return &kabar.Error{Reason: kabar.ReasonDenied, Detail: wrong.Error(), After: wrong.After}
	case isRefused:
		return &kabar.Error{Reason: kabar.ReasonDenied, Detail: refused.Error()}
	}
	e.log.WarnContext(ctx, "register a number", "err", err)
	return &kabar.Error{Reason: kabar.ReasonNotReady, Detail: "the network does not answer", After: 30 * time.Second}
}
