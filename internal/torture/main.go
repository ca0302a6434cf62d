//go:build unix

// Command torture proves what docs/reliability.md promises: it kills the product, cuts its power, fails its disk calls and
// seeds faults in it, and has an independent program judge what was seen from outside.
//
//	go run ./internal/torture kill --rounds 100 --database sqlite
//	go run ./internal/torture sinks --rounds 20 --database sqlite
//	go run ./internal/torture power --rounds 1000
//	go run ./internal/torture ioerr
//	go run ./internal/torture mutants
//	go run ./internal/torture ciphertext
//
// It builds the product from the source it is run in, with failpoints (package instrument), runs it on loopback addresses
// in a temporary folder, and ends what it has started. The last line of its output is the summary; the exit status is not 0
// when anything was violated. A run that fails keeps its folder and prints the command that repeats it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"kabar/internal/torture/instrument"
)

// cli is the command line.
type cli struct {
	Kill    killCmd    `cmd:"" help:"Kill processes of the product while it works."`
	Sinks   sinksCmd   `cmd:"" help:"Have sinks of webhooks misbehave while servers die."`
	Power   powerCmd   `cmd:"" help:"Cut the power under store and media."`
	IOErr   ioerrCmd   `cmd:"" name:"ioerr" help:"Have every disk call fail, one at a time."`
	Mutants mutantsCmd `cmd:"" help:"Seed faults in the product: each must be caught."`

	Ciphertext ciphertextCmd `cmd:"" help:"Look for plaintext where none may be."`

	Client clientCmd `cmd:"" hidden:"" help:"A client of the API."`
	People peopleCmd `cmd:"" hidden:"" help:"People with phones."`
	Sink   sinkCmd   `cmd:"" hidden:"" help:"A sink of webhooks."`
	Moody  moodyCmd  `cmd:"" hidden:"" help:"A sink of webhooks that misbehaves as it is told."`
	Wire   wireCmd   `cmd:"" hidden:"" help:"The wire to the relay."`
}

// seeded is a mode whose choices are made by chance.
type seeded struct {
	Seed uint64 `help:"Seed of all choices; 0: a new one."`
}

// seed returns the seed, made up at the first call if none was given.
func (s *seeded) seed() uint64 {
	if s.Seed == 0 {
		s.Seed = rand.Uint64N(1 << 32)
	}
	return s.Seed
}

// torture is what the modes have in common.
type torture struct {
	out, err io.Writer
	args     []string
	work     string            // folder of this process
	kabar    string            // the product with failpoints, once it is built
	checker  string            // the checker, likewise
	points   map[string]string // the failpoints in the source
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	k := kong.Parse(&c, kong.Name("torture"), kong.Description("Kill, cut, fail and seed faults, and have the outside judge."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}))
	k.BindTo(ctx, (*context.Context)(nil))
	t := &torture{out: os.Stdout, err: os.Stderr, args: os.Args[1:]}
	var err error
	if !k.Selected().Hidden { // the programs around the product keep nothing but their history
		t.work, err = os.MkdirTemp("", "kabar-torture-")
	}
	if err == nil {
		err = k.Run(t)
	}
	if err == nil {
		err = os.RemoveAll(t.work)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(1)
	}
}

// inFolder runs a mode in a folder of its own. It stays when the mode fails.
func (t *torture) inFolder(mode string, seed uint64, run func(dir string) error) error {
	dir := filepath.Join(t.work, mode)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := run(dir); err != nil {
		return fmt.Errorf("%w\nEverything is kept in %s\nRepeat it: go run ./internal/torture %s", err, dir, t.command(seed))
	}
	return os.RemoveAll(dir)
}

// command is the command line of this run, with its seed.
func (t *torture) command(seed uint64) string {
	line := strings.Join(t.args, " ")
	if !strings.Contains(line, "--seed") {
		line += fmt.Sprintf(" --seed %d", seed)
	}
	return line
}

// prepare builds the programs, once.
func (t *torture) prepare(ctx context.Context) error {
	if t.kabar != "" {
		return nil
	}
	root, err := instrument.Root()
	if err != nil {
		return err
	}
	if t.points, err = product(root).Points(); err != nil {
		return err
	}
	fmt.Fprintln(t.err, "Building the product with failpoints, and the checker.")
	t.kabar, t.checker, err = build(ctx, t.work)
	return err
}

// cluster describes the processes of a run in a folder. The caller calls end.
func (t *torture) cluster(ctx context.Context, dir, database string) (c *cluster, end func(), err error) {
	if err := t.prepare(ctx); err != nil {
		return nil, nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	c = &cluster{dir: dir, kabar: t.kabar, self: self, trouble: 0.05, settleIn: 3 * time.Minute}
	stop := func() error { return nil }
	if database == "postgres" {
		if c.database, stop, err = newDatabase(ctx); err != nil {
			return nil, nil, err
		}
	}
	return c, func() {
		c.close()
		if err := stop(); err != nil {
			fmt.Fprintln(t.err, "torture:", err)
		}
	}, c.open(ctx)
}

// errViolated says that the checker has found something.
var errViolated = errors.New("the checker has found violations")

// check has the checker judge a history. It returns the checker's summary.
func (t *torture) check(ctx context.Context, dir string) (string, error) {
	out, err := exec.CommandContext(ctx, t.checker, dir).CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	summary := lines[len(lines)-1]
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return summary, fmt.Errorf("%w:\n%s", errViolated, strings.Join(lines[:min(len(lines), 40)], "\n"))
	}
	if err != nil {
		return summary, fmt.Errorf("the checker: %w\n%s", err, out)
	}
	return summary, nil
}

// bar shows on a terminal how far a mode has come.
type bar struct {
	to    io.Writer
	what  string
	n, of int
	begun time.Time
	shown time.Time
	tty   bool
}

func (t *torture) bar(what string, of int) *bar {
	info, err := os.Stderr.Stat()
	return &bar{to: t.err, what: what, of: of, begun: time.Now(), tty: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (b *bar) step() {
	b.n++
	every := time.Minute
	if b.tty {
		every = 100 * time.Millisecond
	}
	if time.Since(b.shown) < every {
		return
	}
	b.shown = time.Now()
	const width = 30
	full := min(width, b.n*width/max(1, b.of))
	line := fmt.Sprintf("%s [%s%s] %d of %d, %s", b.what, strings.Repeat("#", full), strings.Repeat(".", width-full), b.n, b.of,
		time.Since(b.begun).Round(time.Second))
	if b.tty {
		fmt.Fprintf(b.to, "\r%s\x1b[K", line)
	} else {
		fmt.Fprintln(b.to, line)
	}
}

func (b *bar) done() {
	if b.tty {
		fmt.Fprint(b.to, "\r\x1b[K")
	}
}
