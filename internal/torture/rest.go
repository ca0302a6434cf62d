//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"kabar/internal/torture/history"
)

// stillFor is how long nothing must have been recorded: then all has come to rest.
const stillFor = 3 * time.Second

// alive is an error when somebody who is not to be killed has ended.
func (c *cluster) alive() error {
	for _, p := range append([]*process{c.server, c.relay, c.phone, c.wire, c.sink, c.people}, c.clients...) {
		if err := p.alive(); err != nil {
			return err
		}
	}
	return nil
}

// alive is an error when the process has ended.
func (p *process) alive() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s has ended by itself: %w; see %s", p.name, p.exit, p.logFile())
	default:
		return nil
	}
}

// settle waits until everything has come to rest, and records it. What has just been started has not moved yet: silence counts
// from now on.
func (c *cluster) settle(ctx context.Context) error {
	rest := ""
	for begun := time.Now(); ; {
		if !c.moving(begun) {
			break
		}
		if time.Since(begun) > c.settleIn {
			rest = "still moving after " + c.settleIn.String()
			break
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return c.rec.Write(history.Record{Op: history.Quiet, Detail: rest})
}

// moving reports whether something was recorded on the wire or by a sink lately, or since is as late as that.
func (c *cluster) moving(since time.Time) bool {
	latest := since
	sinks, _ := filepath.Glob(c.path("history", "sink*.jsonl")) // the pattern is good
	for _, name := range append(sinks, c.path("history", "wire.jsonl")) {
		if info, err := os.Stat(name); err == nil && info.ModTime().After(latest) {
			latest = info.ModTime()
		}
	}
	return time.Since(latest) < stillFor
}
