package store

import (
	"errors"
	"time"

	"kabar"
)

// Refusal turns an error of the store into the refusal that the dialects know (contract On-Premises API, section 3: 1011 when
// the database is away, 1016 when too much waits, 1023 only for a failed statement). Any other error stays as it is.
func Refusal(err error) error {
	if err == nil {
		return nil
	}
	var missing *NotFoundError
	var broken *StatementError
	var down *UnavailableError
	switch {
	case errors.As(err, &missing):
		return kabar.Refuse(kabar.ReasonNotFound, "", "%s", missing.Error())
	case errors.Is(err, ErrFull):
		return &kabar.Error{Reason: kabar.ReasonOverloaded, Detail: "too many writes are waiting", After: time.Second}
	case errors.As(err, &down):
		return &kabar.Error{Reason: kabar.ReasonNotReady, Detail: "the database does not answer", After: 5 * time.Second}
	case errors.As(err, &broken):
		return kabar.Refuse(kabar.ReasonStore, "", "a statement failed")
	}
	return err
}
