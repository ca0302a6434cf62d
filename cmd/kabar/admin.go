package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// storeFlags say which store an administrative command works on. The server must not run at the same time.
type storeFlags struct {
	Data          string `help:"The server's data folder." required:"" type:"path"`
	Database      string `help:"PostgreSQL, if the server uses it." placeholder:"postgres://…"`
	MasterKeyFile string `help:"File with the master key." required:"" type:"path" placeholder:"FILE"`
}

func (f *storeFlags) open(ctx context.Context, noMigrate bool) (*store.DB, error) {
	master, err := secrets.LoadMasterKey(f.MasterKeyFile)
	if err != nil {
		return nil, err
	}
	o := store.Options{URL: f.Database, Master: master, NoMigrate: noMigrate}
	if f.Database == "" {
		o.Path = filepath.Join(f.Data, "kabar.db")
		if _, err := os.Stat(o.Path); err != nil { // opening would make an empty one
			return nil, &usageError{fmt.Errorf("--data %s: there is no store of a server here: %w", f.Data, err)}
		}
	}
	return store.Open(ctx, o)
}

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
	db, err := c.open(ctx, true)
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
	if db, err = c.open(ctx, false); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "Done.")
	return db.Close()
}

// userCmd manages users of the /v1 API.
type userCmd struct {
	Add      userAddCmd      `cmd:"" help:"Add a user of a number. The password is made up and printed once."`
	Password userPasswordCmd `cmd:"" help:"Give a user a new password, printed once; the next login must change it."`
}

// Help is shown by kabar user --help.
func (*userCmd) Help() string {
	return `One process owns a store: stop kabar serve first, and start it again afterwards.

Examples:
  kabar user add reports --data server --master-key-file master.key
  kabar user add manager --admin --number 628111000200 --data server --master-key-file master.key
  kabar user password admin --data server --master-key-file master.key`
}

type userAddCmd struct {
	storeFlags `embed:""`
	Name       string `arg:"" help:"Name of the user, unique on the server."`
	Number     string `help:"The number the user belongs to; may be left out when there is one." placeholder:"DIGITS"`
	Admin      bool   `help:"Make the user an administrator."`
}

// Run adds a user.
func (c *userAddCmd) Run(ctx context.Context, s streams) (err error) {
	db, err := c.open(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	number, err := pickNumber(ctx, db, c.Number)
	if err != nil {
		return err
	}
	a, err := auth.New(ctx, auth.Options{Store: db})
	if err != nil {
		return err
	}
	role, password := auth.RoleUser, auth.RandomPassword()
	if c.Admin {
		role = auth.RoleAdmin
	}
	if err := a.AddUser(ctx, auth.NewUser{Number: number, Name: c.Name, Password: password, Role: role, MustChange: true}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "Added %s (%s) for %s. Password, not shown again: %s\n", c.Name, role, number.Digits, password)
	return err
}

func pickNumber(ctx context.Context, db *store.DB, digits string) (*kabar.Number, error) {
	all, err := db.Numbers(ctx)
	if err != nil {
		return nil, err
	}
	if digits == "" && len(all) == 1 {
		return all[0], nil
	}
	var known []string
	for _, n := range all {
		if n.Digits == digits {
			return n, nil
		}
		known = append(known, n.Digits)
	}
	return nil, &usageError{fmt.Errorf("--number %q: the store has %v", digits, known)}
}

type userPasswordCmd struct {
	storeFlags `embed:""`
	Name       string `arg:"" help:"Name of the user."`
}

// Run sets a password.
func (c *userPasswordCmd) Run(ctx context.Context, s streams) (err error) {
	db, err := c.open(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	a, err := auth.New(ctx, auth.Options{Store: db})
	if err != nil {
		return err
	}
	password := auth.RandomPassword()
	if err := a.SetPassword(ctx, c.Name, password, true); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "New password of %s, not shown again: %s\n", c.Name, password)
	return err
}
