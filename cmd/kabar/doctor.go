package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/doctor"
	"kabar/internal/egress"
	"kabar/internal/store"
	"kabar/internal/trust"
)

// doctorCmd looks for what stops a server, or soon will.
type doctorCmd struct {
	storeFlags  `embed:""`
	relayTrust  `embed:""`
	Relay       string   `help:"URL of the relay; left out, it is not asked." placeholder:"wss://HOST"`
	Addr        string   `help:"Where the API listens; a server that runs says so itself." default:"127.0.0.1:9090" placeholder:"HOST:PORT"`
	Host        []string `help:"Name the server answers under; may be repeated." placeholder:"NAME"`
	TLSCert     string   `name:"tls-cert" help:"File with the certificate, looked at when the server does not run." type:"path" placeholder:"FILE"`
	TLSKey      string   `name:"tls-key" help:"File with the certificate's private key: nobody else may read it." type:"path" placeholder:"FILE"`
	EgressAllow []string `help:"Network that webhooks may reach although it is private; a server that runs knows its own." placeholder:"CIDR"`
	BackupDir   string   `help:"Folder with the backups; left out, they are not looked at." type:"path" placeholder:"DIR"`
	JSON        bool     `name:"json" help:"Print JSON, for programs." env:"-"`
}

// Help is shown by kabar doctor --help.
func (*doctorCmd) Help() string {
	return `Looks at the data folder, disk, clock, certificate, master key, database, relay, webhook endpoints, limits and backups, and says what
to do about each thing that is wrong. It sends no event and changes nothing. Beside a running server it asks that one, through the
control socket, for what only it knows; of a stopped one it opens the store. The exit status is 1 when something has failed; a
warning is no failure. Run it as the server's user, with the server's configuration:

Examples:
  kabar doctor --config /etc/kabar/serve.yaml
  kabar doctor --config /etc/kabar/serve.yaml --backup-dir /var/backups/kabar
  kabar doctor --data server --master-key-file master.key --relay ws://127.0.0.1:9092 --json`
}

// errUnwell ends the command with 1; what is wrong has been printed.
var errUnwell = errors.New("something has failed: see the lines with FAIL")

// Run looks and prints.
func (c *doctorCmd) Run(ctx context.Context, s streams) error {
	client, err := c.httpClient()
	if err != nil {
		return &usageError{err}
	}
	lines := doctor.Run(ctx, c.machine(cmp.Or(client, &http.Client{})))
	lines = append(lines, c.server(ctx)...)
	write := doctor.Write
	if c.JSON {
		write = doctor.WriteJSON
	}
	if err := write(s.out, lines); err != nil {
		return err
	}
	if !doctor.Healthy(lines) {
		return errUnwell
	}
	return nil
}

// machine are the checks that need no server.
func (c *doctorCmd) machine(client *http.Client) []doctor.Check {
	now := time.Now()
	return []doctor.Check{
		doctor.Folder(c.Data),
		doctor.Space(c.Data, func() (doctor.Usage, error) { return doctor.DiskUsage(c.Data) }),
		doctor.Private(c.MasterKeyFile, c.DatabasePasswordFile, c.TLSKey, filepath.Join(c.Data, "tls", "tls.key"), filepath.Join(c.Data, "kabar.db")),
		doctor.Backups(c.BackupDir, now),
		c.network(client),
		doctor.Clock("the relay", doctor.RelayTime(c.Relay, client)),
	}
}

// network greets the relay, unless the server would not.
func (c *doctorCmd) network(client *http.Client) doctor.Check {
	if c.Relay == "" {
		return doctor.Relay("", client)
	}
	if err := c.checkRelay(c.Relay); err != nil {
		return doctor.Known("relay", doctor.Result{Level: doctor.Fail, Detail: err.Error(), Fix: "correct --relay; kabar serve refuses it, too"})
	}
	return doctor.Relay(c.Relay, client)
}

// server looks at what is within the server: it asks the one that runs, or opens the store of one that does not.
func (c *doctorCmd) server(ctx context.Context) []doctor.Line {
	op, err := control.Dial(ctx, c.Data)
	switch {
	case err == nil:
		var addr string
		if err := op.Call(ctx, "address", struct{}{}, &addr, nil); err == nil { // an older server does not say: then it is where the flags have it
			c.Addr = addr
		}
		lines := doctor.Run(ctx, []doctor.Check{doctor.Known("server", doctor.Fine("runs")), c.certificate(c.presented())})
		var inner []doctor.Line
		if err := op.Call(ctx, "doctor", struct{}{}, &inner, nil); err != nil {
			inner = failed("server", err, "kabar status --data …; the server's log")
		}
		return append(lines, inner...)
	case !errors.Is(err, control.ErrNotRunning):
		return failed("server", err, "run the command as the server's user")
	}
	lines := doctor.Run(ctx, []doctor.Check{doctor.Known("server", doctor.Result{Level: doctor.Warn, Detail: "does not run on this data folder",
		Fix: "systemctl start kabar, or kabar serve with its flags; what else is wrong stands here"}), c.certificate(c.onDisk)})
	return append(lines, c.stopped(ctx)...)
}

func failed(name string, err error, fix string) []doctor.Line {
	return []doctor.Line{{Name: name, Result: doctor.Result{Level: doctor.Fail, Detail: err.Error(), Fix: fix}}}
}

func (c *doctorCmd) certificate(get func(context.Context) (*x509.Certificate, error)) doctor.Check {
	return doctor.Certificate(get, c.Host, time.Now())
}

// presented asks the running server as a client would.
func (c *doctorCmd) presented() func(context.Context) (*x509.Certificate, error) {
	host := ""
	if len(c.Host) > 0 {
		host = c.Host[0]
	}
	return doctor.Presented(c.Addr, host)
}

// onDisk reads the certificate that a start would use.
func (c *doctorCmd) onDisk(context.Context) (*x509.Certificate, error) {
	text, err := os.ReadFile(cmp.Or(c.TLSCert, filepath.Join(c.Data, "tls", "tls.crt")))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("the file holds no certificate in PEM form")
	}
	return x509.ParseCertificate(block.Bytes)
}

// stopped opens the store of a server that does not run, and looks into it.
func (c *doctorCmd) stopped(ctx context.Context) (lines []doctor.Line) {
	master, err := c.load(ctx)
	if err != nil {
		return failed("master key", err, "give the flags of kabar serve: --config, or --master-key-file")
	}
	lines = []doctor.Line{{Name: "master key", Result: doctor.Fine("readable, %s", master.ID())}}
	o, err := c.place(master)
	if err == nil {
		var s store.Schema
		if s, err = store.Plan(ctx, o); err == nil && s.Have == 0 {
			return append(lines, doctor.Line{Name: "store", Result: doctor.Result{Level: doctor.Fail, Detail: "the database is empty",
				Fix: "give the right --database; a new store is made by the first start of kabar serve"}})
		}
	}
	if wrong, ok := errors.AsType[*usageError](err); ok {
		err = wrong.error
	}
	if err != nil {
		return append(lines, doctor.Line{Name: "store", Result: doctor.Unopened(err)})
	}
	rules, err := (&egressFlags{c.EgressAllow}).egress()
	if err != nil {
		return append(lines, failed("egress rules", err, "correct --egress-allow")...)
	}
	o.NoMigrate = true
	db, err := c.openWith(ctx, o)
	if err != nil {
		return append(lines, doctor.Line{Name: "store", Result: doctor.Unopened(err)})
	}
	defer func() {
		if err := db.Close(); err != nil {
			lines = append(lines, doctor.Line{Name: "store", Result: doctor.Unopened(fmt.Errorf("close it: %w", err))})
		}
	}()
	base := egress.New(rules)
	client := func(n kabar.NumberID) (*egress.Client, error) {
		return trust.StoredClient(ctx, db, base, n, time.Now())
	}
	return append(lines, doctor.Run(ctx, (&inside{db: db, client: client}).checks(ctx))...)
}
