package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/console"
	"kabar/internal/control"
	"kabar/internal/egress"
	"kabar/internal/engine"
	"kabar/internal/manage"
	"kabar/internal/media"
	"kabar/internal/network/relay"
	"kabar/internal/onprem"
	"kabar/internal/portshare"
	"kabar/internal/secrets"
	"kabar/internal/store"
	"kabar/internal/web"
	"kabar/internal/webhook"
)

// serverOptions say how the business server runs.
type serverOptions struct {
	dir       string // holds kabar.db, media and tls
	database  string // postgres://…; empty: SQLite in dir
	master    secrets.Key
	relay     string   // URL
	hosts     []string // names the server answers under, beside localhost and addresses
	egress    egress.Policy
	plainHTTP bool      // answer plain HTTP on addresses other than loopback
	lab       *labClock // the clock that can be shifted, of kabar dev; nil: real time
	log       *slog.Logger
	noMigrate bool
	phonePage string // for the console; may be empty
}

// server is the business server, assembled.
type server struct {
	o          serverOptions
	now        func() time.Time // the product's clock
	db         *store.DB
	media      *media.Store
	engine     *engine.Engine
	dispatcher *webhook.Dispatcher
	auth       *auth.Auth
	console    *console.Console
	handler    http.Handler
	cert       tls.Certificate
	print      string // the certificate's SHA-256
	numbers    []*kabar.Number
	addr       net.Addr     // where the API listens
	control    net.Listener // for commands of the operator; nil when there is no room for its path
}

// openServer opens the store and puts everything together; nothing runs yet. The caller closes it.
func openServer(ctx context.Context, o serverOptions) (*server, error) {
	s := &server{o: o, now: time.Now}
	if o.lab != nil {
		s.now = o.lab.Now
	}
	err := os.MkdirAll(filepath.Join(o.dir, "tls"), 0o700)
	if err != nil {
		return nil, err
	}
	so := store.Options{URL: o.database, Master: o.master, Log: o.log, NoMigrate: o.noMigrate}
	if o.database == "" {
		so.Path = filepath.Join(o.dir, "kabar.db")
	}
	if s.db, err = store.Open(ctx, so); err != nil {
		return nil, err
	}
	if err := errors.Join(s.clearTemp(), s.assemble(ctx)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if s.control, err = control.Listen(ctx, o.dir); err != nil {
		o.log.Warn("commands of the operator cannot reach this server", "error", err)
	}
	return s, nil
}

func (s *server) tempDir() string { return filepath.Join(s.o.dir, "tmp") }

// clearTemp removes what a killed process has left on its way to or from the network. The store's lock is ours by now.
func (s *server) clearTemp() error {
	if err := os.RemoveAll(s.tempDir()); err != nil {
		return err
	}
	return os.Mkdir(s.tempDir(), 0o700)
}

func (s *server) assemble(ctx context.Context) error {
	var err error
	if s.media, err = media.Open(filepath.Join(s.o.dir, "media")); err != nil {
		return err
	}
	out := egress.New(s.o.egress)
	s.engine = engine.New(engine.Options{Store: s.db, Media: s.media, Fetch: out, Log: s.o.log, Now: s.now,
		Committed: func(n kabar.NumberID) { s.dispatcher.Wake(n) }})
	if s.auth, err = auth.New(ctx, auth.Options{Store: s.db}); err != nil {
		return err
	}
	v1, err := onprem.New(ctx, onprem.Options{Engine: s.engine, Auth: s.auth, Store: s.db, CheckURL: out.CheckURL, Log: s.o.log})
	if err != nil {
		return err
	}
	s.dispatcher = webhook.New(webhook.Options{Store: s.db, Client: out, Render: map[kabar.Dialect]webhook.Renderer{kabar.OnPrem: v1.Render},
		Settings: s.engine.Settings, Number: s.engine.Number, Now: s.now, Log: s.o.log, Version: version()})
	if s.o.lab != nil {
		s.o.lab.OnShift(s.engine.Shifted)
		s.o.lab.OnShift(s.dispatcher.Shifted)
	}
	if s.cert, s.print, err = portshare.SelfSigned(filepath.Join(s.o.dir, "tls"), append([]string{"localhost", "127.0.0.1", "::1"}, s.o.hosts...), time.Now()); err != nil {
		return err
	}
	s.console = console.New(s, console.Options{Log: s.o.log})
	return s.routes(v1)
}

// routes builds the handler from the authorisation table.
func (s *server) routes(v1 *onprem.API) error {
	mo := manage.Options{Checks: s.checks(), Log: s.o.log}
	if s.o.lab != nil {
		mo.Clock = s.o.lab
	}
	m := manage.New(mo)
	handlers := map[string]http.Handler{}
	for _, part := range []map[string]http.Handler{v1.Handlers(), m.Handlers(), s.console.Handlers()} {
		maps.Copy(handlers, part)
	}
	mux, err := s.auth.Mux(auth.Table(s.o.lab != nil), handlers,
		auth.Surface{Prefix: "/v1/", Slashes: true, Refuse: v1.Refuse},
		auth.Surface{Prefix: "/kabar/v1/", Refuse: m.Refuse},
		auth.Surface{Prefix: "/", Refuse: func(w http.ResponseWriter, r *http.Request, _ error) { http.NotFound(w, r) }})
	if err != nil {
		return err
	}
	s.handler = web.Recover(s.o.log, web.CheckHost(web.AllowHosts(s.o.hosts...), web.SameOrigin(web.WriteDeadline(writeTime, mux))))
	return nil
}

// writeTime is how long an answer may take; streams and downloads lift it.
const writeTime = time.Minute

// attach connects every number with its network.
func (s *server) attach(ctx context.Context) error {
	var err error
	if s.numbers, err = s.db.Numbers(ctx); err != nil {
		return err
	}
	for _, n := range s.numbers {
		if err := s.connect(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// connect gives a number its driver.
func (s *server) connect(ctx context.Context, n *kabar.Number) error {
	return s.engine.Attach(ctx, n.ID, relay.New(relay.Options{URL: s.o.relay, Account: n.Digits, TempDir: s.tempDir(),
		Log: s.o.log.With("number", n.Digits), Now: s.now}))
}

// operations are what the operator's commands can have done while the server runs.
func (s *server) operations() *control.Mux {
	return operations(&parts{dir: s.o.dir, db: s.db, auth: s.auth, media: s.media, attach: s.connect})
}

// Run serves on ln until ctx ends, then lets requests finish, stops the engine and returns.
func (s *server) Run(ctx context.Context, ln net.Listener) error {
	s.addr = ln.Addr()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.engine.Run(ctx) })
	g.Go(func() error { return s.dispatcher.Run(ctx) })
	share := portshare.Server{TLS: &tls.Config{Certificates: []tls.Certificate{s.cert}, MinVersion: tls.VersionTLS12},
		Secure: web.Server(s.handler, s.o.log), Plain: web.Server(s.plain(), s.o.log), Drain: drainTime}
	base := later(ctx, graceTime)
	for _, h := range []*http.Server{share.Secure, share.Plain} {
		h.BaseContext = func(net.Listener) context.Context { return base }
	}
	g.Go(func() error { return share.Serve(ctx, ln) })
	if s.control != nil {
		g.Go(func() error { return control.Serve(ctx, s.control, s.operations()) })
	}
	return ended(g.Wait())
}

// graceTime is how long after the end a request may still work; then it, or its stream, is told to stop.
const graceTime = time.Second

// later returns a context that ends d after ctx.
func later(ctx context.Context, d time.Duration) context.Context {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return out
}

// drainTime is how long running requests may go on after the end has begun.
const drainTime = 3 * time.Second

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

// Close closes what openServer opened.
func (s *server) Close() error {
	var err error
	if s.control != nil {
		_ = s.control.Close() // closed by Run already, when that has run
	}
	if s.media != nil {
		err = s.media.Close()
	}
	return errors.Join(err, s.db.Close())
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
			for _, n := range s.numbers {
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
