package relayclient_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"kabar/internal/relayclient"
)

// waits runs Keep against a relay that fails as told and returns the pauses between attempts.
func waits(t *testing.T, failures ...error) []time.Duration {
	t.Helper()
	var pauses []time.Duration
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	last := time.Time{}
	n := 0
	err := relayclient.Keep(ctx, func(context.Context) (*relayclient.Conn, error) {
		if !last.IsZero() {
			pauses = append(pauses, time.Since(last))
		}
		last = time.Now()
		if n++; n > len(failures) {
			cancel()
			return nil, context.Canceled
		}
		return nil, failures[n-1]
	}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Keep = %v", err)
	}
	return pauses
}

func TestKeepBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failures := make([]error, 12)
		for i := range failures {
			failures[i] = errors.New("down")
		}
		most := 200 * time.Millisecond
		for i, got := range waits(t, failures...) {
			if got < most/2 || got > most {
				t.Errorf("pause %d: %s, want %s to %s", i, got, most/2, most)
			}
			most = min(2*most, 30*time.Second)
		}
	})
}

func TestKeepIsPatientWhenItIsToldTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for i, got := range waits(t, &relayclient.RetryAfter{After: time.Hour, Err: relayclient.ErrLimited}, errors.New("down")) {
			if (got >= time.Hour) != (i == 0) {
				t.Errorf("pause %d: %s", i, got)
			}
		}
		for _, hopeless := range []error{relayclient.ErrReplaced, relayclient.ErrReregistered, relayclient.ErrWrongKey, relayclient.ErrRegistration,
			relayclient.ErrVerify, relayclient.ErrRevoked, &relayclient.WrongCode{Left: 3}} {
			if got := waits(t, fmt.Errorf("relay dial: %w", hopeless))[0]; got < 15*time.Second {
				t.Errorf("%v: %s", hopeless, got)
			}
		}
	})
}
