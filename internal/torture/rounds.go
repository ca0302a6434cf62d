//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"kabar/internal/torture/history"
)

// point is a failpoint, and when a process passes it.
type point struct {
	name    string
	process string // server, relay or phone: all the time; start: when the server starts; scratch: in a store of its own
	weight  int
	upTo    int // the process is killed at one of so many passes
}

func points() []point {
	return []point{
		{"commit", "server", 12, 30}, {"after-commit", "server", 12, 30}, {"before-send", "server", 10, 15}, {"after-send", "server", 10, 15},
		{"after-hook", "server", 12, 30}, {"before-answer", "server", 10, 10}, {"before-ack", "server", 10, 15},
		{"media-rename", "server", 4, 2}, {"media-renamed", "server", 4, 2}, {"replay-begun", "server", 4, 1}, {"replay-mark", "server", 6, 3},
		{"file-commit", "relay", 6, 30}, {"file-committed", "relay", 6, 30}, {"file-commit", "phone", 6, 30}, {"file-committed", "phone", 6, 30},
		{"start-up", "start", 4, 1}, {"login", "start", 4, 1}, {"set-up", "scratch", 2, 1}, {"migration", "scratch", 3, 4},
	}
}

// rounds is a run of the kill mode, or a part of another.
type rounds struct {
	c        *cluster
	chance   *rand.Rand
	seed     uint64
	bar      *bar
	only     string         // failpoint that every round kills at; empty: any
	restores float64        // share of the rounds in which an older copy takes a store's place
	hits     map[string]int // by process and point
	todo     []point        // failpoints that nobody was killed at yet
	at       int            // rounds that ended at a failpoint
	copies   map[string]stamp
	restored int
	scratch  int
	purse    *purse
	second   *second
}

// stamp is a copy of a store.
type stamp struct {
	dir string
	at  int64 // when it was made
}

func newRounds(c *cluster, seed uint64, b *bar) *rounds {
	return &rounds{c: c, seed: seed, chance: rand.New(rand.NewPCG(seed, 0)), bar: b, restores: 0.05, hits: map[string]int{}, copies: map[string]stamp{},
		todo: points()}
}

// run founds the cluster, kills n times and lets everything come to rest.
func (r *rounds) run(ctx context.Context, n int) error {
	defer r.bar.done()
	if err := r.c.rec.Write(history.Record{Op: history.Begin, Seed: r.seed}); err != nil {
		return err
	}
	err := r.c.found(ctx, func(ctx context.Context) (err error) {
		if err := r.c.server.start(ctx); err != nil {
			return err
		}
		r.second, err = openSecond(ctx, r.c)
		return err
	})
	if err != nil {
		return err
	}
	if r.purse, err = openPurse(ctx, r.c); err != nil {
		return err
	}
	if err := r.c.load(); err != nil {
		return err
	}
	for i := range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.whileDrawing(ctx, r.round); err != nil {
			return fmt.Errorf("round %d: %w", i+1, err)
		}
		if err := r.c.alive(); err != nil {
			return err
		}
		r.bar.step()
	}
	if err := r.c.unload(); err != nil {
		return err
	}
	return r.c.settle(ctx)
}

// round kills one process and starts it again.
func (r *rounds) round(ctx context.Context) error {
	time.Sleep(time.Duration(20+r.chance.IntN(100)) * time.Millisecond)
	p := r.choose()
	switch p.process {
	case "scratch":
		return r.inScratch(ctx, p)
	case "start":
		return r.atStart(ctx, p)
	}
	victim := map[string]*process{"server": r.c.server, "relay": r.c.relay, "phone": r.c.phone}[p.process]
	if victim == nil {
		return r.outsider(ctx)
	}
	if p.name != "" {
		if err := victim.command("arm %s %d %d", p.name, 1+r.chance.IntN(p.upTo), r.delay()); err != nil {
			return err
		}
	} else {
		time.Sleep(time.Duration(r.chance.IntN(100)) * time.Millisecond)
	}
	return r.whileToldAgain(ctx, p, func() error { return r.death(ctx, victim, p) })
}

// death is the end of a process, at a failpoint or now, and its new beginning.
func (r *rounds) death(ctx context.Context, victim *process, p point) error {
	at := p.name
	if p.name == "" || !victim.gone(3*time.Second) {
		at = ""
		victim.kill()
	}
	if err := r.note(victim, at); err != nil {
		return err
	}
	if err := r.timeTravel(ctx, victim); err != nil {
		return err
	}
	return r.again(ctx, victim)
}

// choose picks where this round kills: at a failpoint three times out of four, otherwise some process at some time. Failpoints that
// were not hit yet come first, so that a short run passes all of them, too.
func (r *rounds) choose() point {
	all := points()
	switch {
	case r.only != "":
		all = slices.DeleteFunc(all, func(p point) bool { return p.name != r.only })
	case r.chance.IntN(4) == 0:
		return point{process: []string{"server", "server", "relay", "phone", "outsider"}[r.chance.IntN(5)]}
	case len(r.todo) > 0:
		return r.todo[r.chance.IntN(len(r.todo))]
	}
	sum := 0
	for _, p := range all {
		sum += p.weight
	}
	n := r.chance.IntN(sum)
	for _, p := range all {
		if n -= p.weight; n < 0 {
			return p
		}
	}
	return all[0]
}

// delay is how long after a failpoint the process dies, in microseconds: half of the time at once, otherwise within 5 ms.
func (r *rounds) delay() int {
	if r.chance.IntN(2) == 0 {
		return 0
	}
	return 1 + r.chance.IntN(5000)
}

// outsider kills a client or the sink, who are none of the product: it must bear that.
func (r *rounds) outsider(ctx context.Context) error {
	all := append([]*process{r.c.sink}, r.c.clients...)
	victim := all[r.chance.IntN(len(all))]
	victim.kill()
	if err := r.note(victim, ""); err != nil {
		return err
	}
	return victim.start(ctx)
}

// atStart kills the server, and again while it starts.
func (r *rounds) atStart(ctx context.Context, p point) error {
	s := r.c.server
	s.kill()
	if err := r.c.rec.Write(history.Record{Op: history.Killed, Process: s.name}); err != nil {
		return err
	}
	if err := r.timeTravel(ctx, s); err != nil {
		return err
	}
	if err := s.launch(fmt.Sprintf("arm %s 1 %d", p.name, r.delay())); err != nil {
		return err
	}
	at := p.name
	if !s.gone(5 * time.Second) {
		at = ""
		s.kill()
	}
	if err := r.note(s, at); err != nil {
		return err
	}
	return r.again(ctx, s)
}

func (r *rounds) again(ctx context.Context, p *process) error {
	if err := p.start(ctx); err != nil {
		return err
	}
	return r.c.rec.Write(history.Record{Op: history.Started, Process: p.name})
}

func (r *rounds) note(p *process, at string) error {
	if at != "" {
		r.at++
		r.hits[p.name+" "+at]++
		r.todo = slices.DeleteFunc(r.todo, func(t point) bool {
			return t.name == at && (t.process == p.name || t.process == "start" || t.process == "scratch")
		})
	} else {
		r.hits[p.name+" (any time)"]++
	}
	return r.c.rec.Write(history.Record{Op: history.Killed, Process: p.name, Point: at})
}

// atPoints is how many rounds ended at a failpoint, or within 5 ms behind it.
func (r *rounds) atPoints() int { return r.at }

// histogram shows where processes were killed.
func (r *rounds) histogram() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.hits)) {
		fmt.Fprintf(&b, "%6d  %-28s %s\n", r.hits[name], name, strings.Repeat("▇", min(60, 1+r.hits[name]*60/max(1, r.most()))))
	}
	return b.String()
}

func (r *rounds) most() (n int) {
	for _, h := range r.hits {
		n = max(n, h)
	}
	return n
}

// missed returns the failpoints of the source at which nothing was killed.
func (r *rounds) missed(inSource map[string]string) (names []string) {
	hit := map[string]bool{}
	for name := range r.hits {
		_, at, _ := strings.Cut(name, " ")
		hit[at] = true
	}
	for name := range inSource {
		if !hit[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// judge has the checker read the history. What has not arrived yet gets some more time.
func (r *rounds) judge(ctx context.Context, t *torture) (string, error) {
	for deadline := time.Now().Add(r.c.settleIn / 4); ; {
		if err := errors.Join(r.c.look(ctx), r.purse.look(ctx)); err != nil {
			return "", err
		}
		verdict, err := t.check(ctx, r.c.path("history"))
		if err == nil || !errors.Is(err, errViolated) || time.Now().After(deadline) || !r.c.moving(time.Time{}) {
			return verdict, err
		}
		if err := r.c.settle(ctx); err != nil {
			return "", err
		}
	}
}

// remove removes what nobody needs any more.
func remove(dirs ...string) error {
	var errs []error
	for _, dir := range dirs {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}
