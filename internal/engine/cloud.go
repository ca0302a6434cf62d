package engine

import (
	"context"
	"slices"
	"time"

	"kabar"
	"kabar/internal/store"
)

// How often a number may be registered and deregistered (contract Cloud API, 1.6).
const (
	maxAttempts = 10
	attemptSpan = 72 * time.Hour
)

// AttemptRegistration counts an attempt to register or to deregister a number through the Cloud API. The eleventh within 72 hours
// is refused with ReasonRegisterLimit, and is not counted.
func (e *Engine) AttemptRegistration(ctx context.Context, id kabar.NumberID) error {
	// It is counted before it is known whether anything comes of it: what does has the entry in the audit log.
	return e.ChangeSettings(store.WithRecord(ctx, nil), id, func(s *kabar.Settings, _ *string) error {
		now := e.now()
		recent := slices.DeleteFunc(slices.Clone(s.Cloud.Attempts), func(at time.Time) bool { return !now.Before(at.Add(attemptSpan)) })
		if len(recent) >= maxAttempts {
			return &kabar.Error{Reason: kabar.ReasonRegisterLimit, Detail: "there were 10 attempts in the last 72 hours", After: recent[0].Add(attemptSpan).Sub(now)}
		}
		s.Cloud.Attempts = append(recent, now)
		return nil
	})
}

// SetUsername gives a number a username; an empty one takes it away. One that a number of another account has is refused with
// ReasonUsernameTaken, one of another number of the account with ReasonUsernameOurs, unless it is to be moved.
func (e *Engine) SetUsername(ctx context.Context, id kabar.NumberID, name string, move bool) error {
	if name != "" {
		if err := kabar.CheckUsername(name); err != nil {
			return err
		}
	}
	l, err := e.line(id)
	if err != nil {
		return err
	}
	e.naming.Lock() // a name is looked for and given in one
	defer e.naming.Unlock()
	owner := e.named(name)
	switch {
	case owner == nil || owner.number.ID == id:
	case owner.number.Account != l.number.Account:
		return kabar.Refuse(kabar.ReasonUsernameTaken, "username", "another business has it")
	case !move:
		return kabar.Refuse(kabar.ReasonUsernameOurs, "username", "another number of yours has it: transfer_action force_transfer moves it")
	default:
		if err := e.rename(ctx, owner.number.ID, ""); err != nil {
			return err
		}
	}
	return e.rename(ctx, id, name)
}

func (e *Engine) rename(ctx context.Context, id kabar.NumberID, name string) error {
	return e.ChangeSettings(ctx, id, func(s *kabar.Settings, _ *string) error { s.Cloud.Username = name; return nil })
}

// named returns the number that has a username; nil if none has.
func (e *Engine) named(name string) *line {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, l := range e.lines {
		if name != "" && l.settings.Cloud.Username == name {
			return l
		}
	}
	return nil
}
