package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"kabar/internal/phone"
	"kabar/internal/phone/phoneui"
)

// phoneCmd runs customers alone.
type phoneCmd struct {
	Data      string   `help:"Folder for the phones' keys, sessions and messages." required:"" type:"path"`
	Relay     string   `help:"The network: URL of a kabar relay." required:"" placeholder:"wss://HOST"`
	Business  []string `help:"Number of a business the customers may write to; may be repeated." placeholder:"DIGITS"`
	Addr      string   `help:"Where the page and the control API listen." default:"127.0.0.1:9091" placeholder:"HOST:PORT"`
	Host      []string `help:"Name the page answers under; may be repeated." placeholder:"NAME"`
	TokenFile string   `help:"File with the token that page and API ask for; needed when --addr is not this machine only." type:"path" placeholder:"FILE"`
	LogLevel  string   `help:"What to log: debug, info, warn or error." default:"info" enum:"debug,info,warn,error"`
}

// Help is shown by kabar phone --help.
func (*phoneCmd) Help() string {
	return `The page looks like a phone; the control API under /api/ lets a test be a customer (docs/phone.md). On another address than this
machine's both ask for the token: programs send it as a bearer token, people enter it once.

Examples:
  kabar phone --data phone --relay ws://127.0.0.1:9092 --business 628111000200
  kabar phone --data phone --relay wss://relay.example --business 628111000200 --addr 0.0.0.0:9091 --host phones.example \
    --token-file phone.token`
}

// Run runs until ctx ends.
func (c *phoneCmd) Run(ctx context.Context, s streams) (err error) {
	log := newLog(s.err, c.LogLevel)
	ln, err := listen(ctx, "--addr", c.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = ln.Close() }() // closed by its server already, when that has run
	token, err := c.token()
	if err != nil {
		return err
	}
	if token == "" && !loopback(ln.Addr()) {
		return &usageError{fmt.Errorf("--addr %s is open to others: give --token-file", c.Addr)}
	}
	p, err := phone.Open(ctx, phone.Options{Path: filepath.Join(c.Data, "phone.db"), RelayURL: c.Relay, Businesses: c.Business, Hosts: c.Host, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	handler, err := phoneHandler(p, phoneui.New(p, phoneui.Options{Log: log}), token, c.Host, log)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "kabar %s: phones at http://%s\n", version(), ln.Addr())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return ended(p.Run(ctx)) })
	g.Go(func() error { return servePages(ctx, ln, handler, log) })
	return ended(g.Wait())
}

func (c *phoneCmd) token() (string, error) {
	if c.TokenFile == "" {
		return "", nil
	}
	text, err := os.ReadFile(c.TokenFile)
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if len(token) < minToken {
		return "", fmt.Errorf("--token-file %s: the token has %d characters, want %d or more", c.TokenFile, len(token), minToken)
	}
	return token, nil
}

// minToken is how long a token must be, in bytes.
const minToken = 16
