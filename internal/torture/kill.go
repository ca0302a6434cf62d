//go:build unix

package main

import (
	"context"
	"fmt"
	"strings"
)

// killCmd kills processes of the product while it works, and has the checker judge what was seen from outside.
type killCmd struct {
	Rounds   int    `help:"How many processes are killed." default:"100"`
	Database string `help:"What the server keeps its store in." enum:"sqlite,postgres" default:"sqlite"`
	seeded   `embed:""`
}

// Help is shown by torture kill --help.
func (*killCmd) Help() string {
	return `Server, relay and phones run as processes, with clients, people, a sink of webhooks and a recording wire around them. Each round one is
killed with SIGKILL, most often at a failpoint or within 5 ms behind it, and started again; in one of twenty an older copy of its
store takes the place of the present one. In one of four the second endpoint of webhooks is to be told
again meanwhile. In the end an independent checker judges what was recorded outside.`
}

// Run runs the rounds.
func (k *killCmd) Run(ctx context.Context, t *torture) error {
	return t.inFolder("kill", k.seed(), func(dir string) error {
		c, end, err := t.cluster(ctx, dir, k.Database)
		if err != nil {
			return err
		}
		defer end()
		r := newRounds(c, k.seed(), t.bar("kill "+k.Database, k.Rounds))
		if err := r.run(ctx, k.Rounds); err != nil {
			return err
		}
		verdict, err := r.judge(ctx, t)
		fmt.Fprint(t.out, r.histogram())
		if err != nil {
			return err
		}
		if missed := r.missed(t.points); k.Rounds >= 50 && len(missed) > 0 {
			return fmt.Errorf("no process was killed at %s", strings.Join(missed, ", "))
		}
		fmt.Fprintf(t.out, "kill: %d rounds on %s, %d killed at or within 5 ms behind a failpoint, %d copies restored, seed %d; %s\n",
			k.Rounds, k.Database, r.atPoints(), r.restored, k.seed(), verdict)
		return nil
	})
}
