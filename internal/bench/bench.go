// Package bench measures the product on the machine it runs on, and says how far it is from what the machine could do.
//
// What is measured are the programs that people run, each in a process of its own: this executable, started with other
// arguments. Beside them run ceilings (ceiling.go), the least that a Go program could do for the same requests. A round of
// the one is followed by a round of the other, so that whatever else the machine does disturbs both; figures are medians of
// several rounds, and ratios are medians of the rounds' ratios. Everything is warmed up first.
//
// Each mode has a file: accept, full, webhooks, media, backlog, commit (group commit and growth, on a store within this
// process). generator.go sends, sink.go takes webhooks, seed.go fills stores, report.go and table.go show what came out.
//
// A run is bounded in time, writes below one temporary folder and removes it, and ends the processes it has started,
// however it ends itself. The package decides nothing about the product and is used by no other part of it.
package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Modes are what can be measured, in the order in which it is.
func Modes() []string {
	return []string{"accept", "full", "webhooks", "media", "backlog", "commit", "growth"}
}

// Usual are the modes of a run that names none: they take less than five minutes together.
func Usual() []string { return Modes()[:3] }

// Rounds is how often each figure is measured.
const Rounds = 5

// Options say what is measured.
type Options struct {
	Modes    []string                             // of Modes
	Time     time.Duration                        // how long each figure is measured, in all its rounds together
	Clients  []int                                // of accept
	Inflight int                                  // messages of full that are under way at a time
	Events   int64                                // of backlog
	Rows     int64                                // of growth
	Database string                               // postgres://… of somebody who may create databases; empty: SQLite
	Dir      string                               // where the temporary folder is made
	Self     string                               // this executable
	Program  string                               // its name and version
	Command  string                               // that repeats the run
	Tell     func(what string, done, total int64) // how far it is; called by one goroutine at a time
}

// bench is a run.
type bench struct {
	o         Options
	dir       string
	client    *http.Client // for what is not measured
	report    *Report
	children  []*process
	started   atomic.Int64 // how many children have been
	databases []string
}

// Run measures and returns what it has found. It may leave nothing behind: its error tells of that, too.
func Run(ctx context.Context, o Options) (r *Report, err error) {
	var telling sync.Mutex
	tell := o.Tell
	o.Tell = func(what string, done, total int64) {
		telling.Lock()
		defer telling.Unlock()
		tell(what, done, total)
	}
	b := &bench{o: o, client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: setters}}}
	if b.dir, err = os.MkdirTemp(o.Dir, "kabar-bench-"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	defer func() { err = errors.Join(err, b.dropDatabases(context.WithoutCancel(ctx))) }()
	began := time.Now()
	b.report = &Report{Program: o.Program, Command: o.Command, At: began, Database: "sqlite"}
	if o.Database != "" {
		b.report.Database = "postgres"
		b.report.note("PostgreSQL's own processor time is not in the figures of a message's cost.")
	}
	if b.report.Machine, err = describe(b.dir); err != nil {
		return nil, fmt.Errorf("measure the disk: %w", err)
	}
	if b.report.Machine.Filesystem == "tmpfs" {
		b.report.note("%s is in memory, where nothing is on disk: give --dir a folder on a disk", o.Dir)
	}
	for _, mode := range Modes() {
		if slices.Contains(o.Modes, mode) {
			if err := b.mode(ctx, mode); err != nil {
				return nil, fmt.Errorf("%s: %w", mode, err)
			}
		}
	}
	b.report.Took = time.Since(began)
	return b.report, nil
}

// mode measures one mode, and ends what it has started.
func (b *bench) mode(ctx context.Context, mode string) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		for _, p := range slices.Backward(b.children) {
			if e := p.close(); ctx.Err() == nil { // what the end of everything breaks off is no mistake
				err = errors.Join(err, e)
			}
		}
		b.children = nil
		cancel()
	}()
	run := map[string]func(context.Context) error{"accept": b.accept, "full": b.full, "webhooks": b.webhooks, "media": b.media,
		"backlog": b.backlog, "commit": b.groupCommit, "growth": b.growth}[mode]
	return run(ctx)
}

// round is the timing of one round of one figure.
func (b *bench) round() timing {
	span := b.o.Time / Rounds
	return timing{lead: max(span/10, 50*time.Millisecond), span: span}
}

// warmTime is how long each contender runs before anything counts.
func (b *bench) warmTime() time.Duration { return min(b.o.Time/Rounds, 2*time.Second) }
