package main

import (
	"context"
	"errors"
	"testing"

	"kabar/internal/control"
)

// Nobody onboards while somebody else does, and who is killed gives up the turn.
func TestOnboardingTakesTurns(t *testing.T) {
	m := control.NewMux()
	control.Handle(m, "provider.turn", takeTurns())
	op := control.Local(m)
	killed, kill := context.WithCancel(t.Context())
	began, busy, done := make(chan struct{}), false, make(chan error, 2)
	go func() {
		done <- inTurn(killed, op, func(ctx context.Context) error {
			busy = true
			close(began)
			<-ctx.Done()
			busy = false
			return ctx.Err()
		})
	}()
	<-began
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := inTurn(gone, op, func(context.Context) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("who was interrupted while waiting: %v", err)
	}
	go func() {
		done <- inTurn(t.Context(), op, func(context.Context) error {
			if busy {
				t.Error("two at once")
			}
			return nil
		})
	}()
	kill()
	first, second := <-done, <-done
	if errors.Is(second, context.Canceled) {
		first, second = second, first
	}
	if !errors.Is(first, context.Canceled) || second != nil {
		t.Errorf("the one that was killed: %v; the other: %v", first, second)
	}
}
