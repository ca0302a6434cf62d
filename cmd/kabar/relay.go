package main

import (
	"context"
	"errors"
	"fmt"

	"kabar/internal/relayserver"
)

// relayCmd runs the embedded network alone.
type relayCmd struct {
	Data             string `help:"Folder for mailboxes, prekeys and encrypted media." required:"" type:"path"`
	Addr             string `help:"Where devices connect." default:"127.0.0.1:9092" placeholder:"HOST:PORT"`
	OpenRegistration bool   `help:"Admit new numbers, whoever asks. Without it those the relay knows may come, and nobody new."`
	LogLevel         string `help:"What to log: debug, info, warn or error." default:"info" enum:"debug,info,warn,error"`
}

// Help is shown by kabar relay --help.
func (*relayCmd) Help() string {
	return `The relay passes ciphertext on and keeps it until it is fetched. It holds no key and sees no content; docs/encryption.md says what it
does see. It speaks plain WebSocket: put it behind a proxy with TLS when devices are on other machines. --open-registration is the
only way to admit new numbers for now: start with it, let your numbers and customers connect once, and start again without it.

Examples:
  kabar relay --data relay --open-registration
  kabar relay --data relay --addr 10.0.0.5:9092`
}

// Run runs until ctx ends.
func (c *relayCmd) Run(ctx context.Context, s streams) (err error) {
	o := relayserver.Options{Dir: c.Data, Log: newLog(s.err, c.LogLevel)}
	if c.OpenRegistration {
		o.Admit = relayserver.OpenRegistration
	}
	ln, err := listen(ctx, "--addr", c.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = ln.Close() }() // closed by its server already, when that has run
	r, err := relayserver.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	fmt.Fprintf(s.out, "kabar %s relays at ws://%s\n", version(), ln.Addr())
	return r.Serve(ctx, ln)
}
