package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/egress"
	"kabar/internal/engine"
)

// serveCmd runs the business server alone.
type serveCmd struct {
	Data           string `help:"Folder for the store, media and certificate." required:"" type:"path"`
	Database       string `help:"PostgreSQL to use instead of SQLite in the data folder." placeholder:"postgres://…"`
	masterFlags    `embed:""`
	Relay          string   `help:"The network: URL of a kabar relay." required:"" placeholder:"wss://HOST"`
	Number         string   `help:"Business number in digits; added at the first start." placeholder:"DIGITS"`
	Name           string   `help:"The business's name as customers see it; used with --number." default:"My business"`
	Addr           string   `help:"Where the API listens." default:"127.0.0.1:9090" placeholder:"HOST:PORT"`
	Host           []string `help:"Name the server answers under; may be repeated." placeholder:"NAME"`
	EgressAllow    []string `help:"Network that webhooks and media links may reach although it is private; may be repeated." placeholder:"CIDR"`
	AllowPlainHTTP bool     `name:"allow-plain-http" help:"Answer plain HTTP on addresses other than loopback: behind a proxy that speaks TLS."`
	LogLevel       string   `help:"What to log: debug, info, warn or error." default:"info" enum:"debug,info,warn,error"`
}

// Help is shown by kabar serve --help.
func (*serveCmd) Help() string {
	return `The first start on an empty folder sets up the store, adds the number and prints its administrator's password, once.

Examples:
  kabar serve --data server --master-key-file master.key --relay ws://127.0.0.1:9092 --number 628111000200
  kabar serve --data server --master-key-file master.key --relay wss://relay.example --addr 0.0.0.0:9090 --host api.example`
}

// Run runs until ctx ends.
func (c *serveCmd) Run(ctx context.Context, s streams) (err error) {
	log := newLog(s.err, c.LogLevel)
	master, err := c.load(ctx)
	if err != nil {
		return err
	}
	policy, err := c.egress()
	if err != nil {
		return &usageError{err}
	}
	ln, err := listen(ctx, "--addr", c.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = ln.Close() }() // closed by its server already, when that has run
	srv, err := openServer(ctx, serverOptions{dir: c.Data, database: c.Database, master: master, relay: c.Relay, hosts: c.Host,
		egress: policy, plainHTTP: c.AllowPlainHTTP, log: log, noMigrate: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	if err := c.first(ctx, srv, s); err != nil {
		return err
	}
	if err := srv.attach(ctx); err != nil {
		return err
	}
	if to, err := engine.ParseRecipient(c.Number); err == nil && to.WaID != srv.numbers[0].Digits {
		return &usageError{fmt.Errorf("--number %s: the store in %s belongs to %s; leave --number out, or use another folder", c.Number, c.Data, srv.numbers[0].Digits)}
	}
	srv.addr = ln.Addr()
	fmt.Fprintf(s.out, "kabar %s serves https://%s (certificate SHA-256 %s)\nConsole, once, within ten minutes: %s%s\n",
		version(), srv.host(), srv.print, srv.api(), srv.console.NewLink(time.Now()))
	return srv.Run(ctx, ln)
}

func (c *serveCmd) egress() (egress.Policy, error) {
	var p egress.Policy
	for _, s := range c.EgressAllow {
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			return p, fmt.Errorf("--egress-allow %s: want a network such as 10.0.0.0/8", s)
		}
		p.Allow = append(p.Allow, prefix)
	}
	own, err := egress.OwnAddresses()
	p.Own = own
	return p, err
}

// first adds the number and its administrator at the first start. The password is printed once and must be changed at the
// first login.
func (c *serveCmd) first(ctx context.Context, srv *server, s streams) error {
	password := auth.RandomPassword()
	n, added, err := found(ctx, srv, founding{number: c.number, password: password, mustChange: true})
	if err != nil || !added {
		return err
	}
	_, err = fmt.Fprintf(s.out, "The number is %s. Its administrator is admin, the password %s\nIt is not shown again, and the first login must bring a new_password.\n", n.Digits, password)
	return err
}

// number is what a server without one begins with.
func (c *serveCmd) number() (engine.NewNumber, error) {
	to, err := engine.ParseRecipient(c.Number)
	if err != nil || to.WaID == "" {
		return engine.NewNumber{}, &usageError{errors.New("the store has no number yet: give one with --number, in digits with its country code")}
	}
	return engine.NewNumber{Account: &kabar.Account{Name: c.Name}, Digits: to.WaID, Profile: kabar.Profile{Name: c.Name}}, nil
}
