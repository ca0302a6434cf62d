//go:build !unix

package storetest

import (
	"testing"

	"kabar/internal/storetest/pgserver"
)

// Server is a PostgreSQL server that one test has for itself. There is none here.
type Server struct{}

// Private skips the test: a server of a test's own is known on Unix only.
func Private(t *testing.T, _ func(t *testing.T, s *Env, server *Server)) {
	t.Helper()
	t.Skipf("THE RESTART OF POSTGRES IS NOT TESTED: %v", pgserver.ErrNone)
}

// Start is never called: there is no server.
func (*Server) Start(testing.TB) {}

// Crash is never called: there is no server.
func (*Server) Crash(testing.TB) {}

// Stop is never called: there is no server.
func (*Server) Stop(testing.TB) {}

// Freeze is never called: there is no server.
func (*Server) Freeze(testing.TB) {}

// Thaw is never called: there is no server.
func (*Server) Thaw(testing.TB) {}
