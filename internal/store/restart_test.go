//go:build unix

package store_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"kabar/internal/patience"
	"kabar/internal/store"
	"kabar/internal/storetest"
)

// TestARestartOfTheDatabaseLosesNothing ends the server, in two ways, while many write and read.
func TestARestartOfTheDatabaseLosesNothing(t *testing.T) {
	storetest.Private(t, func(t *testing.T, s *storetest.Env, server *storetest.Server) {
		losesNothing(t, s, func(flow func()) {
			for i, end := range []func(testing.TB){server.Crash, server.Stop, server.Crash} {
				flow()
				end(t)
				if _, err := store.Open(t.Context(), s.Options); i == 0 {
					wantAdvice(t, err)
				}
				server.Start(t)
				works(t, s)
			}
		})
		var taken *store.InUseError
		if _, err := store.Open(t.Context(), s.Options); !errors.As(err, &taken) {
			t.Errorf("Open by another process after the restarts = %v: the lock was not taken again", err)
		}
	})
}

// wantAdvice wants an error that names the server and says what to check.
func wantAdvice(t *testing.T, err error) {
	t.Helper()
	for _, want := range []string{"PostgreSQL at /tmp/kabar-pg-", "database postgres", "user kabar", "Check that the server runs"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open without a server = %v, want %q in it", err, want)
		}
	}
}

// TestAFrozenDatabaseHoldsNobodyForEver freezes the server within a batch: writers and readers are refused, and when it
// thaws, what was on its way comes before what is written later.
func TestAFrozenDatabaseHoldsNobodyForEver(t *testing.T) {
	storetest.Private(t, func(t *testing.T, s *storetest.Env, server *storetest.Server) {
		s.Write(t, busy(s, s.A, "490"))
		s.DB.SetPatience(300 * time.Millisecond)
		var down *store.UnavailableError
		thaw := sync.OnceFunc(func() { server.Thaw(t) })
		defer thaw() // whoever is held goes on
		frozen, refused := make(chan struct{}), make(chan struct{})
		freeze := sync.OnceFunc(func() { server.Freeze(t); close(frozen) })
		go func() {
			defer close(refused)
			err := s.DB.Write(t.Context(), nil, func(tx *store.Tx) error {
				freeze()
				return busy(s, s.A, "491")(tx)
			})
			if !errors.As(err, &down) {
				t.Errorf("Write within which the server froze = %v, want an UnavailableError", err)
			}
			<-frozen // the write may have been given up before
			for range 2 {
				if err := s.DB.Write(t.Context(), nil, busy(s, s.A, "492")); !errors.As(err, &down) {
					t.Errorf("Write = %v, want an UnavailableError", err)
				}
				if _, err := s.DB.Numbers(t.Context()); !errors.As(err, &down) {
					t.Errorf("Numbers = %v, want an UnavailableError", err)
				}
			}
		}()
		patience.Next(t, "five operations on a frozen server end", refused)
		thaw()
		s.DB.SetPatience(5 * time.Second)
		works(t, s)
		s.Write(t, busy(s, s.A, "493"))
		if n := checkLog(t, s, s.A.ID); n < 2 || n > 4 {
			t.Errorf("%d events, want 2, or more if a commit was on its way", n)
		}
	})
}
