package relayclient

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// The back-off of Keep: it doubles from minBackoff to maxBackoff and starts over after a connection that lived stable.
const (
	minBackoff = 200 * time.Millisecond
	maxBackoff = 30 * time.Second
	stable     = time.Minute
)

// Keep keeps a connection: it dials, calls run with the connection, closes it when run returns, waits and dials again. It
// returns, with ctx's error, only when ctx ends.
//
// run should return when the connection ends (Receive does). The wait is between half and all of a back-off that doubles
// from 0.2 s to 30 s and starts over after a connection of a minute; it is the longest at once when the relay will
// hardly change its mind (ErrReplaced, ErrReregistered, ErrWrongKey, ErrRegistration, ErrVerify, ErrRevoked, *WrongCode).
func Keep(ctx context.Context, dial func(context.Context) (*Conn, error), run func(context.Context, *Conn) error) error {
	backoff := minBackoff
	for ctx.Err() == nil {
		start := time.Now()
		err := once(ctx, dial, run)
		switch {
		case hopeless(err):
			backoff = maxBackoff
		case time.Since(start) >= stable:
			backoff = minBackoff
		}
		wait := backoff/2 + rand.N(backoff/2)
		if patience, ok := errors.AsType[*RetryAfter](err); ok {
			wait = max(wait, patience.After)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		backoff = min(2*backoff, maxBackoff)
	}
	return ctx.Err()
}

func once(ctx context.Context, dial func(context.Context) (*Conn, error), run func(context.Context, *Conn) error) error {
	c, err := dial(ctx)
	if err != nil {
		return err
	}
	err = run(ctx, c)
	_ = c.Close() // it has no error of its own
	return errors.Join(err, c.Err())
}

func hopeless(err error) bool {
	for _, h := range []error{ErrReplaced, ErrReregistered, ErrWrongKey, ErrRegistration, ErrVerify, ErrRevoked} {
		if errors.Is(err, h) {
			return true
		}
	}
	_, wrong := errors.AsType[*WrongCode](err)
	return wrong
}
