package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"kabar/internal/store"
	"kabar/internal/storetest/pgserver"
)

// Main runs a package's tests and ends the PostgreSQL server if one was started. A package that uses storetest calls it
// from its TestMain. A process that dies without coming here takes its server and its folder along all the same; only on
// a server of KABAR_TEST_POSTGRES databases called kabar_test_… may be left.
func Main(m *testing.M) {
	code := m.Run()
	k := kinds["postgres"].(*postgresKind)
	if k.err != nil {
		fmt.Fprintln(os.Stderr, "storetest: POSTGRESQL HAS NOT BEEN TESTED:", k.err)
	}
	if err := k.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "storetest:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// postgresKind makes databases on one server.
type postgresKind struct {
	once  sync.Once
	err   error
	base  *url.URL     // of the server
	end   func() error // ends the server, if it is ours
	admin *sql.DB      // creates and drops databases
	world *world       // what the template holds

	mu    sync.Mutex
	count int      // databases made
	free  []string // databases that hold what the template holds, and that nobody uses
}

// seed sets what the template holds aside, in every database made from it. recycle brings a database back to it, which
// takes a twentieth of the time that a new one does.
const (
	seed = "CREATE SCHEMA seed; " + eachTable + "EXECUTE format('CREATE TABLE seed.%1$I AS TABLE public.%1$I', t);" + end

	recycle = eachTable + `EXECUTE format('DELETE FROM public.%1$I', t);
		EXECUTE format('INSERT INTO public.%1$I SELECT * FROM seed.%1$I', t);` + end

	eachTable = "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP "
	end       = " END LOOP; END $$"
)

func (k *postgresKind) ready() error {
	k.once.Do(func() { k.err = k.start() })
	return k.err
}

func (k *postgresKind) start() (err error) {
	if given := os.Getenv("KABAR_TEST_POSTGRES"); given != "" {
		k.base, err = url.Parse(given)
	} else {
		k.base, k.end, err = pgserver.Run(false)
	}
	if err != nil {
		return err
	}
	if k.admin, err = sql.Open("pgx", k.base.String()); err != nil {
		return err
	}
	template := k.name("template")
	if err := k.exec("CREATE DATABASE " + template); err != nil {
		return err
	}
	if k.world, err = newWorld(store.Options{URL: k.url(template)}); err != nil {
		return err
	}
	return k.execIn(template, seed)
}

func (k *postgresKind) stop() error {
	if k.admin == nil {
		return nil
	}
	var errs []error
	if k.end == nil && k.world != nil { // the server stays, so the databases must go
		for _, name := range append(k.free, k.name("template")) {
			errs = append(errs, k.drop(name))
		}
	}
	errs = append(errs, k.admin.Close())
	if k.end != nil {
		errs = append(errs, k.end())
	}
	return errors.Join(errs...)
}

func (k *postgresKind) fresh(tb testing.TB) store.Options {
	tb.Helper()
	name := k.next()
	if err := k.exec("CREATE DATABASE " + name); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := k.drop(name); err != nil {
			tb.Error(err)
		}
	})
	return store.Options{URL: k.url(name)}
}

func (k *postgresKind) copyOf(tb testing.TB) (store.Options, *world) {
	tb.Helper()
	name, err := k.take()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := k.giveBack(name, tb.Failed()); err != nil {
			tb.Error(err)
		}
	})
	return store.Options{URL: k.url(name), Master: k.world.master}, k.world
}

// take returns a database that holds what the template holds.
func (k *postgresKind) take() (name string, err error) {
	k.mu.Lock()
	if last := len(k.free) - 1; last >= 0 {
		name, k.free = k.free[last], k.free[:last]
	}
	k.mu.Unlock()
	if name == "" {
		name = k.next()
		err = k.exec("CREATE DATABASE " + name + " TEMPLATE " + k.name("template"))
	}
	return name, err
}

// giveBack recycles a database, or drops one in which a test has failed.
func (k *postgresKind) giveBack(name string, failed bool) error {
	if failed {
		return k.drop(name)
	}
	if err := k.execIn(name, recycle); err != nil {
		return errors.Join(err, k.drop(name))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.free = append(k.free, name)
	return nil
}

// next names a new database.
func (k *postgresKind) next() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.count++
	return k.name(fmt.Sprint(k.count))
}

// name tells databases of this process from others on the same server. It needs no quoting.
func (k *postgresKind) name(what string) string {
	return fmt.Sprintf("kabar_test_%d_%s", os.Getpid(), what)
}

func (k *postgresKind) url(database string) string {
	u := *k.base
	u.Path = "/" + database
	return u.String()
}

func (k *postgresKind) drop(name string) error {
	return k.exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)")
}

func (k *postgresKind) exec(text string) error { return execute(k.admin, text) }

func (k *postgresKind) execIn(database, text string) error {
	db, err := sql.Open("pgx", k.url(database))
	if err != nil {
		return err
	}
	return errors.Join(execute(db, text), db.Close())
}

func execute(db *sql.DB, text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // a test's own context has ended at its cleanup
	defer cancel()
	if _, err := db.ExecContext(ctx, text); err != nil {
		return fmt.Errorf("%.40s…: %w", text, err)
	}
	return nil
}
