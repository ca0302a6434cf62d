package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"kabar/internal/phone"
	"kabar/internal/phone/phoneui"
	"kabar/internal/web"
)

// phoneHandler serves the control API under /api/ and the page everywhere else; with a token, behind one gate.
func phoneHandler(p *phone.Phone, page *phoneui.UI, token string, hosts []string, log *slog.Logger) (http.Handler, error) {
	mux := http.NewServeMux()
	mux.Handle("/api/", p.Handler())
	mux.Handle("/", page.Handler())
	var h http.Handler = mux
	if token != "" {
		g, err := newGate(token, mux, log)
		if err != nil {
			return nil, err
		}
		h = g
	}
	return web.Recover(log, web.CheckHost(web.AllowHosts(hosts...), web.SameOrigin(web.WriteDeadline(writeTime, h)))), nil
}

// drainTime is how long the requests of kabar dev and of phones may go on after the end has begun.
const drainTime = 3 * time.Second

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
