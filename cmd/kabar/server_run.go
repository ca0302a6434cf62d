package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"kabar/internal/control"
	"kabar/internal/egress"
	"kabar/internal/manage"
	"kabar/internal/portshare"
	"kabar/internal/ui"
	"kabar/internal/web"
)

// Run serves on ln until ctx ends. Then it accepts nothing more, lets the requests it has accepted finish, for drain at most,
// and stops the engine and the webhooks last: what those requests need still works.
func (s *server) Run(ctx context.Context, ln net.Listener) error {
	s.addr = ln.Addr()
	g, ctx := errgroup.WithContext(ctx)
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	g.Go(func() error { return s.engine.Run(work) })
	g.Go(func() error { return s.dispatcher.Run(work) })
	if s.control != nil {
		g.Go(func() error { return control.Serve(ctx, s.control, s.operations()) })
	}
	g.Go(func() error {
		defer stop()
		return s.serve(ctx, ln)
	})
	return ended(g.Wait())
}

// reload takes over what can change while the server runs.
func (s *server) reload(hosts []string, rules egress.Policy) {
	s.allow(hosts)
	s.egress.SetRules(rules)
}

// serve serves the API until ctx ends and every request has been answered.
func (s *server) serve(ctx context.Context, ln net.Listener) error {
	share := portshare.Server{TLS: &tls.Config{Certificates: []tls.Certificate{s.cert}, MinVersion: tls.VersionTLS12},
		Secure: web.Server(s.handler, s.o.log), Plain: web.Server(s.plain(), s.o.log), Drain: s.o.drain}
	base := lasting(ctx, s.o.drain)
	for _, h := range []*http.Server{share.Secure, share.Plain} {
		h.BaseContext = func(net.Listener) context.Context { return base }
	}
	return share.Serve(ctx, ln)
}

// lasting returns the context of the requests of a server that ends with ctx: streams end with it, other requests have
// nearly drain to finish.
func lasting(ctx context.Context, drain time.Duration) context.Context {
	out, cancel := context.WithCancel(ui.Closing(context.WithoutCancel(ctx), ctx.Done()))
	context.AfterFunc(ctx, func() { time.AfterFunc(drain*9/10, cancel) })
	return out
}

// plain answers plain HTTP on loopback only, unless the operator has allowed more.
func (s *server) plain() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		if tcp, ok := local.(*net.TCPAddr); s.o.plainHTTP || ok && tcp.IP.IsLoopback() {
			s.handler.ServeHTTP(w, r)
			return
		}
		http.Error(w, "This address speaks HTTPS only: use https://, or start the server with --allow-plain-http.", http.StatusForbidden)
	})
}

// ended turns the end of a context, which is how everything stops, into no error.
func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// offlineTime and backlogMark are where a server that is behind stops being ready.
const (
	offlineTime = 60 * time.Second
	backlogMark = 100_000
)

// checks are what /readyz looks at.
func (s *server) checks() []manage.Check {
	return []manage.Check{
		{Name: "store", Run: func(ctx context.Context) error { return s.db.Probe(ctx, time.Now()) }},
		{Name: "network", Run: func(context.Context) error {
			for _, n := range s.engine.Numbers() {
				up, since := s.engine.Link(n.ID)
				if away := time.Since(since); !up && away > offlineTime { // real time, also in kabar dev
					return fmt.Errorf("%s has not been connected for %s", n.Digits, away.Round(time.Second))
				}
			}
			return nil
		}},
		{Name: "webhooks", Run: func(ctx context.Context) error {
			all, err := s.dispatcher.Backlog(ctx)
			if err != nil {
				return err
			}
			for _, b := range all {
				if b.Pending > backlogMark {
					return fmt.Errorf("%d events wait for an endpoint; last answer: %s", b.Pending, b.LastError)
				}
			}
			return nil
		}},
	}
}
