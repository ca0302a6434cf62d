package relayclient

import (
	"errors"
	"fmt"
	"time"

	"kabar/internal/relayproto"
)

// Errors of a Conn and of Dial.
var (
	ErrUnknownRecipient = errors.New("relay: no such recipient")                     // final
	ErrExpired          = errors.New("relay: the envelope's expiry is past")         // final
	ErrTooLarge         = errors.New("relay: too large")                             // final: an envelope, a key or a blob
	ErrMailboxFull      = errors.New("relay: the recipient's mailbox is full")       // comes within a *RetryAfter
	ErrLimited          = errors.New("relay: too fast")                              // comes within a *RetryAfter
	ErrOverloaded       = errors.New("relay: overloaded")                            // comes within a *RetryAfter
	ErrNoPrekeys        = errors.New("relay: the target has not published its keys") // it may do so later
	ErrMalformed        = errors.New("relay: the request breaks the protocol")       // a fault of the caller or of this package

	ErrUnknownDevice = errors.New("relay: the address is not registered")
	ErrWrongKey      = errors.New("relay: the address has another key")
	ErrRegistration  = errors.New("relay: registration refused")
	ErrVerify        = errors.New("relay: the relay's operator has a verification code for the number") // dial again with Options.Code
	ErrRevoked       = errors.New("relay: the relay's operator has revoked the account")                // comes within a *RetryAfter, but at the end of a connection

	ErrClosed       = errors.New("relay: connection closed") // every end of a connection is one; the cause is wrapped, too
	ErrReplaced     = errors.New("relay: another connection has logged in as this device")
	ErrReregistered = errors.New("relay: the address has been registered with another key")
	ErrShutdown     = errors.New("relay: the relay is shutting down")
	ErrSilent       = errors.New("relay: nothing was heard in time")

	ErrNotFound = errors.New("relay: no such blob")             // never was, or expired
	ErrCorrupt  = errors.New("relay: the blob's hash is wrong") // truncated or altered
)

// RetryAfter is a refusal that asks for patience. It wraps ErrLimited, ErrMailboxFull, ErrOverloaded or ErrRevoked.
type RetryAfter struct {
	After time.Duration
	Err   error
}

func (e *RetryAfter) Error() string { return fmt.Sprintf("%v: again after %s", e.Err, e.After) }

// Unwrap returns the reason.
func (e *RetryAfter) Unwrap() error { return e.Err }

// PrekeyIDReused refuses keys whose ids the relay has seen before.
type PrekeyIDReused struct {
	Highest uint32 // the highest id seen of that kind
	Detail  string
}

func (e *PrekeyIDReused) Error() string {
	return fmt.Sprintf("relay: prekey id used before: %s: ids up to %d are gone", e.Detail, e.Highest)
}

// WrongCode refuses a verification code.
type WrongCode struct {
	Left  int           // attempts until the code is void
	After time.Duration // with none left: when there can be a new code
}

func (e *WrongCode) Error() string {
	if e.Left == 0 {
		return fmt.Sprintf("relay: the verification code is void after too many wrong ones: a new one is made in %s at the earliest", e.After.Round(time.Second))
	}
	return fmt.Sprintf("relay: wrong verification code: attempts left: %d", e.Left)
}

// refusal turns the relay's refusal into one of our errors.
func refusal(r *relayproto.Refused) error {
	after := time.Duration(r.RetryAfterMs) * time.Millisecond
	switch r.Code {
	case relayproto.Refused_LIMITED:
		return &RetryAfter{After: after, Err: ErrLimited}
	case relayproto.Refused_OVERLOADED:
		return &RetryAfter{After: after, Err: ErrOverloaded}
	case relayproto.Refused_MAILBOX_FULL:
		return &RetryAfter{After: after, Err: ErrMailboxFull}
	case relayproto.Refused_PREKEY_ID_REUSED:
		return &PrekeyIDReused{Highest: r.HighestId, Detail: r.Detail}
	case relayproto.Refused_WRONG_CODE:
		return &WrongCode{Left: int(r.AttemptsLeft), After: after}
	case relayproto.Refused_REVOKED:
		return &RetryAfter{After: after, Err: detailed(ErrRevoked, r.Detail)}
	}
	known := map[relayproto.Refused_Code]error{
		relayproto.Refused_MALFORMED:         ErrMalformed,
		relayproto.Refused_UNKNOWN_DEVICE:    ErrUnknownDevice,
		relayproto.Refused_WRONG_KEY:         ErrWrongKey,
		relayproto.Refused_REGISTRATION:      ErrRegistration,
		relayproto.Refused_UNKNOWN_RECIPIENT: ErrUnknownRecipient,
		relayproto.Refused_TOO_LARGE:         ErrTooLarge,
		relayproto.Refused_ALREADY_EXPIRED:   ErrExpired,
		relayproto.Refused_NO_PREKEYS:        ErrNoPrekeys,
		relayproto.Refused_VERIFY:            ErrVerify,
	}[r.Code]
	if known == nil {
		return fmt.Errorf("relay: refused with code %d: %s", r.Code, r.Detail)
	}
	return detailed(known, r.Detail)
}

func detailed(err error, detail string) error {
	if detail == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, detail)
}

// closing turns the relay's last frame into the cause of the connection's end.
func closing(c *relayproto.Closing) error {
	switch c.Reason {
	case relayproto.Closing_REPLACED:
		return ErrReplaced
	case relayproto.Closing_REREGISTERED:
		return ErrReregistered
	case relayproto.Closing_SHUTDOWN:
		return ErrShutdown
	case relayproto.Closing_SILENT:
		return ErrSilent
	case relayproto.Closing_REVOKED:
		return ErrRevoked
	}
	return fmt.Errorf("%w: the relay hung up: %s", ErrMalformed, c.Detail)
}
