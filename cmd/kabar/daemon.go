package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"

	"golang.org/x/sync/errgroup"
)

// daemon is what serve, relay and phone have in common: an address for whoever watches them, a configuration that can be
// reloaded, and a service manager that is told how far they are.
type daemon struct {
	conf    *configuration
	debug   net.Listener // nil: nobody watches
	figures http.Handler // the metrics
	take    func(next *cli) error
	log     *slog.Logger
}

// run runs the parts of a program until ctx ends, or one of them fails; then it ends the others.
func (d *daemon) run(ctx context.Context, parts ...func(ctx context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, part := range parts {
		g.Go(func() error { return part(ctx) })
	}
	if d.debug != nil {
		g.Go(func() error { return servePages(ctx, d.debug, debugHandler(d.figures, d.log), d.log) })
	}
	g.Go(func() error { return d.conf.reloads(ctx, d.log, d.take) })
	notify(ctx, notifyReady)
	context.AfterFunc(ctx, func() { notify(context.WithoutCancel(ctx), notifyStopping) })
	return ended(g.Wait())
}
