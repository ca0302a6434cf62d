//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kabar/internal/torture/instrument"
)

// mutantsCmd proves that the harness can see: it seeds one fault after another, and each must be caught.
type mutantsCmd struct {
	Rounds int      `help:"Within how many kills each fault must be caught." default:"20"`
	Only   []string `help:"Names of the faults to try; all, if left out."`
	seeded `embed:""`
}

// mutant is a seeded fault.
type mutant struct {
	name    string // as in the list of docs/reliability.md
	what    string
	at      string // the failpoint at which its rounds kill; empty: any
	edits   []instrument.Edit
	copy    bool    // its rounds restore copies
	trouble float64 // of its sink, where more of it is needed than usual: events wait
}

// atATime is how many rounds of a fault are judged together: most are caught in the first ones, and the rest are not run.
const atATime = 5

// Run tries the mutants. One that survives is a failure.
func (m *mutantsCmd) Run(ctx context.Context, t *torture) error {
	if err := t.prepare(ctx); err != nil {
		return err
	}
	var survived []string
	tried := 0
	for _, mu := range mutants() {
		if len(m.Only) > 0 && !strings.Contains(","+strings.Join(m.Only, ",")+",", ","+mu.name+",") {
			continue
		}
		tried++
		caught, err := m.hunt(ctx, t, mu)
		if err != nil {
			return fmt.Errorf("%s: %w", mu.name, err)
		}
		if caught == "" {
			survived = append(survived, mu.name)
			caught = "SURVIVED"
		}
		fmt.Fprintf(t.out, "%-4s %-62s %s\n", mu.name, mu.what, caught)
	}
	if len(survived) > 0 {
		return fmt.Errorf("%d of %d faults were not caught: %s; repeat it: go run ./internal/torture %s", len(survived), tried, strings.Join(survived, ", "), t.command(m.seed()))
	}
	fmt.Fprintf(t.out, "mutants: %d of %d seeded faults were caught within %d kills each, seed %d\n", tried, tried, m.Rounds, m.seed())
	return nil
}

// hunt runs with a mutant until it is caught or its rounds are used up, and returns how it was caught. With some faults the
// product comes to a stand and its rounds end early: that counts for nothing unless it is the same in all of them.
func (m *mutantsCmd) hunt(ctx context.Context, t *torture, mu mutant) (string, error) {
	var failed []error
	b := t.bar(mu.name, m.Rounds)
	for done := 0; done < m.Rounds && ctx.Err() == nil; done += atATime {
		caught, err := m.try(ctx, t, mu, b, m.seed()+uint64(done), min(atATime, m.Rounds-done))
		if caught != "" {
			return caught, nil
		}
		failed = append(failed, err)
	}
	return "", errors.Join(append(failed, ctx.Err())...)
}

// try runs some rounds with a mutant, from an empty cluster to the checker.
func (m *mutantsCmd) try(ctx context.Context, t *torture, mu mutant, b *bar, seed uint64, rounds int) (caught string, err error) {
	dir := filepath.Join(t.work, "mutant-"+mu.name)
	c, end, err := t.cluster(ctx, dir, "sqlite")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	defer end()
	c.mutants, c.settleIn = []string{mu.name}, 20*time.Second // with some faults it never comes to rest
	c.trouble = max(c.trouble, mu.trouble)
	if err := c.open(ctx); err != nil { // again: the mutant goes into the environment
		return "", err
	}
	r := newRounds(c, seed, b)
	r.only, r.restores = mu.at, 0
	if mu.copy {
		r.restores = 1 // every other kill of the server or the phones
	}
	if err := r.run(ctx, rounds); err != nil {
		return "", err
	}
	_, err = r.judge(ctx, t)
	if errors.Is(err, errViolated) {
		return firstViolation(err), nil
	}
	return "", err
}

// firstViolation shortens what the checker has said.
func firstViolation(err error) string {
	lines := strings.Split(err.Error(), "\n")
	if len(lines) < 2 {
		return lines[0]
	}
	return fmt.Sprintf("caught: %.100s", lines[1])
}
