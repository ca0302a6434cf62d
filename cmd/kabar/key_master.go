package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"kabar/internal/kms"
	"kabar/internal/secrets"
)

// keyMasterCmd makes a master key.
type keyMasterCmd struct {
	File         string `arg:"" help:"File to make; it must not be there yet." type:"path"`
	MasterKeyKMS string `name:"master-key-kms" help:"Wrap the key, so that the file is of no use alone: age: and the path of an age identity file." placeholder:"age:FILE"`
}

// AfterApply is called by kong.
func (c *keyMasterCmd) AfterApply() (err error) {
	c.MasterKeyKMS, err = absoluteKMS(c.MasterKeyKMS)
	return err
}

// Help is shown by kabar key master --help.
func (*keyMasterCmd) Help() string {
	return `The master key encrypts everything a server stores. Who has it and the store, or a backup, reads all; without it nobody reads
anything, and nobody can help. The file can be read by its owner only, and is never overwritten.

Examples:
  kabar key master /etc/kabar/master.key
  age-keygen -o /media/key/identity.txt && kabar key master /etc/kabar/master.key --master-key-kms age:/media/key/identity.txt`
}

// Run makes the file and says what to do with it.
func (c *keyMasterCmd) Run(ctx context.Context, s streams) error {
	key, err := c.create(ctx)
	if errors.Is(err, fs.ErrExist) {
		return &usageError{fmt.Errorf("%s is there already and is not overwritten: what is sealed under it could never be read again; name another file", c.File)}
	}
	if err != nil {
		return err
	}
	flags, copied := "--master-key-file "+c.File, "this file"
	if c.MasterKeyKMS != "" {
		flags, copied = flags+" --master-key-kms "+c.MasterKeyKMS, "this file and of the age identity, apart from each other"
	}
	_, err = fmt.Fprintf(s.out, "Made the master key %s in %s.\nKeep a copy of %s, apart from the backups: without the key a backup cannot be read, and beside it anybody reads it.\n"+
		"Next: kabar serve %s …\n", key.ID(), c.File, copied, flags)
	return err
}

func (c *keyMasterCmd) create(ctx context.Context) (secrets.Key, error) {
	if c.MasterKeyKMS == "" {
		return secrets.CreateMasterKey(c.File)
	}
	driver, err := kms.Open(c.MasterKeyKMS)
	if err != nil {
		return secrets.Key{}, fmt.Errorf("--master-key-kms: %w", err)
	}
	return secrets.CreateWrappedMasterKey(ctx, c.File, driver)
}
