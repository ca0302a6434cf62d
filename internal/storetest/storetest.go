// Package storetest runs tests against real stores: every test on SQLite and on PostgreSQL, each time on a database of its
// own with two accounts in it, and afterwards reads across: what belongs to one account must be unknown to the other.
//
// PostgreSQL is the server that KABAR_TEST_POSTGRES names (a postgres:// URL of somebody who may create databases), or
// else one that the package starts for the test process in a temporary folder, reachable through a Unix socket only, when
// initdb and postgres are on the PATH. With neither, the PostgreSQL half is skipped, loudly.
//
// It is for tests and benchmarks only and decides nothing about the product. An Env is for one test; its methods may be
// called from several goroutines, except those that close or open the store.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/secrets"
	"kabar/internal/store"
	"kabar/internal/storetest/pgserver"
)

// Env is an open store on a database of its own.
type Env struct {
	DB       *store.DB // nil between Close and Reopen
	A, B     *kabar.Number
	Settings kabar.Settings // of both numbers
	Master   secrets.Key
	Now      time.Time
	Options  store.Options // that opened DB
	Database string        // "sqlite" or "postgres"

	kind kind
}

// kind makes databases of one kind.
type kind interface {
	// ready returns nil when databases can be made, an error that wraps pgserver.ErrNone when there is no such kind here, and
	// another one when there should be.
	ready() error
	// fresh makes an empty database that is gone after the test.
	fresh(tb testing.TB) store.Options
	// copyOf makes a database that holds what the kind's template holds.
	copyOf(tb testing.TB) (store.Options, *world)
}

// Each runs f on SQLite and on PostgreSQL, as subtests, and checks with Across what it has left behind.
func Each(t *testing.T, f func(t *testing.T, s *Env)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { run(t, "sqlite", f) })
	t.Run("postgres", func(t *testing.T) { run(t, "postgres", f) })
}

// SQLite runs f on SQLite only: for what the other database does not have.
func SQLite(t *testing.T, f func(t *testing.T, s *Env)) {
	t.Helper()
	run(t, "sqlite", f)
}

// Postgres runs f on PostgreSQL only: for what the other database does not have.
func Postgres(t *testing.T, f func(t *testing.T, s *Env)) {
	t.Helper()
	run(t, "postgres", f)
}

func run(t *testing.T, database string, f func(t *testing.T, s *Env)) {
	t.Helper()
	s := Open(t, database)
	f(t, s)
	if s.DB != nil {
		s.Across(t)
	}
}

// Open opens a store with the two accounts on a new database of the kind named "sqlite" or "postgres"; the test's cleanup
// closes and removes it. Tests use Each; Open is for benchmarks. Without a PostgreSQL server it skips the test.
func Open(tb testing.TB, database string) *Env {
	tb.Helper()
	k := kinds[database]
	if k == nil {
		tb.Fatalf("storetest: there is no database %q", database)
	}
	if err := k.ready(); err != nil {
		if errors.Is(err, pgserver.ErrNone) {
			tb.Skipf("%s IS NOT TESTED: %v", strings.ToUpper(database), err)
		}
		tb.Fatal(err)
	}
	s := &Env{Database: database, kind: k, Now: start}
	o, w := k.copyOf(tb)
	s.Options, s.Master, s.Settings = o, w.master, w.settings
	a, b := *w.a, *w.b // copies: a test may change its numbers
	s.A, s.B = &a, &b
	tb.Cleanup(func() { s.Close(tb) })
	s.open(tb)
	return s
}

func (s *Env) open(tb testing.TB) {
	tb.Helper()
	db, err := store.Open(tb.Context(), s.Options)
	if err != nil {
		tb.Fatal(err)
	}
	s.DB = db
}

// Close closes the store. A second call does nothing.
func (s *Env) Close(tb testing.TB) {
	tb.Helper()
	if s.DB == nil {
		return
	}
	if err := s.DB.Close(); err != nil {
		tb.Error(err)
	}
	s.DB = nil
}

// Reopen closes the store and opens it again, as the next start of the program does: nothing in memory is left.
func (s *Env) Reopen(tb testing.TB) {
	tb.Helper()
	s.Close(tb)
	s.open(tb)
}

// Fresh makes another, empty database of the same kind, for store.Open, with the Env's master key.
func (s *Env) Fresh(tb testing.TB) store.Options {
	tb.Helper()
	o := s.kind.fresh(tb)
	o.Master = s.Master
	return o
}

// Write commits do, which must succeed.
func (s *Env) Write(tb testing.TB, do func(tx *store.Tx) error) {
	tb.Helper()
	if err := s.DB.Write(tb.Context(), nil, do); err != nil {
		tb.Fatal(err)
	}
}

// Op is one operation of a Batch.
type Op struct {
	Hint func(*store.Tx)
	Do   func(*store.Tx) error
}

// Batch runs operations in one batch, in their order, and returns what each was answered. There may be up to 512. Nothing
// else may write meanwhile.
func (s *Env) Batch(tb testing.TB, ops ...Op) []error {
	tb.Helper()
	gate, started := make(chan struct{}), make(chan struct{})
	errs := make([]error, len(ops)+1)
	done := make(chan struct{})
	write := func(i int, o Op) {
		errs[i] = s.DB.Write(context.WithoutCancel(tb.Context()), o.Hint, o.Do)
		done <- struct{}{}
	}
	go write(len(ops), Op{Do: func(*store.Tx) error { close(started); <-gate; return nil }})
	select {
	case <-started: // the writer is held up in a batch that has only this operation: what comes now waits
	case <-done:
		tb.Fatal(errs[len(ops)])
	}
	for i, o := range ops {
		go write(i, o)
		for n, _ := s.DB.Waiting(); n <= i; n, _ = s.DB.Waiting() {
			time.Sleep(20 * time.Microsecond)
		}
	}
	close(gate)
	for range errs {
		<-done
	}
	if err := errs[len(ops)]; err != nil {
		tb.Fatal(err)
	}
	return errs[:len(ops)]
}

// start is the Now of every Env.
var start = time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)

// world is what every Env begins with.
type world struct {
	master   secrets.Key
	settings kabar.Settings
	a, b     *kabar.Number
}

// newWorld fills an empty database with two accounts, each with a number, and closes it.
func newWorld(o store.Options) (*world, error) {
	w := &world{
		master:   secrets.NewKey(),
		settings: kabar.Settings{BackoffStep: time.Second, BackoffCap: time.Minute, Concurrency: 6, SentEvents: true},
		a:        &kabar.Number{Digits: "15550100001", Profile: kabar.Profile{Name: "Alpha"}},
		b:        &kabar.Number{Digits: "15550100002", Profile: kabar.Profile{Name: "Beta"}},
	}
	o.Master = w.master
	ctx := context.Background()
	db, err := store.Open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("make the template: %w", err)
	}
	err = db.Write(ctx, nil, func(tx *store.Tx) error {
		for _, n := range []*kabar.Number{w.a, w.b} {
			account := &kabar.Account{Name: n.Profile.Name}
			if err := tx.AddAccount(account, start); err != nil {
				return err
			}
			n.Account = account.ID
			if err := tx.AddNumber(n, w.settings, start); err != nil {
				return err
			}
		}
		return nil
	})
	return w, errors.Join(err, db.Close())
}
