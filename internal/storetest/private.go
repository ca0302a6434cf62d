//go:build unix

package storetest

import (
	"database/sql"
	"errors"
	"strconv"
	"syscall"
	"testing"

	"kabar/internal/store"
	"kabar/internal/storetest/pgserver"
)

// Server is a PostgreSQL server that one test has for itself: it may end it, freeze it and start it again. When the test
// process dies, the server ends too, but its folder in /tmp stays.
type Server struct {
	server *pgserver.Server
	frozen []int // processes
}

// Private runs f with a store on a server of its own. Without the programs of PostgreSQL it skips the test.
func Private(t *testing.T, f func(t *testing.T, s *Env, server *Server)) {
	t.Helper()
	inner, err := pgserver.New(true)
	if errors.Is(err, pgserver.ErrNone) {
		t.Skipf("THE RESTART OF POSTGRES IS NOT TESTED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	server := &Server{server: inner}
	server.Start(t)
	t.Cleanup(func() {
		server.Thaw(t)
		if err := inner.End(); err != nil {
			t.Error(err)
		}
	})
	s := &Env{Database: "postgres", kind: private{}, Now: start, Options: store.Options{URL: inner.URL().String()}}
	w, err := newWorld(s.Options)
	if err != nil {
		t.Fatal(err)
	}
	s.Master, s.Options.Master, s.Settings, s.A, s.B = w.master, w.master, w.settings, w.a, w.b
	s.open(t)
	t.Cleanup(func() { s.Close(t) })
	f(t, s, server)
	if s.DB != nil {
		s.Across(t)
	}
}

// Start starts the server and waits until it answers.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	if err := s.server.Start(); err != nil {
		tb.Fatal(err)
	}
}

// Crash ends the server as a crash of its machine does, but for what the operating system has kept.
func (s *Server) Crash(tb testing.TB) {
	tb.Helper()
	if err := s.server.Kill(syscall.SIGKILL); err != nil {
		tb.Fatal(err)
	}
}

// Stop ends the server at once, as "pg_ctl stop -m immediate" does.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	if err := s.server.Kill(syscall.SIGQUIT); err != nil {
		tb.Fatal(err)
	}
}

// Freeze stops every process of the server without ending it: connections stay, and nobody answers.
func (s *Server) Freeze(tb testing.TB) {
	tb.Helper()
	db, err := sql.Open("pgx", s.server.URL().String())
	if err != nil {
		tb.Fatal(err)
	}
	rows, err := query(tb, db, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
	if err = errors.Join(err, db.Close()); err != nil {
		tb.Fatal(err)
	}
	pid, err := s.server.PID()
	if err != nil {
		tb.Fatal(err)
	}
	s.frozen = []int{pid}
	for _, r := range rows {
		if pid, err = strconv.Atoi(r[0]); err != nil {
			tb.Fatal(err)
		}
		s.frozen = append(s.frozen, pid)
	}
	s.signal(syscall.SIGSTOP)
}

// Thaw ends what Freeze has begun. Without it, it does nothing.
func (s *Server) Thaw(testing.TB) {
	s.signal(syscall.SIGCONT)
	s.frozen = nil
}

func (s *Server) signal(sig syscall.Signal) {
	for _, pid := range s.frozen {
		_ = syscall.Kill(pid, sig) // the one that told us of the others has ended meanwhile
	}
}

// private makes no further databases: a test with a server of its own has the one.
type private struct{}

func (private) ready() error { return nil }

func (private) fresh(tb testing.TB) store.Options {
	tb.Fatal("storetest: a private server has one database")
	return store.Options{}
}

func (k private) copyOf(tb testing.TB) (store.Options, *world) { return k.fresh(tb), nil }
