package storetest

import (
	"fmt"
	"net/url"
	"testing"
)

// Kill ends every connection to the PostgreSQL database, as a restart of the server does.
func (s *Env) Kill(tb testing.TB) {
	tb.Helper()
	s.tell(tb, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '%s'")
}

// Down makes the PostgreSQL database unreachable until Up: no connection stays and none is taken.
func (s *Env) Down(tb testing.TB) {
	tb.Helper()
	s.tell(tb, "ALTER DATABASE %s ALLOW_CONNECTIONS false")
	s.Kill(tb)
}

// Up ends what Down has begun.
func (s *Env) Up(tb testing.TB) {
	tb.Helper()
	s.tell(tb, "ALTER DATABASE %s ALLOW_CONNECTIONS true")
}

// tell has the server execute a statement about the Env's database, whose name goes where %s stands.
func (s *Env) tell(tb testing.TB, format string) {
	tb.Helper()
	k, ok := s.kind.(*postgresKind)
	if !ok {
		tb.Fatal("storetest: only PostgreSQL has connections to end")
	}
	u, err := url.Parse(s.Options.URL)
	if err != nil {
		tb.Fatal(err)
	}
	if err := k.exec(fmt.Sprintf(format, u.Path[1:])); err != nil {
		tb.Fatal(err)
	}
}
