package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/engine"
	"kabar/internal/logs"
)

// serveCmd runs the business server alone.
type serveCmd struct {
	databaseFlags  `embed:""`
	masterFlags    `embed:""`
	relayTrust     `embed:""`
	tlsFlags       `embed:""`
	egressFlags    `embed:""`
	logFlags       `embed:""`
	debugFlags     `embed:""`
	Relay          string   `help:"The network: URL of a kabar relay." required:"" placeholder:"wss://HOST"`
	Invite         string   `help:"Invite of a private relay, with which the number registers there." secret:"" placeholder:"kri_…"`
	InviteFile     string   `help:"File with the invite." type:"path" placeholder:"FILE"`
	Number         string   `help:"Business number in digits; added at the first start. More: kabar number add." placeholder:"DIGITS"`
	Name           string   `help:"The business's name as customers see it; used with --number." default:"My business"`
	Addr           string   `help:"Where the API listens." default:"127.0.0.1:9090" placeholder:"HOST:PORT"`
	Host           []string `help:"Name the server answers under; may be repeated." placeholder:"NAME" reload:""`
	AllowPlainHTTP bool     `name:"allow-plain-http" help:"Answer plain HTTP on addresses other than loopback: behind a proxy that speaks TLS."`
	APIKey         string   `name:"api-key" help:"Key with which monitoring reads health, stats and metrics (Authorization: Apikey), 12 to 128 characters." secret:"" placeholder:"KEY"`
	APIKeyFile     string   `name:"api-key-file" help:"File with the monitoring key." type:"path" placeholder:"FILE"`
	DrainTime      duration `help:"How long requests may go on after the end has begun." default:"25s" placeholder:"DURATION"`
}

// Help is shown by kabar serve --help.
func (*serveCmd) Help() string {
	return `The first start on an empty folder sets up the store, adds the number and prints its administrator's password, once. At a private
relay the number registers with an invite, and the relay's operator then has its verification code (kabar relay codes):
give it with kabar number verify. SIGHUP reloads what the sample file marks as reloadable.

Examples:
  kabar key master master.key
  kabar serve --data server --master-key-file master.key --relay ws://127.0.0.1:9092 --number 628111000200
  kabar serve --data server --master-key-file master.key --relay wss://relay.example --invite-file invite \
    --number 628111000200 --addr 0.0.0.0:9090 --host api.example
  kabar serve --config /etc/kabar/serve.yaml`
}

// Run runs until ctx ends.
func (c *serveCmd) Run(ctx context.Context, s streams, conf *configuration) (err error) {
	spareProcessor()
	log := c.logFlags.open(s.err)
	c.caution(log.Logger())
	ln, err := listen(ctx, "--addr", c.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = ln.Close() }() // closed by its server already, when that has run
	debug, err := c.listen(ctx)
	if err != nil {
		return err
	}
	o, err := c.serverOptions(ctx, log.Logger())
	if err != nil {
		return err
	}
	srv, err := openServer(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	if err := c.begin(ctx, srv, s); err != nil {
		return err
	}
	srv.addr = ln.Addr()
	fmt.Fprintf(s.out, "kabar %s serves https://%s (certificate SHA-256 %s)\nConsole, once, within ten minutes: %s%s\n",
		version(), srv.host(), o.certs.Info().Fingerprint, srv.api(), srv.console.NewLink(time.Now(), operatorSession()))
	program := daemon{conf: conf, debug: debug, figures: srv.metrics.Handler(), log: o.log,
		take: func(next *cli) error { return next.Serve.reload(srv, log) }}
	return program.run(ctx, func(ctx context.Context) error { return srv.Run(ctx, ln) })
}

// reload has the server take over what of c can change while it runs.
func (c *serveCmd) reload(srv *server, log *logs.Log) error {
	rules, err := c.egress()
	if err != nil {
		return err
	}
	if err := srv.o.certs.Reload(); err != nil {
		return err
	}
	log.SetLevel(c.level())
	srv.reload(c.hosts(), rules)
	return nil
}

// serverOptions turns flags into what the server is opened with.
func (c *serveCmd) serverOptions(ctx context.Context, log *slog.Logger) (serverOptions, error) {
	o := serverOptions{dir: c.Data, open: c.openWith, relay: c.Relay, hosts: c.hosts(), hsts: c.HSTS != "off", plainHTTP: c.AllowPlainHTTP,
		drain: time.Duration(c.DrainTime), log: log, limits: kabar.StartingLimits()}
	if err := c.checkRelay(c.Relay); err != nil {
		return o, err
	}
	master, err := c.loadFor(ctx, &c.databaseFlags)
	if err != nil {
		return o, err
	}
	if o.store, err = c.options(master); err != nil {
		return o, err
	}
	o.store.NoMigrate = true
	if o.egress, err = c.egress(); err != nil {
		return o, &usageError{err}
	}
	if o.monitorKey, err = c.monitorKey(); err != nil {
		return o, err
	}
	if o.relayHTTP, err = c.httpClient(); err != nil {
		return o, err
	}
	if err := claim(c.Data, "serve"); err != nil { // before anything is put there
		return o, err
	}
	o.certs, err = c.tlsFlags.open(c.Data, o.hosts, log)
	return o, err
}

// monitorKey returns the key of monitoring; empty if there is none.
func (c *serveCmd) monitorKey() (string, error) {
	key, err := secret("api-key", c.APIKey, c.APIKeyFile)
	if err != nil || key == "" {
		return "", err
	}
	if refused, ok := errors.AsType[*kabar.Error](auth.CheckMonitorKey(key)); ok {
		return "", &usageError{fmt.Errorf("the monitoring key (--api-key-file): %s", refused.Detail)}
	}
	return key, nil
}

// hosts are the names the server answers under.
func (c *serveCmd) hosts() []string { return append(c.domains(), c.Host...) }

// begin connects the numbers there are. To an empty server it first adds the one of --number; without that the server runs,
// and waits for kabar number add.
func (c *serveCmd) begin(ctx context.Context, srv *server, s streams) error {
	numbers, err := srv.db.Numbers(ctx)
	if err != nil {
		return err
	}
	switch {
	case len(numbers) > 0 || c.Number != "":
		err = c.first(ctx, srv, s)
	case c.Invite != "" || c.InviteFile != "":
		err = &usageError{errors.New("--invite is for the number of --number; there is no number yet: give that too, or kabar number add DIGITS --invite-file FILE")}
	default:
		_, err = fmt.Fprintf(s.out, "There is no number yet. Add one: kabar number add DIGITS --name NAME --data %s\n", c.Data)
	}
	if err != nil {
		return err
	}
	return srv.attach(ctx)
}

// first gives the server its first number and that its administrator and the invite, if they are not there yet. The password
// is printed once and must be changed at the first login.
func (c *serveCmd) first(ctx context.Context, srv *server, s streams) error {
	password := auth.RandomPassword()
	n, added, err := found(ctx, srv, founding{number: c.number, password: password, mustChange: true})
	if err != nil {
		return err
	}
	if to, err := engine.ParseRecipient(c.Number); err == nil && to.WaID != n.Digits {
		return &usageError{fmt.Errorf("--number %s: the store in %s began with %s; leave --number out, use another folder, or add it: kabar number add %s",
			c.Number, c.Data, n.Digits, to.WaID)}
	}
	if err := c.invited(ctx, srv, n); err != nil {
		return err
	}
	if added {
		_, err = fmt.Fprintf(s.out, "The number is %s. Its administrator is admin, the password %s\n"+
			"It is not shown again, and the first login must bring a new_password.\n", n.Digits, password)
	}
	return err
}

// invited keeps the invite of the first number, unless it has one: kabar number invite may have given it another since, and
// the file of one that was used may be gone.
func (c *serveCmd) invited(ctx context.Context, srv *server, n *kabar.Number) error {
	has, err := srv.db.Invite(ctx, n.ID)
	if err != nil || has != "" {
		return err
	}
	invite, err := secret("invite", c.Invite, c.InviteFile)
	if err != nil || invite == "" {
		return err
	}
	return keepInvite(ctx, srv.db, n, invite)
}

// number is what a server without one begins with.
func (c *serveCmd) number() (engine.NewNumber, error) {
	to, err := engine.ParseRecipient(c.Number)
	if err != nil || to.WaID == "" {
		return engine.NewNumber{}, &usageError{fmt.Errorf("--number %s: want digits with the country code", c.Number)}
	}
	return engine.NewNumber{Account: founder(c.Name), Digits: to.WaID, Profile: kabar.Profile{Name: c.Name},
		Limits: kabar.StartingLimits()}, nil
}
