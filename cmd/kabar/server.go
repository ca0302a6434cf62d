package main

import (
	"context"
	"errors"
	"fmt"
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
	"kabar/internal/certs"
	"kabar/internal/console"
	"kabar/internal/control"
	"kabar/internal/egress"
	"kabar/internal/engine"
	"kabar/internal/manage"
	"kabar/internal/media"
	"kabar/internal/metrics"
	"kabar/internal/network"
	"kabar/internal/network/relay"
	"kabar/internal/onprem"
	"kabar/internal/store"
	"kabar/internal/web"
	"kabar/internal/webhook"
)

// serverOptions say how the business server runs.
type serverOptions struct {
	dir       string // holds media, tls and, with SQLite, kabar.db
	store     store.Options
	open      func(ctx context.Context, o store.Options) (*store.DB, error) // store.Open, or what finishes a rotation first
	relay     string                                                        // URL
	relayHTTP *http.Client                                                  // for connections to the relay; nil: the default one
	hosts     []string                                                      // names the server answers under, beside localhost and addresses
	certs     *certs.Certs                                                  // what its certificate comes from
	hsts      bool                                                          // tell browsers to come by https, where the certificate is an authority's
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
	started    time.Time
	db         *store.DB
	media      *media.Store
	egress     *egress.Client
	engine     *engine.Engine
	dispatcher *webhook.Dispatcher
	auth       *auth.Auth
	console    *console.Console
	handler    http.Handler
	allowed    atomic.Pointer[func(host string) bool] // the names it answers under
	metrics    *metrics.Metrics
	mediaSize  *metrics.Folder
	addr       net.Addr     // where the API listens
	control    net.Listener // for commands of the operator; nil when there is no room for its path
}

// openServer opens the store and puts everything together; nothing runs yet. The caller closes it.
func openServer(ctx context.Context, o serverOptions) (*server, error) {
	s := &server{o: o, now: time.Now, started: time.Now(), metrics: metrics.New(version())}
	s.allow(o.hosts)
	if o.lab != nil {
		s.now = o.lab.Now
	}
	o.store.Log, o.store.Observe = o.log, s.metrics.Batch
	var err error
	if s.db, err = o.open(ctx, o.store); err != nil {
		return nil, err
	}
	if err := errors.Join(s.clearTemp(), s.assemble(ctx), s.reportRestore(ctx)); err != nil {
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
	left, err := filepath.Glob(filepath.Join(s.tempDir(), "kabar-*"))
	for _, name := range left {
		err = errors.Join(err, ignoreMissing(os.Remove(name)))
	}
	return errors.Join(err, os.MkdirAll(s.tempDir(), 0o700))
}

func (s *server) assemble(ctx context.Context) error {
	var err error
	if s.media, err = media.Open(s.mediaDir()); err != nil {
		return err
	}
	s.egress = egress.New(s.o.egress)
	s.engine = engine.New(engine.Options{Store: s.db, Media: s.media, Fetch: s.egress, Log: s.o.log, Now: s.now,
		Committed: func(n kabar.NumberID) { s.dispatcher.Wake(n) }, Counted: s.metrics.Message})
	if s.auth, err = auth.New(ctx, auth.Options{Store: s.db}); err != nil {
		return err
	}
	v1, err := onprem.New(ctx, onprem.Options{Engine: s.engine, Auth: s.auth, Store: s.db, CheckURL: s.egress.CheckURL, Log: s.o.log})
	if err != nil {
		return err
	}
	s.dispatcher = webhook.New(webhook.Options{Store: s.db, Client: s.metrics.Client(s.egress),
		Render:   map[kabar.Dialect]webhook.Renderer{kabar.OnPrem: v1.Render},
		Settings: s.engine.Settings, Number: s.engine.Number, Now: s.now, Log: s.o.log, Version: version()})
	if s.o.lab != nil {
		s.o.lab.OnShift(s.engine.Shifted)
		s.o.lab.OnShift(s.dispatcher.Shifted)
	}
	s.mediaSize = metrics.NewFolder(s.mediaDir())
	s.measure()
	s.console = console.New(s, console.Options{Log: s.o.log})
	return s.routes(v1)
}

func (s *server) mediaDir() string { return filepath.Join(s.o.dir, "media") }

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
	h := web.CheckHost(func(host string) bool { return (*s.allowed.Load())(host) }, web.SameOrigin(web.WriteDeadline(writeTime, mux)))
	if s.o.hsts {
		h = web.HSTS(s.o.certs.Trusted, h)
	}
	s.handler = s.metrics.Watch(metrics.ServerSurfaces(), web.Recover(s.o.log, h), accessLog(s.o.log))
	return nil
}

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

// connect gives a number its driver, unless it has one.
func (s *server) connect(ctx context.Context, n *kabar.Number) error {
	if s.engine.Network(n.ID) != nil {
		return nil
	}
	return s.engine.Attach(ctx, n.ID, relay.New(relay.Options{URL: s.o.relay, Account: n.Digits, TempDir: s.tempDir(),
		Log: s.o.log.With("number", n.Digits), Now: s.now, HTTP: s.o.relayHTTP,
		Invite: func(ctx context.Context) (string, error) { return s.db.Invite(ctx, n.ID) }}))
}

// missing is what a person has to do before the network admits a number; empty if nothing.
func (s *server) missing(n kabar.NumberID) string {
	if r, ok := s.engine.Network(n).(network.Registrar); ok {
		if state, detail := r.Registration(); state == network.RegistrationUnproved || state == network.RegistrationRefused {
			return detail
		}
	}
	return ""
}

// verify hands a number's verification code to its network.
func (s *server) verify(ctx context.Context, n *kabar.Number, code string) error {
	r, ok := s.engine.Network(n.ID).(network.Registrar)
	if !ok {
		return fmt.Errorf("the network of %s verifies no numbers", n.Digits)
	}
	return r.Verify(ctx, code)
}

// link says for people how a number is connected, and since when.
func (s *server) link(n *kabar.Number) (state string, since time.Time) {
	up, since := s.engine.Link(n.ID)
	if up {
		return "connected", since
	}
	if todo := s.missing(n.ID); todo != "" {
		return todo, since
	}
	return "connecting", since
}

// operations are what the operator's commands can have done while the server runs.
func (s *server) operations() *control.Mux {
	m := operations(&parts{dir: s.o.dir, db: s.db, auth: s.auth, media: s.media, attach: s.connect, verify: s.verify, link: s.link, api: s.api})
	control.Handle(m, "status", s.inspect)
	control.Handle(m, "doctor", s.examine)
	return m
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
