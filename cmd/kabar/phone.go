package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"

	"kabar/internal/metrics"
	"kabar/internal/phone"
	"kabar/internal/phone/phoneui"
	"kabar/internal/secrets"
)

// phoneCmd runs customers alone.
type phoneCmd struct {
	Data           string `help:"Folder for the phones' keys, sessions and messages." required:"" type:"path"`
	Relay          string `help:"The network: URL of a kabar relay." required:"" placeholder:"wss://HOST"`
	relayTrust     `embed:""`
	Invite         string   `help:"Invite of a private relay for phones; needed until the first customer has registered." secret:"" placeholder:"kri_…"`
	InviteFile     string   `help:"File with the invite." type:"path" placeholder:"FILE"`
	Business       []string `help:"Number of a business the customers may write to; may be repeated." placeholder:"DIGITS"`
	Addr           string   `help:"Where the page and the control API listen." default:"127.0.0.1:9091" placeholder:"HOST:PORT"`
	Host           []string `help:"Name the page answers under; may be repeated." placeholder:"NAME"`
	TokenFile      string   `help:"File with the token that page and API ask for; needed when --addr is not this machine only." type:"path" placeholder:"FILE"`
	AllowPlainHTTP bool     `name:"allow-plain-http" help:"Answer plain HTTP on addresses other than loopback: behind a proxy that speaks TLS."`
	tlsFlags       `embed:""`
	logFlags       `embed:""`
	debugFlags     `embed:""`
}

// Help is shown by kabar phone --help.
func (*phoneCmd) Help() string {
	return `The page looks like a phone; the control API under /api/ lets a test be a customer (docs/phone.md). On another address than this
machine's both ask for the token: programs send it as a bearer token, people enter it once. A private relay admits the
customers of one phone program by an invite: kabar relay invite --host --customers N.

Examples:
  kabar phone --data phone --relay ws://127.0.0.1:9092 --business 628111000200
  kabar phone --data phone --relay wss://relay.example --invite-file invite --business 628111000200 --addr 0.0.0.0:9091 \
    --host phones.example --token-file phone.token
  kabar phone --config /etc/kabar/phone.yaml`
}

// Run runs until ctx ends.
func (c *phoneCmd) Run(ctx context.Context, s streams, conf *configuration) (err error) {
	logging := c.logFlags.open(s.err)
	log := logging.Logger()
	ln, err := listen(ctx, "--addr", c.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = ln.Close() }() // closed by its server already, when that has run
	debug, err := c.listen(ctx)
	if err != nil {
		return err
	}
	p, err := c.phone(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	answers, err := c.port(p, ln, log)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "kabar %s: phones at %s\n", version(), c.address(ln))
	program := daemon{conf: conf, debug: debug, figures: metrics.New(version()).Handler(), log: log, take: func(next *cli) error {
		if err := answers.certs.Reload(); err != nil {
			return err
		}
		logging.SetLevel(next.Phone.level())
		return nil
	}}
	return program.run(ctx, p.Run, answers.certs.Run, func(ctx context.Context) error { return answers.serve(ctx, ln) })
}

// phone opens the handsets.
func (c *phoneCmd) phone(ctx context.Context, log *slog.Logger) (*phone.Phone, error) {
	invite, err := secret("invite", c.Invite, c.InviteFile)
	if err != nil {
		return nil, err
	}
	client, err := c.httpClient()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(c.checkRelay(c.Relay), claim(c.Data, "phone")); err != nil {
		return nil, err
	}
	return phone.Open(ctx, phone.Options{Path: filepath.Join(c.Data, "phone.db"), RelayURL: c.Relay, Invite: invite, HTTP: client,
		Businesses: c.Business, Hosts: c.hosts(), Log: log})
}

// port puts page and control API on one address, behind the token where others can reach it.
func (c *phoneCmd) port(p *phone.Phone, ln net.Listener, log *slog.Logger) (*port, error) {
	token, err := c.token()
	if err != nil {
		return nil, err
	}
	if token == "" && !loopback(ln.Addr()) {
		return nil, &usageError{fmt.Errorf("--addr %s is open to others: give --token-file", c.Addr)}
	}
	own, err := c.tlsFlags.open(c.Data, c.hosts(), log)
	if err != nil {
		return nil, err
	}
	var h http.Handler
	if h, err = phoneui.Handler(p, phoneui.New(p, phoneui.Options{Log: log}), token, c.hosts(), log); err != nil {
		return nil, err
	}
	return &port{handler: c.hsts(own, h), certs: own, plain: c.AllowPlainHTTP, drain: drainTime, log: log}, nil
}

func (c *phoneCmd) hosts() []string { return slices.Concat(c.domains(), c.Host) }

// address is where people find the page: without TLS on this machine, where no certificate has to be trusted first.
func (c *phoneCmd) address(ln net.Listener) string {
	if loopback(ln.Addr()) {
		return "http://" + ln.Addr().String()
	}
	return "https://" + ln.Addr().String()
}

func (c *phoneCmd) token() (string, error) {
	if c.TokenFile == "" {
		return "", nil
	}
	token, err := secrets.ReadPrivate(c.TokenFile)
	if err != nil {
		return "", &usageError{fmt.Errorf("--token-file: %w", err)}
	}
	if len(token) < minToken {
		return "", fmt.Errorf("--token-file %s: the token has %d characters, want %d or more", c.TokenFile, len(token), minToken)
	}
	return token, nil
}

// minToken is how long a token must be, in bytes.
const minToken = 16
