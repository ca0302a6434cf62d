package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"kabar"
	"kabar/internal/apidoc"
	"kabar/internal/auth"
	"kabar/internal/certs"
	"kabar/internal/console"
	"kabar/internal/control"
	"kabar/internal/deliveries"
	"kabar/internal/dossier"
	"kabar/internal/egress"
	"kabar/internal/endpoint"
	"kabar/internal/engine"
	"kabar/internal/feed"
	"kabar/internal/graph"
	"kabar/internal/manage"
	"kabar/internal/media"
	"kabar/internal/metrics"
	"kabar/internal/onprem"
	"kabar/internal/preview"
	"kabar/internal/rates"
	"kabar/internal/store"
	"kabar/internal/trust"
	"kabar/internal/web"
	"kabar/internal/webhook"
)

// serverOptions say how the business server runs.
type serverOptions struct {
	dir        string // holds media, tls and, with SQLite, kabar.db
	store      store.Options
	open       func(ctx context.Context, o store.Options) (*store.DB, error) // store.Open, or what finishes a rotation first
	relay      string                                                        // URL
	relayHTTP  *http.Client                                                  // for connections to the relay; nil: the default one
	hosts      []string                                                      // names the server answers under, beside localhost and addresses
	certs      *certs.Certs                                                  // what its certificate comes from
	hsts       bool                                                          // tell browsers to come by https, where the certificate is an authority's
	egress     egress.Policy
	monitorKey string    // opens health, stats and metrics; may be empty
	plainHTTP  bool      // answer plain HTTP on addresses other than loopback
	lab        *labClock // the clock that can be shifted, of kabar dev; nil: real time
	log        *slog.Logger
	phonePage  string        // for the console; may be empty
	drain      time.Duration // how long requests may go on after the end has begun
	limits     kabar.Limits  // of numbers that are added
}

// server is the business server, assembled.
type server struct {
	o          serverOptions
	now        func() time.Time // the product's clock
	started    time.Time
	db         *store.DB
	media      *media.Store
	egress     *egress.Client
	trust      *trust.Keeper
	engine     *engine.Engine
	feed       *feed.Feed
	dispatcher *webhook.Dispatcher
	endpoints  *endpoint.Endpoints
	deliveries *deliveries.Deliveries
	auth       *auth.Auth
	console    *console.Console
	handler    http.Handler
	refuse     func(why string) http.Handler          // says no before the handler is asked
	allowed    atomic.Pointer[func(host string) bool] // the names it answers under
	metrics    *metrics.Metrics
	stats      *onprem.Stats
	mediaSize  *metrics.Folder
	addr       net.Addr     // where the API listens
	adding     sync.Mutex   // held while an API adds a number
	control    net.Listener // for commands of the operator; nil when there is no room for its path
}

// openServer opens the store and puts everything together; nothing runs yet. The caller closes it.
func openServer(ctx context.Context, o serverOptions) (*server, error) {
	s := &server{o: o, now: time.Now, started: time.Now(), metrics: metrics.New(version()), stats: onprem.NewStats(time.Now())}
	s.allow(o.hosts)
	if o.lab != nil {
		s.now = o.lab.Now
	}
	o.store.Log, o.store.Observe = o.log, func(operations int, took time.Duration) {
		s.metrics.Batch(operations, took)
		s.stats.Batch(operations, took)
	}
	var err error
	if s.db, err = o.open(ctx, o.store); err != nil {
		return nil, err
	}
	//failpoint:start-up
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
	numbers, err := s.db.Numbers(ctx)
	if err != nil {
		return err
	}
	if s.trust, err = trust.New(ctx, trust.Options{Store: s.db, Certs: s.o.certs, Egress: s.egress, Now: time.Now}, numbers); s.trust == nil {
		return err
	} else if err != nil { // a certificate that has expired keeps no server from starting
		s.o.log.Warn("certificates", "problem", err)
	}
	s.engine = engine.New(engine.Options{Store: s.db, Media: s.media, Fetch: s.egress, Endpoints: s.egress, Preview: preview.New(s.egress, "Kabar/"+version()).Find, Log: s.o.log, Now: s.now, Rates: rates.Default(),
		Committed: func(n kabar.NumberID) { s.dispatcher.Wake(n); s.feed.Wake(n) }, Counted: s.metrics.Message, Noted: s.stats.Note})
	if err = s.engine.Accounts().Load(ctx); err != nil {
		return err
	}
	if s.auth, err = auth.New(ctx, auth.Options{Store: s.db, MonitorKey: s.o.monitorKey}); err != nil {
		return err
	}
	v1, err := onprem.New(ctx, onprem.Options{Engine: s.engine, Auth: s.auth, Store: s.db, Certificates: s.trust, Stats: s.stats, Operations: operationsOf{s},
		CheckURL: s.egress.CheckURL, Log: s.o.log})
	if err != nil {
		return err
	}
	cloud, err := graph.New(ctx, graph.Options{Engine: s.engine, Auth: s.auth, Store: s.db, CheckURL: s.egress.CheckURL, Web: s.egress,
		AddNumber: s.addNumber, Log: s.o.log})
	if err != nil {
		return err
	}
	s.openWebhooks(v1, cloud)
	if s.o.lab != nil {
		s.o.lab.OnShift(s.engine.Shifted)
		s.o.lab.OnShift(s.dispatcher.Shifted)
	}
	s.mediaSize = metrics.NewFolder(s.mediaDir())
	s.measure()
	s.console = console.New(s, console.Options{Templates: s.engine.Templates(), Webhooks: s.webhookPages(), Accounts: s.db.Accounts, Log: s.o.log})
	return s.routes(v1, cloud)
}

func (s *server) mediaDir() string { return filepath.Join(s.o.dir, "media") }

// allow says under which names the server answers from now on.
func (s *server) allow(hosts []string) {
	allowed := web.AllowHosts(hosts...)
	s.allowed.Store(&allowed)
}

// routes builds the handler from the authorisation table.
func (s *server) routes(v1 *onprem.API, cloud *graph.API) error {
	tracer := newTracer(s.db)
	mo := manage.Options{Checks: s.checks(), Messages: tracer, Events: s.feed, Conversations: tracer, Consents: s.engine.Consents(), Broadcasts: s.engine.Broadcasts(), Of: ofKey,
		Erasures:  s.engine.Erasures(),
		Exports:   dossier.New(dossier.Options{Store: s.db, Media: s.media, Trace: tracer, Now: s.now}),
		Templates: s.engine.Templates(), AccountsOf: s.accountsOf, Accounts: s.engine.Accounts(), Nodes: s.db, Operator: ofWholeServer, MessageID: s.messageID,
		Reviews: s.engine.Reviews(), Keys: s.auth, Numbers: s.db.Numbers, Audit: s.db, Limits: s.engine, Endpoints: s.endpoints, IDs: s.db, Proves: func(r *http.Request) bool { return auth.From(r).May(auth.ScopeWebhooks) }, Health: s.health, Try: s.try, Deliveries: s.deliveries, Hours: s.engine, Now: s.now, Log: s.o.log}
	if s.o.lab != nil {
		mo.Clock = s.o.lab
	}
	m := manage.New(mo)
	handlers := map[string]http.Handler{}
	docs := apidoc.Handlers(onprem.Description(), onprem.Prefix, s.o.log)
	cloudDocs := apidoc.Handlers(graph.Description(), "/cloud/", s.o.log)
	manageDocs := apidoc.Handlers(manage.Description(), manage.Prefix, s.o.log)
	for _, part := range []map[string]http.Handler{v1.Handlers(), docs, cloud.Handlers(), cloudDocs, manageDocs, m.Handlers(), s.console.Handlers()} {
		maps.Copy(handlers, part)
	}
	surfaces := []auth.Surface{
		{Prefix: "/v1/", Slashes: true, Refuse: v1.Refuse},
		{Prefix: "/kabar/v1/", Refuse: m.Refuse},
		{Prefix: graph.Prefix, Slashes: true, Enter: graph.Enter, Refuse: cloud.Refuse},
		{Prefix: "/console/", Session: s.console.Session, Refuse: s.console.Refuse},
		{Prefix: "/", Refuse: cloud.Refuse}, // an application with a wrong path reads JSON
	}
	mux, err := s.auth.Mux(auth.Table(s.o.lab != nil), handlers, surfaces...)
	if err != nil {
		return err
	}
	s.refuse = func(why string) http.Handler { return auth.Denied(why, surfaces...) }
	h := web.SameOrigin(s.refuse(web.WrongOrigin), web.WriteDeadline(writeTime, mux))
	h = web.CheckHost(func(host string) bool { return (*s.allowed.Load())(host) }, s.refuse(web.WrongHost), h)
	if s.o.hsts {
		h = web.HSTS(s.o.certs.Trusted, h)
	}
	s.handler = s.metrics.Watch(metrics.ServerSurfaces(), web.Recover(s.o.log, h), accessLog(s.o.log),
		func(_ context.Context, r metrics.Served) { s.stats.Served(r.Method, r.Route, r.Status, r.Duration) })
	return nil
}

// operations are what the operator's commands can have done while the server runs.
func (s *server) operations() *control.Mux {
	m := operations(&parts{dir: s.o.dir, db: s.db, auth: s.auth, media: s.media, attach: s.welcome, verify: s.verify, link: s.link, api: s.api,
		engine: s.engine, limits: s.o.limits})
	control.Handle(m, "status", s.inspect)
	control.Handle(m, "doctor", s.examine)
	control.Handle(m, "address", s.listening)
	control.Handle(m, "phone", s.phoneAt)
	control.Handle(m, "console.link", recorded(s.db, "console.link", s.consoleLink))
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
