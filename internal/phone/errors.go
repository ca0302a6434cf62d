package phone

import (
	"errors"
	"fmt"
	"net/http"

	"kabar/internal/commit"
	"kabar/internal/sqlite"
)

// Code says what kind of refusal an Error is.
type Code string

// The codes.
const (
	CodeInvalid      Code = "invalid_request"
	CodeUnauthorized Code = "unauthorized"
	CodeNotFound     Code = "not_found"
	CodeMethod       Code = "method_not_allowed"
	CodeConflict     Code = "conflict" // not in the present state
	CodeTooLarge     Code = "too_large"
	CodeUnavailable  Code = "unavailable" // try again
	CodeInternal     Code = "internal"
)

var statusOf = map[Code]int{
	CodeInvalid: http.StatusBadRequest, CodeUnauthorized: http.StatusUnauthorized, CodeNotFound: http.StatusNotFound,
	CodeMethod: http.StatusMethodNotAllowed, CodeConflict: http.StatusConflict, CodeTooLarge: http.StatusRequestEntityTooLarge,
	CodeUnavailable: http.StatusServiceUnavailable, CodeInternal: http.StatusInternalServerError,
}

// Error is a refusal: one sentence that says what is wrong and one that says what to do about it. Every other error of a
// Phone is a fault of the machine.
type Error struct {
	Code    Code
	Message string
}

func (e *Error) Error() string { return e.Message }

// Status is the HTTP status that goes with the code.
func (e *Error) Status() int { return statusOf[e.Code] }

func refuse(c Code, format string, args ...any) error {
	return &Error{Code: c, Message: fmt.Sprintf(format, args...)}
}

// refusal makes an Error of whatever a method returned; false when the machine is at fault.
func refusal(err error) (*Error, bool) {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e, true
	case errors.Is(err, commit.ErrFull):
		return &Error{CodeUnavailable, "Too many writes are waiting. Try again in a moment."}, true
	case errors.Is(err, commit.ErrClosed):
		return &Error{CodeUnavailable, "The phone is shutting down. Start it again."}, true
	}
	return &Error{CodeInternal, "The phone has failed. Its log says why."}, false
}

// inUse makes the error of a store that another process owns more helpful.
func inUse(err error) error {
	if owned, ok := errors.AsType[*sqlite.InUseError](err); ok {
		return fmt.Errorf("open phone: %w", owned)
	}
	return fmt.Errorf("open phone store: %w", err)
}
