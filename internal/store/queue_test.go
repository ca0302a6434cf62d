package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"kabar/internal/patience"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

func TestAFullQueueRefusesAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		s.Options.Queue = 2
		s.Reopen(t)
		gate, started := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		write := func(do func(tx *store.Tx) error) {
			wg.Go(func() {
				if err := s.DB.Write(t.Context(), nil, do); err != nil {
					t.Error(err)
				}
			})
		}
		write(func(*store.Tx) error { close(started); <-gate; return nil })
		patience.Next(t, "the first write has begun", started)
		for i := range 2 {
			write(func(tx *store.Tx) error { return tx.SetState(s.A, fmt.Sprint(i), 0, []byte("v")) })
		}
		patience.Until(t, "the queue is full", func() bool { n, limit := s.DB.Waiting(); return n == limit })
		if err := s.DB.Write(t.Context(), nil, func(*store.Tx) error { return nil }); !errors.Is(err, store.ErrFull) {
			t.Errorf("Write to a full queue = %v, want ErrFull", err)
		}
		close(gate)
		wg.Wait()
		if v, _, err := s.DB.State(t.Context(), s.A.ID, "1"); string(v) != "v" || err != nil {
			t.Errorf("what waited was not stored: %q, %v", v, err)
		}
	})
}

func TestAContextEndsTheWaitOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		gate, started, gone := make(chan struct{}), make(chan struct{}), make(chan error, 2)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			gone <- s.DB.Write(ctx, nil, func(tx *store.Tx) error {
				close(started)
				<-gate
				return tx.SetState(s.A, "running", 0, []byte("v"))
			})
		}()
		patience.Next(t, "the first write has begun", started)
		go func() {
			gone <- s.DB.Write(ctx, nil, func(tx *store.Tx) error { return tx.SetState(s.A, "waiting", 0, []byte("v")) })
		}()
		patience.Until(t, "one waits", func() bool { n, _ := s.DB.Waiting(); return n > 0 })
		cancel()
		for range 2 {
			if err := <-gone; !errors.Is(err, context.Canceled) {
				t.Errorf("Write = %v, want canceled", err)
			}
		}
		if _, err := s.DB.Message(ctx, s.A.ID, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("a read = %v, want canceled", err)
		}
		close(gate)
		s.Write(t, func(*store.Tx) error { return nil }) // behind them in the queue
		for _, name := range []string{"running", "waiting"} {
			if v, _, err := s.DB.State(t.Context(), s.A.ID, name); string(v) != "v" || err != nil {
				t.Errorf("the %s operation was broken off: %q, %v", name, v, err)
			}
		}
	})
}
