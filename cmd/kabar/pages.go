package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"

	"kabar/internal/web"
)

// servePages serves plain HTTP on ln until ctx ends.
func servePages(ctx context.Context, ln net.Listener, h http.Handler, log *slog.Logger) error {
	s := web.Server(h, log)
	base := lasting(ctx, drainTime)
	s.BaseContext = func(net.Listener) context.Context { return base }
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		if s.Shutdown(drain) != nil {
			_ = s.Close() // somebody holds on
		}
	}()
	err := s.Serve(ln)
	if ctx.Err() == nil {
		return err
	}
	<-done
	return nil
}
