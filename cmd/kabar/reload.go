package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// configuration is a parsed command line with what stood behind it.
type configuration struct {
	cli   *cli
	k     *kong.Context
	again func() (*configuration, error) // parses the same command line once more: the file may have changed
}

// reloads takes the configuration over anew whenever the process gets SIGHUP, until ctx ends. take is called with the fresh
// one; what has changed and cannot be taken over is named in the log. A mistake in the file changes nothing.
func (c *configuration) reloads(ctx context.Context, log *slog.Logger, take func(next *cli) error) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	defer signal.Stop(signals)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-signals:
		}
		next, err := c.again()
		if err == nil {
			err = take(next.cli)
		}
		if err != nil {
			log.ErrorContext(ctx, "the configuration was not reloaded: what ran before goes on", "error", err)
			continue
		}
		log.InfoContext(ctx, "the configuration was reloaded", "needs_restart", c.fixed(next))
	}
}

// fixed returns the keys that differ and take effect at a start only.
func (c *configuration) fixed(next *configuration) []string {
	is := map[string]string{}
	for _, f := range next.k.Flags() {
		is[f.Name] = fmt.Sprint(next.k.FlagValue(f))
	}
	keys := []string{}
	for _, f := range c.k.Flags() {
		if !f.Tag.Has(tagReload) && is[f.Name] != fmt.Sprint(c.k.FlagValue(f)) {
			keys = append(keys, f.Name)
		}
	}
	return keys
}
