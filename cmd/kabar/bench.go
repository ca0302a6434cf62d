package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"kabar/internal/bench"
	"kabar/internal/control"
)

// benchCmd measures the product on this machine.
type benchCmd struct {
	Mode     string  `arg:"" optional:"" help:"What to measure: accept, full, webhooks, media, backlog, commit, growth, or all. Without: the first three." placeholder:"MODE"`
	JSON     bool    `name:"json" help:"Print one JSON object instead of a table." env:"-"`
	Seconds  float64 `help:"How long each figure is measured, in all its rounds together." default:"10" placeholder:"N" env:"-"`
	Database string  `help:"PostgreSQL to measure instead of SQLite, as a user who may create databases." placeholder:"postgres://…" env:"-"`
	Clients  []int   `help:"How many clients send at a time, in accept." default:"1,8,64,512" placeholder:"N" env:"-"`
	Inflight int     `help:"How many messages are under way at a time, in full." default:"256" placeholder:"N" env:"-"`
	Events   int64   `help:"How many events wait, in backlog." default:"1000000" placeholder:"N" env:"-"`
	Rows     int64   `help:"How many messages the store holds already, in growth." default:"5000000" placeholder:"N" env:"-"`
	Dir      string  `help:"Folder for what is written meanwhile; best on the disk that a server would use." type:"path" placeholder:"DIR" env:"-"`
}

// Help is shown by kabar bench --help.
func (*benchCmd) Help() string {
	return `Every figure is taken from the real programs, in processes of their own, with everything on disk as in service. Beside them run
programs that do the least that would have to be done: their figures are the ceiling of this machine, and the ratio says how near the
product comes. Rounds of both take turns, and medians count, so other load disturbs a ratio less than a rate. docs/performance.md
explains the figures.

  accept    texts at POST /v1/messages, durable when they are answered
  full      texts from the API to a phone that reads them, with three webhooks each
  webhooks  events that wait in the store, delivered to one application
  media     documents up and down; fails when the server needs more than 200 MiB of memory
  backlog   a million events behind an application that is down: memory, start, catching up
  commit    group commit beside one transaction a request
  growth    a store with five million messages beside an empty one

Without a mode it takes four minutes, with all a quarter of an hour and 6 GB in --dir. Nothing is left there, nor in the databases.

Examples:
  kabar bench
  kabar bench accept --clients 64 --json
  kabar bench full --seconds 30 --dir /srv/kabar
  kabar bench accept --database postgres://kabar@localhost/postgres`
}

// Run measures and prints.
func (c *benchCmd) Run(ctx context.Context, s streams) error {
	o, err := c.options()
	if err != nil {
		return &usageError{err}
	}
	bar := newProgress(s.err)
	o.Tell = func(what string, done, total int64) {
		bar.report(control.Progress{What: what, Done: done, Total: total})
	}
	report, err := bench.Run(ctx, o)
	bar.end()
	if ctx.Err() != nil {
		return errors.New("bench: interrupted; everything it had started is ended")
	}
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	if err := c.print(report, s.out); err != nil {
		return err
	}
	if err := report.Judge(); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

func (c *benchCmd) print(report *bench.Report, out io.Writer) error {
	if !c.JSON {
		return report.Print(out)
	}
	text, err := report.JSON()
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}

// options turns flags into what is measured.
func (c *benchCmd) options() (bench.Options, error) {
	o := bench.Options{Time: time.Duration(c.Seconds * float64(time.Second)), Clients: c.Clients, Inflight: c.Inflight, Events: c.Events, Rows: c.Rows,
		Database: c.Database, Dir: c.dir(), Program: "kabar " + version()}
	switch {
	case c.Mode == "":
		o.Modes = bench.Usual()
	case c.Mode == "all":
		o.Modes = bench.Modes()
	case slices.Contains(bench.Modes(), c.Mode):
		o.Modes = []string{c.Mode}
	default:
		return o, fmt.Errorf("there is no mode %q: want all or one of %s", c.Mode, strings.Join(bench.Modes(), ", "))
	}
	if err := c.check(); err != nil {
		return o, err
	}
	o.Command = c.command(o.Modes)
	var err error
	o.Self, err = os.Executable()
	return o, err
}

// check refuses what cannot be measured, or would never end.
func (c *benchCmd) check() error {
	const longest, most = 3600, 4096
	switch {
	case !(c.Seconds >= 0.1 && c.Seconds <= longest):
		return fmt.Errorf("--seconds %v: want 0.1 to %d", c.Seconds, longest)
	case slices.ContainsFunc(c.Clients, func(n int) bool { return n < 1 || n > most }):
		return fmt.Errorf("--clients %v: want 1 to %d each", c.Clients, most)
	case c.Inflight < 1 || c.Inflight > most:
		return fmt.Errorf("--inflight %d: want 1 to %d", c.Inflight, most)
	case c.Events < 1:
		return fmt.Errorf("--events %d: want 1 or more", c.Events)
	case c.Rows < 1:
		return fmt.Errorf("--rows %d: want 1 or more", c.Rows)
	}
	if u, err := url.Parse(c.Database); err != nil || c.Database != "" && !strings.HasPrefix(u.Scheme, "postgres") {
		return fmt.Errorf("--database: want postgres://USER@HOST/NAME") // the error of url.Parse would show the password
	}
	return nil
}

// diskTemp is the folder for temporary files that is on a disk where there is one; that of the system may be in memory.
const diskTemp = "/var/tmp"

func (c *benchCmd) dir() string {
	if c.Dir != "" {
		return c.Dir
	}
	if info, err := os.Stat(diskTemp); err == nil && info.IsDir() {
		return diskTemp
	}
	return os.TempDir()
}

// command repeats the run: it names what counts for its modes. A password in the address of the database is left out.
func (c *benchCmd) command(modes []string) string {
	args := []string{"kabar", "bench"}
	add := func(set bool, words ...string) {
		if set {
			args = append(args, words...)
		}
	}
	measured := func(mode string) bool { return slices.Contains(modes, mode) }
	add(c.Mode != "", c.Mode)
	add(c.JSON, "--json")
	add(true, "--seconds", strconv.FormatFloat(c.Seconds, 'g', -1, 64))
	if u, err := url.Parse(c.Database); err == nil && c.Database != "" {
		add(true, "--database", u.Redacted())
	}
	add(measured("accept"), "--clients", strings.Trim(strings.ReplaceAll(fmt.Sprint(c.Clients), " ", ","), "[]"))
	add(measured("full"), "--inflight", strconv.Itoa(c.Inflight))
	add(measured("backlog"), "--events", strconv.FormatInt(c.Events, 10))
	add(measured("growth"), "--rows", strconv.FormatInt(c.Rows, 10))
	add(c.Dir != "", "--dir", c.Dir)
	return strings.Join(args, " ")
}

// benchPartCmd is what kabar bench starts beside the programs: what it compares them with.
type benchPartCmd struct {
	Ceiling benchCeilingCmd `cmd:"" help:"Answer messages that are read and forgotten."`
	Post    benchPostCmd    `cmd:"" help:"Post the lines of a file over and over."`
}

type benchCeilingCmd struct {
	Answer int    `help:"Bytes of an answer." env:"-"`
	Dir    string `help:"Folder for media." required:"" type:"path" env:"-"`
	Hook   string `help:"URL for webhooks." env:"-"`
}

// Run serves until ctx ends.
func (c *benchCeilingCmd) Run(ctx context.Context, s streams) error {
	return (&bench.Ceiling{Answer: c.Answer, Dir: c.Dir, Hook: c.Hook}).Serve(ctx, s.out)
}

type benchPostCmd struct {
	URL         string `arg:"" help:"Where to."`
	File        string `arg:"" help:"What." type:"path"`
	Concurrency int    `help:"Requests in flight." default:"24" env:"-"`
}

// Run posts until ctx ends.
func (c *benchPostCmd) Run(ctx context.Context) error {
	return bench.PostCeiling(ctx, c.URL, c.File, c.Concurrency)
}
