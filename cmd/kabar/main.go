// Command kabar is a WhatsApp Business API server, the embedded network behind it, and the customers in front of it: three
// programs in one binary, and kabar dev, which runs all three.
//
// This package parses flags and wires: it is the only one that sees every other. What things do is in internal/.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"kabar"
	"kabar/internal/control"
	"kabar/internal/store"
)

const about = `A WhatsApp Business API server on your own machine.

Begin with "kabar dev": it needs no configuration, and gives you a business number, three customers you can chat with in a
page that looks like a phone, and the On-Premises API (/v1) to answer them from.

Every flag can be set in a file (--config kabar.yaml, key = flag) or in the environment (KABAR_ and the flag in capitals). The
command line comes before the environment, the environment before the file; --print-config shows what holds.`

// cli is the command line.
type cli struct {
	Config      string `help:"YAML file with flags as keys; /etc/kabar and deploy/config have a sample for each program." placeholder:"FILE" type:"path"`
	PrintConfig bool   `help:"Print what holds and where it comes from, and end." env:"-"`

	AllowInlineSecrets bool `help:"Take secrets from the configuration file and the environment, too; more can read them there."`

	Dev       devCmd       `cmd:"" help:"Run everything on this machine: server, network and customers. Start here."`
	Serve     serveCmd     `cmd:"" help:"Run the business server: the API and its webhooks."`
	Relay     relayCmd     `cmd:"" help:"Run the embedded network: a relay that sees ciphertext only."`
	Phone     phoneCmd     `cmd:"" help:"Run customers: simulated phones with a web page and a control API."`
	Backup    backupCmd    `cmd:"" program:"serve" help:"Make a backup of a server, and verify one."`
	Restore   restoreCmd   `cmd:"" program:"serve" help:"Bring a backup back into a new data folder or database."`
	Migrate   migrateCmd   `cmd:"" program:"serve" help:"Bring a server's store to this program's schema."`
	Status    statusCmd    `cmd:"" program:"serve" help:"Ask a running server how it is."`
	Doctor    doctorCmd    `cmd:"" program:"serve" help:"Look for what is wrong, and say what to do."`
	Number    numberCmd    `cmd:"" program:"serve" help:"Add numbers to a server, invite, verify and show them."`
	User      userCmd      `cmd:"" program:"serve" help:"Add users of the /v1 API and set their passwords."`
	Template  templateCmd  `cmd:"" program:"serve" help:"Import message templates, list and show them, change their status."`
	Message   messageCmd   `cmd:"" program:"serve" help:"Show what became of a message."`
	Account   accountCmd   `cmd:"" program:"serve" help:"Add accounts, draw their lines of credit, show what they owe."`
	Provider  providerCmd  `cmd:"" program:"serve" help:"Serve clients: onboard them, and report on them."`
	Rates     ratesCmd     `cmd:"" program:"serve" help:"Show and import what messages cost."`
	Catalog   catalogCmd   `cmd:"" program:"serve" help:"Import the products of a catalog, and list them."`
	Consent   consentCmd   `cmd:"" program:"serve" help:"Keep what customers have agreed to, and what a number does about it."`
	Customer  customerCmd  `cmd:"" program:"serve" help:"Export or erase what is held of one customer."`
	Broadcast broadcastCmd `cmd:"" program:"serve" help:"Send a template to many, and watch how far it is."`
	Key       keyCmd       `cmd:"" program:"serve" help:"Make API keys, list and revoke them; make and rotate the master key."`
	Events    eventsCmd    `cmd:"" program:"-" help:"Show what happens on a server, as it happens, and have it told again."`
	Listen    listenCmd    `cmd:"" program:"-" help:"Hand a server's events to an application on this machine."`
	Trigger   triggerCmd   `cmd:"" program:"-" help:"Make something happen on the embedded network, and show its event."`
	Audit     auditCmd     `cmd:"" program:"serve" help:"Show what was done, and verify that the log of it is whole."`
	Console   consoleCmd   `cmd:"" program:"serve" help:"Print a link that signs in to the console of a running server."`
	Bench     benchCmd     `cmd:"" program:"-" help:"Measure this machine: messages a second, the whole way, webhooks, memory."`
	Version   versionCmd   `cmd:"" program:"-" help:"Print the version."`

	BenchPart benchPartCmd `cmd:"" hidden:"" program:"-" help:"What kabar bench compares with."`
}

// streams are where a command prints.
type streams struct{ out, err io.Writer }

// gcPercent lets garbage grow to three times what is in use, some tens of MiB, before it is collected. With Go's 100 a busy
// program spends a fifth of its time on collecting.
const gcPercent = 300

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { signal.Reset(os.Interrupt) }) // what does not end is ended by the next Ctrl-C
	os.Exit(run(ctx, os.Args[1:], os.Environ(), streams{os.Stdout, os.Stderr}))
}

// run is the program: it returns the exit status. 2 is a mistake on the command line, 1 anything else that failed.
func run(ctx context.Context, args, environ []string, s streams) int {
	if err := ended(parseAndRun(ctx, args, environ, s)); err != nil {
		fmt.Fprintf(s.err, "kabar: %s\n%s", strings.TrimSpace(err.Error()), storeHint(err))
		if _, ok := errors.AsType[*usageError](err); ok {
			return 2
		}
		if refused, ok := errors.AsType[*control.Error](err); ok && refused.Usage {
			return 2
		}
		return 1
	}
	return 0
}

// storeHint says what to look at when a store does not take what is written: its own words, and those of an API, say little.
func storeHint(err error) string {
	const (
		ioError, full = 10, 13 // of SQLite: sqlite.org/rescode.html
		hint          = "The disk may be full or failing, or the database away: kabar doctor --data FOLDER looks what is wrong.\n"
	)
	var sqlite interface{ Code() int } // of the driver, which only internal/sqlite knows
	if errors.As(err, &sqlite) && slices.Contains([]int{ioError, full}, sqlite.Code()&0xff) {
		return hint
	}
	refused, ok := errors.AsType[*kabar.Error](err)
	_, down := errors.AsType[*store.UnavailableError](err)
	if ok && refused.Reason == kabar.ReasonNotReady || down || errors.Is(err, syscall.ENOSPC) {
		return hint
	}
	return ""
}

// usageError is a mistake of whoever typed the command.
type usageError struct{ error }

// exitNow is how --help leaves kong without ending the process.
type exitNow struct{}

func parseAndRun(ctx context.Context, args, environ []string, s streams) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(exitNow); !ok {
				panic(r)
			}
		}
	}()
	if len(args) == 0 {
		args = []string{"--help"}
	}
	conf, settings, err := parse(args, environ, s)
	if err != nil {
		return &usageError{err}
	}
	if conf.cli.PrintConfig {
		return settings.print(s.out, conf.k)
	}
	conf.k.BindTo(ctx, (*context.Context)(nil))
	return conf.k.Run(s, conf)
}

// withDefault is the help of a flag. kong shows a default in the place of the placeholder, and so not beside one.
func withDefault(v *kong.Value) string {
	help := kong.DefaultHelpValueFormatter(v)
	if v.Flag != nil && v.HasDefault && v.Default != "" && v.Flag.PlaceHolder != "" {
		help = strings.TrimSuffix(help, ".") + " (default " + v.Default + ")."
	}
	return help
}

// parse reads the command line, the environment and the configuration file.
func parse(args, environ []string, s streams) (*configuration, *settings, error) {
	settings, err := readSettings(configFile(args, environ), environ)
	if err != nil {
		return nil, nil, err
	}
	var c cli
	parser, err := kong.New(&c, kong.Name("kabar"), kong.Description(about), kong.Writers(s.out, s.err), kong.DefaultEnvars("KABAR"),
		kong.Exit(func(int) { panic(exitNow{}) }), kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}), kong.ValueFormatter(withDefault),
		kong.Resolvers(settings))
	if err != nil {
		return nil, nil, err
	}
	if err := checkEnvironment(parser.Model, environ); err != nil {
		return nil, nil, err
	}
	k, err := parser.Parse(args)
	if err != nil {
		return nil, nil, fmt.Errorf("%w\nRun kabar --help, or kabar <command> --help", err)
	}
	settings.yield(k)
	conf := &configuration{cli: &c, k: k}
	conf.again = func() (*configuration, error) {
		next, _, err := parse(args, environ, s)
		return next, err
	}
	return conf, settings, settings.check(k)
}
