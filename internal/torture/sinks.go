//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"kabar/internal/torture/history"
	"kabar/internal/torture/recorders"
)

// sinksCmd has some sinks misbehave while others are well, and kills the server meanwhile.
type sinksCmd struct {
	Rounds   int           `help:"How often the server is killed." default:"20"`
	Database string        `help:"What the server keeps its store in." enum:"sqlite,postgres" default:"sqlite"`
	Phase    time.Duration `help:"How long is measured with all sinks well, and as long beside bad ones." default:"20s"`
	Ratio    float64       `help:"What the healthy sinks' p99 may be of their baseline." default:"1.5"`
	Floor    time.Duration `help:"A p99 below this is good whatever its baseline: a busy machine is no verdict." default:"30ms"`
	Memory   int64         `help:"How many MiB more than idle the server may take." default:"64"`
	Mutants  []string      `help:"Faults that are seeded in the product, by their names: the run must fail."`
	seeded   `embed:""`
}

// Help is shown by torture sinks --help.
func (*sinksCmd) Help() string {
	return `A server with four numbers, each with an endpoint, a phone, customers and a client of its own, and an endpoint in the dialect
kabar that is told of all. While all sinks are well two of them are measured: that is the baseline. So they are while the others
misbehave, in another way every few seconds: they hang, drip, answer 500, 429 or a redirect, cut the connection before or within
a 200, send a body without an end, show an expired certificate, or have a name that leads nowhere. Then the server is killed,
again and again, while that goes on. In the end all sinks are well and take what waits, and the checker judges.`
}

// Run runs the phases, and has the checker judge.
func (k *sinksCmd) Run(ctx context.Context, t *torture) error {
	return t.inFolder("sinks", k.seed(), func(dir string) error {
		c, end, err := t.cluster(ctx, dir, k.Database)
		if err != nil {
			return err
		}
		defer end()
		c.mutants = k.Mutants
		if err := c.open(ctx); err != nil { // anew: with the faults
			return err
		}
		s := &sinks{k: k, c: c, chance: rand.New(rand.NewPCG(k.seed(), 1))}
		defer s.close()
		if err := s.found(ctx); err != nil {
			return err
		}
		if err := s.run(ctx, t.bar("sinks "+k.Database, k.Rounds)); err != nil {
			return err
		}
		verdict, err := s.judge(ctx, t)
		if err != nil {
			return err
		}
		figures, err := s.figures()
		fmt.Fprintf(t.out, "sinks: %d rounds on %s, %d changes of mood; %s; seed %d; %s\n", k.Rounds, k.Database, s.changes, figures, k.seed(), verdict)
		return err
	})
}

// sinks is a run.
type sinks struct {
	k       *sinksCmd
	c       *cluster
	chance  *rand.Rand
	parties []*party
	outlets []*outlet        // those of the parties, and one of all numbers
	deck    []recorders.Mood // those that come next

	baseline, beside []phase
	changes          int
	idle, well, most int64 // memory of the server, in bytes: without load, with it, and the most of all
}

// numbers is how many parties there are.
const numbers = 4

// found founds the server and its parties.
func (s *sinks) found(ctx context.Context) error {
	if err := s.c.rec.Write(history.Record{Op: history.Begin, Seed: s.k.seed()}); err != nil {
		return err
	}
	if _, err := s.c.run(ctx, "key", "master", s.c.path("master.key")); err != nil {
		return err
	}
	for _, p := range []*process{s.c.relay, s.c.wire, s.c.server} {
		if err := p.start(ctx); err != nil {
			return err
		}
	}
	wide, err := openWide(ctx, s.c, fmt.Sprintf("sink-%d", numbers+1))
	if err != nil {
		return err
	}
	s.outlets = append(s.outlets, wide)
	for n := range numbers {
		p, err := newParty(ctx, s.c, n, n%2 == 1)
		if err != nil {
			return err
		}
		s.parties, s.outlets = append(s.parties, p), append(s.outlets, p.outlet)
		if err := p.found(ctx); err != nil {
			return err
		}
	}
	return nil
}

// run goes through the phases until all has come to rest.
func (s *sinks) run(ctx context.Context, b *bar) error {
	defer b.done()
	if err := s.rest(ctx); err != nil {
		return err
	}
	for _, p := range s.parties {
		if err := errors.Join(p.people.launch(""), p.client.launch("")); err != nil {
			return err
		}
	}
	for range turns {
		if err := s.measure(ctx); err != nil {
			return err
		}
	}
	for i := range s.k.Rounds {
		if err := s.round(ctx); err != nil {
			return fmt.Errorf("round %d: %w", i+1, err)
		}
		b.step()
	}
	return s.drain(ctx)
}

// round kills the server, half of the time at a failpoint, and starts it again.
func (s *sinks) round(ctx context.Context) error {
	if err := s.pass(ctx, 300*time.Millisecond+time.Duration(s.chance.IntN(1000))*time.Millisecond, true); err != nil {
		return err
	}
	at := []string{"after-hook", "commit", "after-commit", "before-send", "", "", "", ""}[s.chance.IntN(8)]
	if at != "" {
		if err := s.c.server.command("arm %s %d %d", at, 1+s.chance.IntN(20), s.chance.IntN(5000)); err != nil {
			return err
		}
		if !s.c.server.gone(3 * time.Second) {
			at = ""
		}
	}
	s.c.server.kill()
	if err := s.c.rec.Write(history.Record{Op: history.Killed, Process: s.c.server.name, Point: at}); err != nil {
		return err
	}
	if err := s.c.server.start(ctx); err != nil {
		return err
	}
	return s.c.rec.Write(history.Record{Op: history.Started, Process: s.c.server.name})
}

// drain turns every sink good, ends the load, and waits until nothing moves.
func (s *sinks) drain(ctx context.Context) error {
	errs := []error{s.allGood(ctx)}
	for _, p := range s.parties {
		for _, one := range []*process{p.people, p.client} {
			errs = append(errs, one.finish(time.Minute))
			if one.exit != nil && !one.terminated() {
				errs = append(errs, fmt.Errorf("%s: %w; see %s", one.name, one.exit, one.logFile()))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.c.settle(ctx)
}

// alive is an error when somebody has ended by itself: a sink does when it was told what must not reach it.
func (s *sinks) alive() error {
	for _, p := range s.processes() {
		if err := p.alive(); err != nil {
			return err
		}
	}
	return nil
}

// processes are all that run now.
func (s *sinks) processes() (all []*process) {
	all = []*process{s.c.server, s.c.relay, s.c.wire}
	for _, o := range s.outlets {
		all = append(all, o.sink)
	}
	for _, p := range s.parties {
		all = append(all, p.processes()...)
	}
	return all
}

// close ends everything at once.
func (s *sinks) close() {
	for _, p := range s.processes() {
		if p != nil {
			p.kill()
		}
	}
}

// judge has the checker read the history. What has not arrived yet gets some more time.
func (s *sinks) judge(ctx context.Context, t *torture) (string, error) {
	for deadline := time.Now().Add(s.c.settleIn / 4); ; {
		for _, p := range s.parties {
			if err := p.look(ctx); err != nil {
				return "", err
			}
		}
		verdict, err := t.check(ctx, s.c.path("history"))
		if err == nil || !errors.Is(err, errViolated) || time.Now().After(deadline) || !s.c.moving(time.Time{}) {
			return verdict, err
		}
		if err := s.c.settle(ctx); err != nil {
			return "", err
		}
	}
}
