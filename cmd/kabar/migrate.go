package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"kabar/internal/secrets"
	"kabar/internal/store"
)

// migrateCmd brings a store to this program's schema.
type migrateCmd struct {
	storeFlags `embed:""`
	Plan       bool `help:"Only say what would be done." env:"-"`
}

// Help is shown by kabar migrate --help.
func (*migrateCmd) Help() string {
	return `kabar serve sets up an empty store by itself, and refuses to start on one of an older version: make a backup, stop it, and run this. One
process owns a store, so the server must not run meanwhile. Every statement is committed by itself: when the command is
killed, run it again, and it goes on behind the last statement that was done.

It needs no master key; with one, it opens the store at the end to see that all is well.

Examples:
  kabar migrate --data server --plan
  kabar migrate --data server --master-key-file master.key`
}

// Run migrates, or says what is pending.
func (c *migrateCmd) Run(ctx context.Context, s streams) error {
	o, err := c.place(secrets.Key{})
	if err != nil {
		return err
	}
	schema, err := store.Plan(ctx, o)
	if err != nil {
		return err
	}
	if len(schema.Pending) == 0 {
		_, err := fmt.Fprintf(s.out, "The store is up to date: schema %d.\n", schema.Have)
		return err
	}
	plan(s.out, schema)
	if c.Plan {
		_, err := fmt.Fprintln(s.out, "Nothing was changed. Make a backup, then run the same command without --plan.")
		return err
	}
	if err := store.Migrate(ctx, o, steps(s.out)); err != nil {
		return err
	}
	if err := c.check(ctx, s.out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "Done: the store has schema %d.\n", schema.Want)
	return err
}

// plan prints what is pending.
func plan(w io.Writer, s store.Schema) {
	fmt.Fprintf(w, "The store has schema %d, this program needs %d. Pending:\n", s.Have, s.Want)
	for _, m := range s.Pending {
		fmt.Fprintf(w, "  %s  %d statements: %s\n", m.Name, m.Statements, m.Purpose)
		if m.Done > 0 {
			fmt.Fprintf(w, "  %s  %d of them are done: it goes on behind them\n", strings.Repeat(" ", len(m.Name)), m.Done)
		}
	}
}

// steps prints a line a statement: what it is when it begins, how long it took when it is committed.
func steps(w io.Writer) func(store.Step) {
	var began time.Time
	return func(s store.Step) {
		if s.Done {
			fmt.Fprintf(w, "  %s\n", time.Since(began).Round(100*time.Microsecond))
			return
		}
		began = time.Now()
		fmt.Fprintf(w, "%s %d/%d  %s", s.File, s.Number, s.Of, headline(s.Statement))
	}
}

// headline is how a statement begins.
func headline(statement string) string {
	const most = 72
	line, _, more := strings.Cut(strings.TrimSuffix(statement, ";"), "\n")
	if len(line) > most {
		line, more = line[:most], true
	}
	if more {
		line += "…"
	}
	return line
}

// check opens the store, if there is a key here to open it with.
func (c *migrateCmd) check(ctx context.Context, out io.Writer) error {
	master, err := c.load(ctx)
	if err != nil {
		_, err := fmt.Fprintln(out, "Not opened to see that all is well: no master key here.")
		return err
	}
	db, err := c.openStore(ctx, master, true)
	if err != nil {
		return errors.Join(errors.New("the schema is up to date, but the store does not open"), err)
	}
	return db.Close()
}
