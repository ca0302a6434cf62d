package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"slices"
	"time"

	"kabar/internal/control"
	"kabar/internal/metrics"
	"kabar/internal/relayserver"
	"kabar/internal/web"
)

// relayCmd runs the embedded network, and does for its operator what there is to do.
type relayCmd struct {
	Start    relayRunCmd      `cmd:"" name:"run" default:"withargs" help:"Run the relay; the word run may be left out."`
	Init     relayInitCmd     `cmd:"" help:"Make a private network, and its first invite."`
	Invite   relayInviteCmd   `cmd:"" help:"Make an invite: for a business number, or with --host for a phone program."`
	Invites  relayInvitesCmd  `cmd:"" help:"List the invites."`
	Codes    relayCodesCmd    `cmd:"" help:"Show the verification codes of the numbers that wait for theirs."`
	Accounts relayAccountsCmd `cmd:"" help:"List the accounts."`
	Revoke   relayRevokeCmd   `cmd:"" help:"Take an account or an invite away."`
	Status   relayStatusCmd   `cmd:"" help:"Say how the relay is."`
}

// Help is shown by kabar relay --help.
func (*relayCmd) Help() string {
	return `The relay passes ciphertext on and keeps it until it is fetched. It holds no key and sees no content; docs/encryption.md says what it
does see. It admits by invite: begin with kabar relay init, and let kabar relay codes show the code that every business number is
verified with. The commands work on a running relay, and on the folder of one that is stopped.

Examples:
  kabar relay init --data relay
  kabar relay --data relay
  kabar relay invite --host --customers 20 --data relay
  kabar relay codes --data relay`
}

// relayRunCmd runs the relay.
type relayRunCmd struct {
	Data             string   `help:"Folder for mailboxes, prekeys and encrypted media." required:"" type:"path"`
	Addr             string   `help:"Where devices connect, by wss and ws." default:"127.0.0.1:9092" placeholder:"HOST:PORT"`
	Host             []string `help:"Name in the certificate that the relay makes for itself; may be repeated." placeholder:"NAME"`
	AllowPlainHTTP   bool     `name:"allow-plain-http" help:"Answer plain ws on addresses other than loopback: behind a proxy that speaks TLS."`
	OpenRegistration bool     `help:"Admit new numbers, whoever asks, without invites and codes."`
	relayLimits      `embed:""`
	tlsFlags         `embed:""`
	logFlags         `embed:""`
	debugFlags       `embed:""`
}

// relayLimits bound what devices may do.
type relayLimits struct {
	LimitRegistrations     float64  `help:"Registrations a second, all together; negative: no limit, as with all of them." default:"100" placeholder:"RATE"`
	LimitBusinessEnvelopes float64  `help:"Envelopes a second that one business may send." default:"2000" placeholder:"RATE"`
	LimitCustomerEnvelopes float64  `help:"Envelopes a second that one customer may send." default:"50" placeholder:"RATE"`
	Mailbox                int      `help:"Envelopes that may wait for one device." default:"10000" placeholder:"N"`
	BlobSpace              size     `help:"Bytes that encrypted media may take; then uploads wait." default:"100GB" placeholder:"SIZE"`
	Keep                   duration `help:"How long envelopes and media wait to be fetched." default:"30d" placeholder:"DURATION"`
}

// Help is shown by kabar relay run --help.
func (*relayRunCmd) Help() string {
	return `It speaks wss and, on this machine only, ws. Without a certificate it makes its own: devices trust that by --relay-ca and the file
tls/tls.crt of the data folder.

Examples:
  kabar relay --data relay
  kabar relay --data relay --addr 0.0.0.0:9092 --host relay.example --keep 7d
  kabar relay --config /etc/kabar/relay.yaml`
}

// Run runs until ctx ends.
func (c *relayRunCmd) Run(ctx context.Context, s streams, conf *configuration) (err error) {
	logging := c.logFlags.open(s.err)
	log := logging.Logger()
	o, err := c.options(log)
	if err != nil {
		return err
	}
	ln, err := listen(ctx, "--addr", c.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = ln.Close() }() // closed by its server already, when that has run
	debug, err := c.listen(ctx)
	if err != nil {
		return err
	}
	if err := claim(c.Data, "relay"); err != nil {
		return err
	}
	r, err := relayserver.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	own, err := c.tlsFlags.open(c.Data, c.hosts(), log)
	if err != nil {
		return err
	}
	answers := port{handler: web.Recover(log, c.hsts(own, r.Handler())), certs: own, plain: c.AllowPlainHTTP, drain: drainTime, log: log}
	figures := metrics.New(version())
	figures.Relay(relayFigures(r))
	parts := []func(context.Context) error{r.Run, own.Run, func(ctx context.Context) error { return answers.serve(ctx, ln) }}
	if commands, err := control.Listen(ctx, c.Data); err != nil {
		log.Warn("commands of the operator cannot reach this relay", "error", err)
	} else {
		parts = append(parts, func(ctx context.Context) error { return control.Serve(ctx, commands, relayOperations(r)) })
	}
	fmt.Fprintf(s.out, "kabar %s relays at %s (certificate SHA-256 %s)\n", version(), c.address(ln), own.Info().Fingerprint)
	program := daemon{conf: conf, debug: debug, figures: figures.Handler(), log: log, take: func(next *cli) error {
		if err := own.Reload(); err != nil {
			return err
		}
		logging.SetLevel(next.Relay.Start.level())
		return nil
	}}
	return program.run(ctx, parts...)
}

func (c *relayRunCmd) hosts() []string { return slices.Concat(c.domains(), c.Host) }

// address is what devices are given: with TLS, and before it, on this machine, without, where no certificate has to be trusted first.
func (c *relayRunCmd) address(ln net.Listener) string {
	secure := "wss://" + ln.Addr().String()
	if loopback(ln.Addr()) {
		return "ws://" + ln.Addr().String() + " and " + secure
	}
	return secure
}

func relayFigures(r *relayserver.Server) metrics.RelayStatus {
	return func(ctx context.Context) (metrics.RelayFigures, error) {
		st, err := r.Status(ctx)
		return metrics.RelayFigures{Connections: int64(st.Connected), Accounts: int64(st.Businesses + st.Customers), Waiting: st.Waiting,
			Blobs: st.Blobs, BlobBytes: st.BlobBytes}, err
	}
}

func (c *relayRunCmd) options(log *slog.Logger) (relayserver.Options, error) {
	limits, err := c.limits()
	o := relayserver.Options{Dir: c.Data, Limits: limits, Log: log}
	if c.OpenRegistration {
		o.Admit = relayserver.OpenRegistration
	}
	return o, err
}

// limits refuses what would let nobody do anything.
func (c *relayLimits) limits() (relayserver.Limits, error) {
	for _, limit := range []struct {
		flag  string
		value float64
	}{
		{"limit-registrations", c.LimitRegistrations}, {"limit-business-envelopes", c.LimitBusinessEnvelopes},
		{"limit-customer-envelopes", c.LimitCustomerEnvelopes}, {"mailbox", float64(c.Mailbox)},
	} {
		if limit.value == 0 || math.IsNaN(limit.value) || math.IsInf(limit.value, 0) {
			return relayserver.Limits{}, &usageError{fmt.Errorf("--%[1]s %[2]v: give 1 or more, or --%[1]s=-1 for no limit", limit.flag, limit.value)}
		}
	}
	if c.BlobSpace == 0 {
		return relayserver.Limits{}, &usageError{errors.New("--blob-space 0 would let no medium through: want some room, such as 10GB")}
	}
	if time.Duration(c.Keep) < time.Minute {
		return relayserver.Limits{}, &usageError{fmt.Errorf("--keep %s: want a minute or more", c.Keep)}
	}
	return relayserver.Limits{
		Business: relayserver.Rates{Envelopes: c.LimitBusinessEnvelopes}, Customer: relayserver.Rates{Envelopes: c.LimitCustomerEnvelopes},
		Registrations: c.LimitRegistrations, Mailbox: c.Mailbox, BlobSpace: int64(c.BlobSpace), Lifetime: time.Duration(c.Keep),
	}, nil
}
