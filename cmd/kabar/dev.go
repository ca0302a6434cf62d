package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"

	"golang.org/x/sync/errgroup"

	"kabar/internal/certs"
	"kabar/internal/control"
	"kabar/internal/egress"
	"kabar/internal/phone"
	"kabar/internal/phone/phoneui"
	"kabar/internal/relayserver"
	"kabar/internal/store"
)

// devCmd runs server, relay and phones in one process. They keep separate stores and talk to each other through the relay's
// protocol only, as they would on three machines.
type devCmd struct {
	Data           string `help:"Folder for everything that is kept." default:"kabar-data" type:"path"`
	Addr           string `help:"Where the API listens, by http and https; port 0 picks a free one." default:"127.0.0.1:9090" placeholder:"HOST:PORT"`
	PhoneAddr      string `help:"Where the phones' page and control API listen." default:"127.0.0.1:9091" placeholder:"HOST:PORT"`
	RelayAddr      string `help:"Where the relay listens." default:"127.0.0.1:9092" placeholder:"HOST:PORT"`
	Webhook        string `help:"URL that messages and statuses are posted to; kept for the next start." placeholder:"URL"`
	WebhookDialect string `help:"In which API's words --webhook is told: onprem, cloud or both." default:"onprem" enum:"onprem,cloud,both"`
	ReadyFile      string `help:"File to write addresses and credentials to, as JSON, once everything answers." placeholder:"FILE" type:"path"`
	egressFlags    `embed:""`
	Limits         bool   `help:"Hold numbers that are added to limits: those that they would have on a server, and the pair rate, which is off there; the first one too, from now on."`
	Open           bool   `help:"Open the phone page in a browser."`
	LogLevel       string `help:"What to log: debug, info, warn or error." default:"warn" enum:"debug,info,warn,error"`
}

// Help is shown by kabar dev --help.
func (*devCmd) Help() string {
	return `Everything listens on this machine only. The first start makes a business number, an approved template, three customers and
an administrator; the next start on the same folder goes on where the last one stopped, however that ended.

That number is registered. Another one, from kabar number add, has to be verified as on a private network: its code is printed
here and shown on the phone page, and goes to POST /v1/account/verify or kabar number verify.

Examples:
  kabar dev
  kabar dev --webhook http://127.0.0.1:3000/hook
  kabar dev --webhook http://192.168.1.20:3000/hook --egress-allow 192.168.1.0/24
  kabar dev --data /tmp/try --addr 127.0.0.1:0 --phone-addr 127.0.0.1:0 --relay-addr 127.0.0.1:0 --ready-file ready.json`
}

// devGC is how much garbage kabar dev lets gather, in percent of what is in use; Go's own default is 100.
const devGC = 40

// dev is everything kabar dev runs.
type dev struct {
	cmd    *devCmd
	creds  credentials
	egress egress.Policy
	clock  *labClock
	log    *slog.Logger
	relay  *relayserver.Server
	coded  chan struct{} // the relay has made a verification code
	phone  *phone.Phone
	server *server
	ln     listeners
}

type listeners struct{ api, phone, relay net.Listener }

// Run runs until ctx ends.
func (c *devCmd) Run(ctx context.Context, s streams) (err error) {
	// Three programs share a laptop with everything else on it: rather a little more work than twice the memory. A person
	// who has set GOGC has decided otherwise.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(devGC)
	}
	if c.ReadyFile != "" {
		// It says that everything answers: one of an earlier run must not say so for this one, nor this one after its end.
		forget := func() error { return ignoreMissing(os.Remove(c.ReadyFile)) }
		if err := forget(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, forget()) }()
	}
	d, err := openDev(ctx, c, newLog(s.err, c.LogLevel))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.run(ctx, s)
}

// openDev opens everything; nothing runs yet. The caller closes it.
func openDev(ctx context.Context, c *devCmd, log *slog.Logger) (*dev, error) {
	rules, err := c.egress()
	if err != nil {
		return nil, &usageError{err}
	}
	if c.Webhook != "" {
		if err := egress.New(rules).CheckURL(c.Webhook); err != nil {
			return nil, &usageError{fmt.Errorf("--webhook %s: %w", c.Webhook, err)}
		}
	}
	d := &dev{cmd: c, egress: rules, log: log, coded: make(chan struct{}, 1)}
	if err := d.open(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *dev) open(ctx context.Context) (err error) {
	dir := d.cmd.Data
	if err := claim(dir, "dev"); err != nil {
		return err
	}
	if err := d.listen(ctx); err != nil {
		return err
	}
	if d.clock, err = openClock(filepath.Join(dir, "clock.json")); err != nil {
		return err
	}
	if d.relay, err = relayserver.Open(ctx, relayserver.Options{Dir: filepath.Join(dir, "relay"), Admit: relayserver.CodesOnly,
		Known: []string{devNumber}, Coded: d.codeMade, Now: d.clock.Now, Log: d.log}); err != nil {
		return err
	}
	if err := d.openServer(ctx); err != nil {
		return err
	}
	d.phone, err = phone.Open(ctx, phone.Options{Path: filepath.Join(dir, "phone", "phone.db"), RelayURL: d.relayURL(),
		Businesses: []string{d.server.first().Digits}, Now: d.clock.Now, Log: d.log})
	if err == nil {
		d.clock.OnShift(d.phone.Shifted)
	}
	return err
}

func (d *dev) openServer(ctx context.Context) (err error) {
	dir := d.cmd.Data
	if d.creds, err = devCredentials(dir); err != nil {
		return err
	}
	master, err := devMaster(dir)
	if err != nil {
		return err
	}
	if err := claim(filepath.Join(dir, "server"), "serve"); err != nil {
		return err
	}
	own, err := certs.Open(certs.Options{Dir: filepath.Join(dir, "server", "tls"), Log: d.log})
	if err != nil {
		return err
	}
	if d.server, err = openServer(ctx, serverOptions{dir: filepath.Join(dir, "server"), relay: d.relayURL(),
		store: store.Options{Path: filepath.Join(dir, "server", "kabar.db"), Master: master}, open: store.Open, certs: own,
		egress: d.egress, limits: d.cmd.limits(), lab: d.clock, log: d.log, drain: drainTime, phonePage: "http://" + d.ln.phone.Addr().String()}); err != nil {
		return err
	}
	if err := provision(ctx, d.server, d.creds); err != nil {
		return err
	}
	if err := d.server.attach(ctx); err != nil {
		return err
	}
	if err := d.limit(ctx); err != nil || d.cmd.Webhook == "" {
		return err
	}
	return setWebhooks(ctx, d.server, d.cmd.Webhook, d.cmd.WebhookDialect)
}

// Close closes what is open, the other way round.
func (d *dev) Close() error {
	var err error
	if d.phone != nil {
		err = d.phone.Close()
	}
	if d.server != nil {
		err = errors.Join(err, d.server.Close())
	}
	if d.relay != nil {
		err = errors.Join(err, d.relay.Close())
	}
	d.closeListeners()
	return err
}

// run starts everything, says so when it answers, and stops it in the order in which it depends on each other.
func (d *dev) run(ctx context.Context, s streams) error {
	pages, err := d.pages(ctx) // what can fail comes before anything runs
	if err != nil {
		return err
	}
	// The relay goes last, so that what the others have under way can still reach it.
	relayCtx, stopRelay := context.WithCancel(context.WithoutCancel(ctx))
	defer stopRelay()
	var relayErr error
	relayEnd := make(chan struct{})
	go func() {
		defer close(relayEnd)
		relayErr = d.relay.Serve(relayCtx, d.ln.relay)
	}()
	g, ctx := errgroup.WithContext(ctx)
	if commands, err := control.Listen(ctx, filepath.Join(d.cmd.Data, "relay")); err != nil {
		d.log.Warn("commands of the operator cannot reach the relay", "error", err)
	} else {
		g.Go(func() error { return ended(control.Serve(ctx, commands, relayOperations(d.relay))) })
	}
	g.Go(func() error {
		select {
		case <-relayEnd:
			return errors.New("the relay has ended")
		case <-ctx.Done():
			return nil
		}
	})
	g.Go(func() error { return d.server.Run(ctx, d.ln.api) })
	g.Go(func() error { return ended(d.phone.Run(ctx)) })
	g.Go(func() error { return servePages(ctx, d.ln.phone, pages, d.log) })
	g.Go(func() error { return d.announce(ctx, s) })
	err = ended(g.Wait())
	stopRelay()
	<-relayEnd
	return errors.Join(err, relayErr)
}

// pages serve the phones. The page offers a command for answering a customer, and fills in whom.
func (d *dev) pages(ctx context.Context) (http.Handler, error) {
	token, err := d.server.auth.Issue(ctx, "admin")
	if err != nil {
		return nil, err
	}
	hint := calls{"http://" + d.ln.api.Addr().String(), token.Token}.text("{to}")
	page := phoneui.New(d.phone, phoneui.Options{Hint: hint, Codes: d.pageCodes, Log: d.log, Now: d.clock.Now})
	return phoneui.Handler(d.phone, page, "", nil, d.log)
}

func (d *dev) relayURL() string { return "ws://" + d.ln.relay.Addr().String() }

// listen takes the three ports before anything is opened: a port in use is the commonest mistake.
func (d *dev) listen(ctx context.Context) (err error) {
	for _, l := range []struct {
		flag, addr string
		ln         *net.Listener
	}{{"--addr", d.cmd.Addr, &d.ln.api}, {"--phone-addr", d.cmd.PhoneAddr, &d.ln.phone}, {"--relay-addr", d.cmd.RelayAddr, &d.ln.relay}} {
		if *l.ln, err = listen(ctx, l.flag, l.addr); err != nil {
			d.closeListeners()
			return err
		}
		if !loopback((*l.ln).Addr()) {
			d.closeListeners()
			return &usageError{fmt.Errorf("%s %s: kabar dev listens on this machine only; kabar serve, relay and phone are for others", l.flag, l.addr)}
		}
	}
	return nil
}

func (d *dev) closeListeners() {
	for _, ln := range []net.Listener{d.ln.api, d.ln.phone, d.ln.relay} {
		if ln != nil {
			_ = ln.Close() // closed by its server already, when that has run
		}
	}
}

// egress lets webhooks and media links reach this machine, the world, and what the flags allow.
func (c *devCmd) egress() (egress.Policy, error) {
	p, err := c.egressFlags.egress()
	p.Allow = append(p.Allow, netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
	return p, err
}
