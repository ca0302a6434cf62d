package main

import (
	"context"
	"errors"
	"fmt"

	"kabar/internal/store"
)

// migrateCmd brings a store to this program's schema.
type migrateCmd struct {
	storeFlags `embed:""`
	Plan       bool `help:"Only say what would be done."`
}

// Help is shown by kabar migrate --help.
func (*migrateCmd) Help() string {
	return `kabar serve sets up an empty store by itself, and refuses to start on one of an older version: stop it, make a copy of the data
folder, and run this. One process owns a store, so the server must not run meanwhile.

Examples:
  kabar migrate --data server --master-key-file master.key --plan
  kabar migrate --data server --master-key-file master.key`
}

// Run migrates, or says what is pending.
func (c *migrateCmd) Run(ctx context.Context, s streams) error {
	master, err := c.load(ctx)
	if err != nil {
		return err
	}
	db, err := c.openStore(ctx, master, true)
	var pending *store.PendingError
	switch {
	case err == nil:
		fmt.Fprintln(s.out, "The store is up to date.")
		return db.Close()
	case !errors.As(err, &pending):
		return err
	}
	fmt.Fprintf(s.out, "The store has schema %d, this program needs %d. Pending:\n", pending.Have, pending.Want)
	for _, name := range pending.Pending {
		fmt.Fprintf(s.out, "  %s\n", name)
	}
	if c.Plan {
		fmt.Fprintln(s.out, "Nothing was changed. Make a copy of the data folder, then run the same command without --plan.")
		return nil
	}
	if db, err = c.openStore(ctx, master, false); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "Done.")
	return db.Close()
}
