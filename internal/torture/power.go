//go:build unix

package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"

	"kabar/internal/torture/instrument"
)

// powerCmd cuts the power under the store and the media folder, again and again.
type powerCmd struct {
	Rounds int    `help:"How often the power goes." default:"1000"`
	Jobs   int    `help:"Rounds at a time." default:"2"`
	Lying  bool   `help:"Have every sync of the disk do nothing: promises must break."`
	Dir    string `help:"Folder for the rounds; a folder in memory, if left out." type:"path"`
	seeded `embed:""`
}

// Help is shown by torture power --help.
func (*powerCmd) Help() string {
	return `The product's store, media folder and engine work on a disk that journals what is durable, under the production driver of SQLite. At
a random disk call the power goes; each write that was not synced is there, torn or missing, by chance; the same code opens what is
left and must find everything that was acknowledged.`
}

// Run builds the program that does it, with the media folder on that disk, and runs it.
func (p *powerCmd) Run(ctx context.Context, t *torture) error {
	root, err := instrument.Root()
	if err != nil {
		return err
	}
	program := filepath.Join(t.work, "powercut")
	source := instrument.Source{Root: root, Edits: instrument.OnDisk()}
	fmt.Fprintln(t.err, "Building the product on a disk that fails.")
	if err := source.Build(ctx, "./internal/torture/powercut", program); err != nil {
		return err
	}
	args := []string{"--rounds", fmt.Sprint(p.Rounds), "--jobs", fmt.Sprint(p.Jobs), "--seed", fmt.Sprint(p.seed())}
	if p.Lying {
		args = append(args, "--lying")
	}
	if p.Dir != "" {
		args = append(args, "--dir", p.Dir)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.Stderr = t.out, t.err
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it finishes the rounds under way, and says how far it came
	return cmd.Run()
}
