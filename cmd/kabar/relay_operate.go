package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kabar/internal/control"
	"kabar/internal/relayserver"
)

// relayFlags say which relay a command of the operator works on.
type relayFlags struct {
	Data      string `help:"The relay's data folder." required:"" type:"path"`
	listFlags `embed:""`
}

// relayOperations has everything that the operator of a relay can have done.
func relayOperations(r *relayserver.Server) *control.Mux {
	m := control.NewMux()
	relayInviteOperations(m, r)
	relayListOperations(m, r)
	return m
}

// refused makes a mistake of the operator one that the command shows as such.
func refused(err error) error {
	if u, ok := errors.AsType[*relayserver.UsageError](err); ok {
		return control.Refuse("%s", u.Message)
	}
	return err
}

// operate calls do with a client of the relay that runs on the data folder, or, when none does, of the folder opened here.
func (f *relayFlags) operate(ctx context.Context, do func(c *control.Client) error) (err error) {
	c, err := control.Dial(ctx, f.Data)
	if err == nil {
		return do(c)
	}
	if !errors.Is(err, control.ErrNotRunning) {
		return err
	}
	there, err := f.there()
	if err != nil {
		return err
	}
	if !there { // opening would make an empty one
		return &usageError{fmt.Errorf("--data %s: there is no relay here: kabar relay init makes one", f.Data)}
	}
	r, err := relayserver.Open(ctx, relayserver.Options{Dir: f.Data})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return do(control.Local(relayOperations(r)))
}

// there reports whether the folder has a relay's store.
func (f *relayFlags) there() (bool, error) {
	_, err := os.Stat(filepath.Join(f.Data, "relay.db"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
