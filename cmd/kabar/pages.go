package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"

	"kabar/internal/phone"
	"kabar/internal/phone/phoneui"
	"kabar/internal/web"
)

// phoneHandler serves the control API under /api/ and the page everywhere else.
func phoneHandler(p *phone.Phone, page *phoneui.UI, hosts []string, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", p.Handler())
	mux.Handle("/", page.Handler())
	return web.Recover(log, web.CheckHost(web.AllowHosts(hosts...), web.SameOrigin(web.WriteDeadline(writeTime, mux))))
}

// servePages serves plain HTTP on ln until ctx ends.
func servePages(ctx context.Context, ln net.Listener, h http.Handler, log *slog.Logger) error {
	s := web.Server(h, log)
	base := later(ctx, graceTime)
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
