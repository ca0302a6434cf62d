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
	"kabar/internal/secrets"
)

// serveCmd runs the business server alone.
type serveCmd struct {
	Data           string   `help:"Folder for the store, media and certificate." required:"" type:"path"`
	Database       string   `help:"PostgreSQL to use instead of SQLite in the data folder." placeholder:"postgres://…"`
	MasterKeyFile  string   `help:"File with the master key. A missing one is an error that says how to make it." required:"" type:"path" placeholder:"FILE"`
	Relay          string   `help:"The network: URL of a kabar relay." required:"" placeholder:"wss://HOST"`
	Invite         string   `help:"What admits the number to a private relay." placeholder:"TEXT"`
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
	return `Example:
  kabar relay --data relay --open-registration
  kabar serve --data server --master-key-file master.key --relay ws://127.0.0.1:9092 --number 628111000200`
}

// Run runs until ctx ends.
func (c *serveCmd) Run(ctx context.Context, s streams) (err error) {
	log := newLog(s.err, c.LogLevel)
	master, err := secrets.LoadMasterKey(c.MasterKeyFile)
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
	srv, err := openServer(ctx, serverOptions{dir: c.Data, database: c.Database, master: master, relay: c.Relay, invite: c.Invite, hosts: c.Host,
		egress: policy, plainHTTP: c.AllowPlainHTTP, clock: &labClock{}, log: log, noMigrate: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	if err := c.firstNumber(ctx, srv, s); err != nil {
		return err
	}
	if err := srv.attach(ctx); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "kabar %s serves https://%s (certificate SHA-256 %s)\n", version(), ln.Addr(), srv.print)
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

// firstNumber adds the number and its administrator at the first start. The password is printed once and must be changed at
// the first login.
func (c *serveCmd) firstNumber(ctx context.Context, srv *server, s streams) error {
	numbers, err := srv.db.Numbers(ctx)
	if err != nil || len(numbers) > 0 {
		return err
	}
	to, err := engine.ParseRecipient(c.Number)
	if err != nil || to.WaID == "" {
		return &usageError{errors.New("the store has no number yet: give one with --number, in digits with its country code")}
	}
	n, err := engine.AddNumber(ctx, srv.db, engine.NewNumber{Account: &kabar.Account{Name: c.Name}, Digits: to.WaID, Profile: kabar.Profile{Name: c.Name}}, time.Now())
	if err != nil {
		return err
	}
	password := auth.RandomPassword()
	if err := srv.auth.AddUser(ctx, auth.NewUser{Number: n, Name: "admin", Password: password, Role: auth.RoleAdmin, MustChange: true}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "Added the number %s. Its administrator is admin, the password %s\nIt is not shown again, and the first login must bring a new_password.\n", n.Digits, password)
	return err
}
