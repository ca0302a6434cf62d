package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"kabar/internal/control"
	"kabar/internal/doctor"
	"kabar/internal/egress"
	"kabar/internal/manage"
	"kabar/internal/metrics"
	"kabar/internal/store"
)

// Run serves on ln until ctx ends. Then it accepts nothing more, lets the requests it has accepted finish, for drain at most,
// and stops the engine and the webhooks last: what those requests need still works.
func (s *server) Run(ctx context.Context, ln net.Listener) error {
	s.addr = ln.Addr()
	g, ctx := errgroup.WithContext(ctx)
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	g.Go(func() error { return s.engine.Run(work) })
	g.Go(func() error { return s.dispatcher.Run(work) })
	g.Go(func() error { return s.o.certs.Run(ctx) })
	g.Go(func() error { return s.auth.Run(work) })
	g.Go(func() error { return s.mediaSize.Run(ctx) })
	if s.control != nil {
		g.Go(func() error { return control.Serve(ctx, s.control, s.operations()) })
	}
	g.Go(func() error {
		defer stop()
		p := port{handler: s.handler, refuse: s.refuse, conns: s.stats.Conn, certs: s.o.certs, plain: s.o.plainHTTP, drain: s.o.drain, log: s.o.log}
		return p.serve(ctx, ln)
	})
	return ended(g.Wait())
}

// reload takes over what can change while the server runs.
func (s *server) reload(hosts []string, rules egress.Policy) {
	s.allow(hosts)
	s.egress.SetRules(rules)
	s.trust.CloseIdleConnections()
}

// measure tells the metrics where the server's figures come from.
func (s *server) measure() {
	s.metrics.Server(metrics.Server{
		Numbers: s.db.Numbers, Link: s.engine.Link, Backlog: s.dispatcher.Backlog, Waiting: s.db.Waiting, Log: s.db.LogSize, Now: s.now,
		Probe:       func(ctx context.Context) error { return s.db.Probe(ctx, time.Now()) },
		Certificate: func() (time.Time, error) { return s.o.certs.Info().NotAfter, nil },
		Media:       s.mediaSize,
		Disk: func() (free, size uint64, err error) {
			u, err := doctor.DiskUsage(s.o.dir)
			return u.Free, u.Size, err
		},
	})
}

// offlineTime and backlogMark are where a server that is behind stops being ready.
const (
	offlineTime = 60 * time.Second
	backlogMark = 100_000
)

// checks are what /readyz looks at.
func (s *server) checks() []manage.Check {
	return []manage.Check{
		{Name: "store", Run: s.writable},
		{Name: "network", Run: func(context.Context) error { return s.offline() }},
		{Name: "webhooks", Run: func(ctx context.Context) error {
			all, err := s.dispatcher.Backlog(ctx)
			if err != nil {
				s.o.log.WarnContext(ctx, "the webhooks' backlog cannot be read", "error", err)
				return store.Refusal(err)
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

// writable is an error while nothing can be stored. What the database says names its address and user: that is for the log.
func (s *server) writable(ctx context.Context) error {
	err := s.db.Probe(ctx, time.Now())
	if err == nil {
		return nil
	}
	s.o.log.WarnContext(ctx, "the store cannot be written", "error", err)
	return store.Refusal(err)
}

// offline is an error while a number that its network knows has not been connected for a while, or when none is and a person
// has to do something. A number that waits for its code beside others that work takes no server out of service.
func (s *server) offline() error {
	var waiting error
	connected := 0
	for _, n := range s.engine.Numbers() {
		up, since := s.engine.Link(n.ID)
		if up {
			connected++
			continue
		}
		if todo := s.missing(n.ID); todo != "" {
			waiting = errors.New("a number is not admitted by its network yet: kabar number list says what to do")
			continue
		}
		if away := time.Since(since); away > offlineTime { // real time, also in kabar dev
			return fmt.Errorf("a number has not been connected for %s: kabar number list says which", away.Round(time.Second))
		}
	}
	if connected == 0 {
		return waiting
	}
	return nil
}
