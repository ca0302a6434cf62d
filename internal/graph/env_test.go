package graph

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/egress"
	"kabar/internal/engine"
	"kabar/internal/golden"
	"kabar/internal/media"
	"kabar/internal/network/networktest"
	await "kabar/internal/patience"
	"kabar/internal/rates"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// env is a server with two numbers, of an account each, over a store on disk and a network in memory.
type env struct {
	t      testing.TB
	db     *store.DB
	engine *engine.Engine
	auth   *auth.Auth
	api    *API
	mux    http.Handler
	net    *fakeNet // of the first number
	flows  flowEndpoints
	dir    string
	a, b   *kabar.Number
	tokens map[string]string // by who: user, messaging, management, other, app, expired

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

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newEnv(t testing.TB) *env {
	t.Helper()
	e := &env{t: t, net: newFakeNet(), dir: t.TempDir(), tokens: map[string]string{}}
	var err error
	e.db, err = store.Open(t.Context(), store.Options{Path: filepath.Join(e.dir, "kabar.db"), Master: secrets.NewKey()})
	must(t, err)
	files, err := media.Open(filepath.Join(e.dir, "media"))
	must(t, err)
	e.engine = engine.New(engine.Options{Store: e.db, Media: files, Now: e.now, Rates: rates.Default(), Fetch: fakeWeb{}, Endpoints: &e.flows})
	e.a = e.number("Warung", golden.Ours, golden.Templates())
	e.b = e.number("Toko", golden.Theirs, nil)
	must(t, e.db.Write(t.Context(), nil, func(tx *store.Tx) error {
		for _, p := range golden.Products() {
			p.Account = e.a.Account
			if _, _, err := tx.SaveProduct(p); err != nil {
				return err
			}
		}
		return nil
	}))
	must(t, e.engine.Attach(t.Context(), e.a.ID, e.net))
	must(t, e.engine.Attach(t.Context(), e.b.ID, networktest.NewFake()))
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
	e.net.Refuse(func(p networktest.Packet) error { return refusedAtWill(p.To) })
	return e
}

func (e *env) number(account, digits string, templates []*kabar.TemplateDef) *kabar.Number {
	e.t.Helper()
	n, err := engine.AddNumber(e.t.Context(), e.db, engine.NewNumber{Account: &kabar.Account{Name: account, Verification: kabar.Verification{State: kabar.Verified}}, Digits: digits,
		Profile: kabar.Profile{Name: account}, Templates: templates}, e.now())
	must(e.t, err)
	return n
}

// addNumber is what the server does for a new number.
func (e *env) addNumber(ctx context.Context, to kabar.AccountID, digits, name string) (*kabar.Number, error) {
	for _, n := range e.engine.Numbers() {
		if n.Digits == digits {
			return nil, kabar.Refuse(kabar.ReasonExists, "phone_number", "is on this server already")
		}
	}
	n, err := engine.AddNumber(ctx, e.db, engine.NewNumber{Account: &kabar.Account{ID: to}, Digits: digits, Profile: kabar.Profile{Name: name}, Submitted: true}, e.now())
	if err != nil {
		return nil, err
	}
	return n, e.engine.Attach(ctx, n.ID, networktest.NewFake())
}

// serve builds the API and its tokens, behind the real mux with stubs for the other surfaces.
func (e *env) serve() {
	e.t.Helper()
	app, err := e.db.App(e.t.Context())
	must(e.t, err)
	e.auth, err = auth.New(e.t.Context(), auth.Options{Store: e.db, MonitorKey: golden.Monitor, Now: e.now})
	must(e.t, err)
	both := auth.GraphScopes()
	for who, g := range map[string]auth.Grant{
		"user": {Account: e.a.Account, Scopes: both}, "other": {Account: e.b.Account, Scopes: both},
		"messaging": {Account: e.a.Account, Scopes: []string{auth.ScopeMessaging}}, "management": {Account: e.a.Account, Scopes: []string{auth.ScopeManagement}},
		"expired": {Account: e.a.Account, Scopes: both, Expires: golden.Clock().Add(-time.Second)},
	} {
		e.tokens[who] = auth.NewKey()
		must(e.t, e.auth.AddKey(e.t.Context(), e.tokens[who], g))
	}
	e.tokens["app"] = e.auth.AppID() + "|" + app.Secret
	e.api, err = New(e.t.Context(), Options{Engine: e.engine, Auth: e.auth, Store: e.db, CheckURL: egress.New(egress.Policy{}).CheckURL, Web: fakeWeb{},
		AddNumber: e.addNumber, Now: e.now})
	must(e.t, err)
	handlers := e.api.Handlers()
	for _, row := range auth.Table(true) {
		if handlers[row.Pattern] == nil {
			handlers[row.Pattern] = http.NotFoundHandler()
		}
	}
	e.mux, err = e.auth.Mux(auth.Table(true), handlers, auth.Surface{Prefix: Prefix, Slashes: true, Enter: Enter, Refuse: e.api.Refuse},
		auth.Surface{Prefix: "/", Refuse: e.api.Refuse})
	must(e.t, err)
}

// ask sends a request with a token and returns the answer.
func (e *env) ask(token, method, path, body string) *httptest.ResponseRecorder {
	e.t.Helper()
	r := httptest.NewRequestWithContext(e.t.Context(), method, "/"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	e.mux.ServeHTTP(w, r)
	return w
}

// call names the ids that files speak of.
func (e *env) call(n *golden.Names) {
	app := e.auth.App()
	n.Cloud = true
	for key, name := range map[int64]string{int64(e.a.ID): "phone", int64(e.a.Account): "waba", int64(e.b.ID): "theirs", int64(e.b.Account): "foreign",
		app.ID: "app", app.Business: "business", app.User: "user"} {
		n.Call(strconv.FormatUint(e.db.Node(key), 10), "<"+name+">")
	}
	n.Call(app.Secret, "<secret>")
	for who, token := range e.tokens {
		if who != "app" {
			n.Call(token, "<key"+who+">")
		}
	}
}

// settle waits until no work is left.
func (e *env) settle() {
	e.t.Helper()
	await.Until(e.t, "no job is left", func() bool {
		jobs, err := e.db.ScanJobs(e.t.Context(), 0, 1)
		must(e.t, err)
		return len(jobs) == 0
	})
	must(e.t, e.db.Write(e.t.Context(), nil, func(*store.Tx) error { return nil })) // what is kept in memory is behind it, too
}

// fakeWeb answers links and callbacks without a network, as golden.Fetch says.
type fakeWeb struct{}

func (fakeWeb) Fetch(r *http.Request, _ int64) (*http.Response, error) {
	status, body := golden.Fetch(r.URL.Host, r.URL.Path, r.Header.Get("Authorization"))
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body))}, nil
}

// Do is a callback that wants what it is offered, unless it is told another token.
func (f fakeWeb) Do(r *http.Request, most int64) (*http.Response, error) {
	if q := r.URL.Query(); q.Get("hub.mode") == "subscribe" && strings.HasPrefix(r.URL.Path, "/hook") && r.URL.Host == golden.CDN {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(q.Get("hub.challenge")))}, nil
	}
	return f.Fetch(r, most)
}
