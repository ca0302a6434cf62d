package onprem

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/egress"
	"kabar/internal/engine"
	"kabar/internal/golden"
	"kabar/internal/media"
	"kabar/internal/network"
	await "kabar/internal/patience"
	"kabar/internal/rates"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// The numbers and the customer of the tests.
const (
	ours   = golden.Ours
	theirs = golden.Theirs
	ana    = golden.Ana
)

// env is a server with two numbers over a store on disk and a network in memory.
type env struct {
	t       testing.TB
	dir     string
	db      *store.DB
	engine  *engine.Engine
	auth    *auth.Auth
	api     *API
	stats   *Stats
	mux     http.Handler
	net     *fakeNet // of the first number
	a, b    *kabar.Number
	tokens  map[string]string         // by who: user, admin, other
	key     string                    // of the first number
	awaited map[int64]kabar.EventKind // events that awaitEvents has seen, by seq

	release func() // ends what the command busy began

	mu    sync.Mutex
	shift time.Duration
}

// now is a clock that stands still unless it is shifted.
func (e *env) now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return golden.Clock().Add(e.shift)
}

func (e *env) advance(d time.Duration) {
	e.mu.Lock()
	e.shift += d
	e.mu.Unlock()
	e.engine.Shifted()
}

func newEnv(t testing.TB) *env {
	t.Helper()
	e := &env{t: t, net: newFakeNet(), tokens: map[string]string{}, awaited: map[int64]kabar.EventKind{}}
	dir := t.TempDir()
	e.dir = dir
	var err error
	e.db, err = store.Open(t.Context(), store.Options{Path: filepath.Join(dir, "kabar.db"), Master: secrets.NewKey()})
	must(t, err)
	files, err := media.Open(filepath.Join(dir, "media"))
	must(t, err)
	e.stats = NewStats(e.now())
	e.engine = engine.New(engine.Options{Store: e.db, Media: files, Now: e.now, Rates: rates.Default(), Fetch: fakeWeb{}, Noted: e.stats.Note,
		Preview: func(_ context.Context, url string) *kabar.Preview { return linkPreview(url) }})
	account := &kabar.Account{Name: "Warung"}
	e.a = e.number(account, ours, golden.Templates())
	e.b = e.number(&kabar.Account{Name: "Toko"}, theirs, nil)
	e.stock()
	must(t, e.engine.Attach(t.Context(), e.a.ID, e.net))
	must(t, e.engine.Attach(t.Context(), e.b.ID, newFakeNet()))
	e.serve()

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.engine.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, e.db.Close(), files.Close()); err != nil {
			t.Error(err)
		}
	})
	<-e.net.ready
	return e
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (e *env) number(account *kabar.Account, digits string, templates []*kabar.TemplateDef) *kabar.Number {
	e.t.Helper()
	n, err := engine.AddNumber(e.t.Context(), e.db, engine.NewNumber{Account: account, Digits: digits,
		Profile: kabar.Profile{Name: "Warung Kabar"}, Templates: templates}, e.now())
	must(e.t, err)
	return n
}

// serve builds the API, its users and its keys, behind the real mux with stubs for the other surfaces.
func (e *env) serve() {
	e.t.Helper()
	var err error
	e.auth, err = auth.New(e.t.Context(), auth.Options{Store: e.db, MonitorKey: golden.Monitor, Now: e.now})
	must(e.t, err)
	for _, u := range []struct {
		who, name, role string
		number          *kabar.Number
		mustChange      bool
	}{
		{"admin", "admin", auth.RoleAdmin, e.a, false}, {"user", "ops", auth.RoleUser, e.a, false}, {"new", "fresh", auth.RoleUser, e.a, true},
		{"other", "admin-" + theirs, auth.RoleAdmin, e.b, false},
	} {
		must(e.t, e.db.Write(e.t.Context(), nil, func(tx *store.Tx) error {
			return tx.AddUser(&store.User{Account: u.number.Account, Number: u.number.ID, Name: u.name, Role: u.role,
				Hash: cheapHash, MustChange: u.mustChange}, e.now())
		}))
		token, err := e.auth.Issue(e.t.Context(), u.name)
		must(e.t, err)
		e.tokens[u.who] = token.Token
	}
	e.key = auth.NewKey()
	must(e.t, e.auth.AddKey(e.t.Context(), e.key, auth.Grant{Account: e.a.Account, Number: e.a.ID, Scopes: []string{auth.ScopeMessages}}))
	e.api, err = New(e.t.Context(), Options{Certificates: e.keeper(), Stats: e.stats, Operations: fakeOperations{}, Engine: e.engine, Auth: e.auth, Store: e.db, CheckURL: egress.New(egress.Policy{}).CheckURL, Now: e.now})
	must(e.t, err)
	handlers, stub := e.api.Handlers(), http.NotFoundHandler()
	for _, row := range auth.Table(true) {
		if handlers[row.Pattern] == nil {
			handlers[row.Pattern] = stub
		}
	}
	e.mux, err = e.auth.Mux(auth.Table(true), handlers, auth.Surface{Prefix: Prefix, Slashes: true, Refuse: e.api.Refuse},
		auth.Surface{Prefix: "/", Refuse: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusTeapot) }})
	must(e.t, err)
}

// cheapHash is "Secret-12" at a cost that spares the tests time.
const cheapHash = "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$p3iUaEbHNDMb3Z1HPYBMAUizKPPF9PgbJCe3onkwrAM"

// settle waits until no work is left; an unreachable network keeps its work, and a busy store does none.
func (e *env) settle() {
	e.t.Helper()
	done := false
	await.Until(e.t, "no job is left", func() bool {
		if e.net.waits() || e.release != nil {
			return true
		}
		jobs, err := e.db.ScanJobs(e.t.Context(), 0, 1)
		must(e.t, err)
		done = len(jobs) == 0
		return done
	})
	if done { // the database shows a commit a moment before the rows that are kept in memory do: the next one begins behind both
		must(e.t, e.db.Write(e.t.Context(), nil, func(*store.Tx) error { return nil }))
	}
}

var (
	_ network.Network      = (*fakeNet)(nil)
	_ network.MediaCarrier = (*fakeNet)(nil)
	_ network.Directory    = (*fakeNet)(nil)
	_ network.Linked       = (*fakeNet)(nil)
)
