package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/control"
	"kabar/internal/engine"
	"kabar/internal/media"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// storeFlags say which server a command of the operator works on.
type storeFlags struct {
	databaseFlags `embed:""`
	masterFlags   `embed:""`
}

// parts are what the operator's operations work with, in the running server or in a command's own process.
type parts struct {
	dir    string // the data folder
	db     *store.DB
	auth   *auth.Auth
	media  *media.Store
	attach func(ctx context.Context, n *kabar.Number) error // connects a new number, and has its endpoints told of it; nil when the server does not run
	// Nil when the server does not run, as attach is:
	verify func(ctx context.Context, n *kabar.Number, code string) error // gives the relay a number's verification code
	link   func(n *kabar.Number) (state string, since time.Time)         // how a number is connected
	api    func() string                                                 // where the API is reached
	engine *engine.Engine                                                // of the running server

	limits kabar.Limits // of numbers that are added
}

// operations has everything that an operator can have done; each noun's file holds its operations beside its commands.
func operations(p *parts) *control.Mux {
	m := control.NewMux()
	userOperations(m, p)
	backupOperation(m, p)
	numberOperations(m, p)
	keyOperations(m, p)
	templateOperations(m, p)
	messageOperations(m, p)
	catalogOperations(m, p)
	accountOperations(m, p)
	providerOperations(m, p)
	ratesOperations(m, p)
	consentOperations(m, p)
	broadcastOperations(m, p)
	customerOperations(m, p)
	auditOperations(m, p)
	return m
}

// operate calls do with a client of the server's operations: of the server that runs on the data folder, or, when none
// does, of the store opened here.
func (f *storeFlags) operate(ctx context.Context, do func(c *control.Client) error) (err error) {
	c, err := control.Dial(ctx, f.Data)
	if err == nil {
		return do(c)
	}
	if !errors.Is(err, control.ErrNotRunning) {
		return err
	}
	p, err := f.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	return do(control.Local(operations(p)))
}

// open opens the parts of a server that does not run.
func (f *storeFlags) open(ctx context.Context) (*parts, error) {
	if _, err := f.place(secrets.Key{}); err != nil { // a folder that was misspelt needs no key
		return nil, err
	}
	master, err := f.loadFor(ctx, &f.databaseFlags)
	if err != nil {
		return nil, err
	}
	db, err := f.openStore(ctx, master, true)
	if err != nil {
		return nil, err
	}
	p := &parts{dir: f.Data, db: db, limits: kabar.StartingLimits()}
	if p.media, err = media.Open(filepath.Join(f.Data, "media")); err == nil {
		p.auth, err = auth.New(ctx, auth.Options{Store: db})
	}
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (p *parts) close() error {
	var err error
	if p.media != nil {
		err = p.media.Close()
	}
	return errors.Join(err, p.db.Close())
}

// openStore opens the store, which must be there.
func (f *storeFlags) openStore(ctx context.Context, master secrets.Key, noMigrate bool) (*store.DB, error) {
	o, err := f.place(master)
	if err != nil {
		return nil, err
	}
	o.NoMigrate = noMigrate
	return f.openWith(ctx, o)
}
