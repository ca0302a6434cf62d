package main

import (
	"context"

	"kabar/internal/secrets"
)

// masterFlags say where the master key is.
type masterFlags struct {
	MasterKeyFile string `help:"File with the master key. A missing one is an error that says how to make it." type:"path" placeholder:"FILE"`
}

// load reads the master key.
func (f *masterFlags) load(_ context.Context) (secrets.Key, error) {
	return secrets.LoadMasterKey(f.MasterKeyFile)
}
