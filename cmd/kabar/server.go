package main

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

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
	"kabar/internal/store"
	"kabar/internal/web"
	"kabar/internal/webhook"
)

// serverOptions say how the business server runs.
type serverOptions struct {
	dir       string // holds media, tls and, with SQLite, kabar.db
	store     store.Options
	relay     string   // URL
	hosts     []string // names the server answers under, beside localhost and addresses
	egress    egress.Policy
	plainHTTP bool      // answer plain HTTP on addresses other than loopback
	lab       *labClock // the clock that can be shifted, of kabar dev; nil: real time
	log       *slog.Logger
	phonePage string        // for the console; may be empty
	drain     time.Duration // how long requests may go on after the end has begun
}

// server is the business server, assembled.
type server struct {
	o          serverOptions
	now        func() time.Time // the product's clock
	db         *store.DB
	media      *media.Store
	egress     *egress.Client
	engine     *engine.Engine
	dispatcher *webhook.Dispatcher
	auth       *auth.Auth
	console    *console.Console
	handler    http.Handler
	allowed    atomic.Pointer[func(host string) bool] // the names it answers under
	cert       tls.Certificate
	print      string       // the certificate's SHA-256
	addr       net.Addr     // where the API listens
	control    net.Listener // for commands of the operator; nil when there is no room for its path
}

// openServer opens the store and puts everything together; nothing runs yet. The caller closes it.
func openServer(ctx context.Context, o serverOptions) (*server, error) {
	s := &server{o: o, now: time.Now}
	s.allow(o.hosts)
	if o.lab != nil {
		s.now = o.lab.Now
	}
	err := os.MkdirAll(filepath.Join(o.dir, "tls"), 0o700)
	if err != nil {
		return nil, err
	}
	o.store.Log = o.log
	if s.db, err = store.Open(ctx, o.store); err != nil {
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
	s.egress = egress.New(s.o.egress)
	s.engine = engine.New(engine.Options{Store: s.db, Media: s.media, Fetch: s.egress, Log: s.o.log, Now: s.now,
		Committed: func(n kabar.NumberID) { s.dispatcher.Wake(n) }})
	if s.auth, err = auth.New(ctx, auth.Options{Store: s.db}); err != nil {
		return err
	}
	v1, err := onprem.New(ctx, onprem.Options{Engine: s.engine, Auth: s.auth, Store: s.db, CheckURL: s.egress.CheckURL, Log: s.o.log})
	if err != nil {
		return err
	}
	s.dispatcher = webhook.New(webhook.Options{Store: s.db, Client: s.egress, Render: map[kabar.Dialect]webhook.Renderer{kabar.OnPrem: v1.Render},
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

// allow says under which names the server answers from now on.
func (s *server) allow(hosts []string) {
	allowed := web.AllowHosts(hosts...)
	s.allowed.Store(&allowed)
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
	s.handler = web.Recover(s.o.log, web.CheckHost(func(host string) bool { return (*s.allowed.Load())(host) }, web.SameOrigin(web.WriteDeadline(writeTime, mux))))
	return nil
}

// writeTime is how long an answer may take; streams and downloads lift it.
const writeTime = time.Minute

// attach connects every number with its network.
func (s *server) attach(ctx context.Context) error {
	numbers, err := s.db.Numbers(ctx)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if err := s.connect(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// first is the number the server began with.
func (s *server) first() *kabar.Number { return s.engine.Numbers()[0] }

// connect gives a number its driver.
func (s *server) connect(ctx context.Context, n *kabar.Number) error {
	return s.engine.Attach(ctx, n.ID, relay.New(relay.Options{URL: s.o.relay, Account: n.Digits, TempDir: s.tempDir(),
		Log: s.o.log.With("number", n.Digits), Now: s.now}))
}

// operations are what the operator's commands can have done while the server runs.
func (s *server) operations() *control.Mux {
	return operations(&parts{dir: s.o.dir, db: s.db, auth: s.auth, media: s.media, attach: s.connect})
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
