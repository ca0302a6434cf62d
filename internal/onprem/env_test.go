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
	"kabar/internal/engine"
	"kabar/internal/media"
	"kabar/internal/network"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// The numbers and the customer of the tests.
const (
	ours   = "628111000111"
	theirs = "628111000222"
	ana    = "34600111222"
)

// env is a server with two numbers over a store on disk and a network in memory.
type env struct {
	t      testing.TB
	db     *store.DB
	engine *engine.Engine
	auth   *auth.Auth
	api    *API
	mux    http.Handler
	net    *fakeNet // of the first number
	a, b   *kabar.Number
	tokens map[string]string // by who: user, admin, other
	key    string            // of the first number

	mu    sync.Mutex
	shift time.Duration
}

// now is a clock that stands still unless it is shifted.
func (e *env) now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return time.Date(2031, 5, 2, 10, 15, 0, 0, time.UTC).Add(e.shift)
}

func (e *env) advance(d time.Duration) {
	e.mu.Lock()
	e.shift += d
	e.mu.Unlock()
	e.engine.Shifted()
}

func newEnv(t testing.TB) *env {
	t.Helper()
	e := &env{t: t, net: newFakeNet(), tokens: map[string]string{}}
	dir := t.TempDir()
	var err error
	e.db, err = store.Open(t.Context(), store.Options{Path: filepath.Join(dir, "kabar.db"), Master: secrets.NewKey()})
	must(t, err)
	files, err := media.Open(filepath.Join(dir, "media"))
	must(t, err)
	e.engine = engine.New(engine.Options{Store: e.db, Media: files, Now: e.now})
	account := &kabar.Account{Name: "Warung"}
	e.a = e.number(account, ours, templates())
	e.b = e.number(&kabar.Account{Name: "Toko"}, theirs, nil)
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
	e.auth, err = auth.New(e.t.Context(), auth.Options{Store: e.db, Now: e.now})
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
	e.api, err = New(e.t.Context(), Options{Engine: e.engine, Auth: e.auth, Store: e.db, CheckURL: checkURL, Now: e.now})
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

// checkURL allows loopback by http, as a server in a laboratory does.
func checkURL(u string) error {
	if u == "http://127.0.0.1:9999/hook" {
		return nil
	}
	return httpsOnly(u)
}

// cheapHash is "Secret-12" at a cost that spares the tests time.
const cheapHash = "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$p3iUaEbHNDMb3Z1HPYBMAUizKPPF9PgbJCe3onkwrAM"

// settle waits until no work is left; an unreachable network keeps its work.
func (e *env) settle() {
	e.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !e.net.isOffline(); time.Sleep(time.Millisecond) {
		jobs, err := e.db.ScanJobs(e.t.Context(), 0, 1)
		must(e.t, err)
		if len(jobs) == 0 {
			return
		}
		if time.Now().After(deadline) {
			e.t.Fatalf("jobs are left: %+v", jobs[0])
		}
	}
}

// templates are those of the first number's account.
func templates() []*kabar.TemplateDef {
	body := kabar.TemplateComponent{Type: kabar.TemplateBody, Text: "Halo dari Warung Kabar."}
	all := []*kabar.TemplateDef{
		{Name: "hello_kabar", Language: "en", Category: kabar.CategoryUtility, Status: kabar.TemplateApproved, Components: []kabar.TemplateComponent{body}},
		{Name: "parcel_update", Language: "es_ES", Category: kabar.CategoryMarketing, Status: kabar.TemplateApproved, Components: []kabar.TemplateComponent{
			{Type: kabar.TemplateHeader, Format: "IMAGE"},
			{Type: kabar.TemplateBody, Text: "Hola {{1}}, son {{2}}, llega el {{3}}."},
			{Type: kabar.TemplateFooter, Text: "Warung Kabar"},
			{Type: kabar.TemplateButtons, Buttons: []kabar.TemplateButton{
				{Type: kabar.ButtonQuickReply, Text: "Vale"}, {Type: kabar.ButtonURL, Text: "Ver", URL: "https://example.com/{{1}}"}}},
		}},
		{Name: "long", Language: "en", Category: kabar.CategoryUtility, Status: kabar.TemplateApproved, Components: []kabar.TemplateComponent{
			{Type: kabar.TemplateBody, Text: "{{1}} {{2}}"}, {Type: kabar.TemplateFooter, Text: "x"}}},
	}
	for status := range map[kabar.TemplateStatus]bool{kabar.TemplatePending: true, kabar.TemplateRejected: true, kabar.TemplatePaused: true, kabar.TemplateDisabled: true} {
		all = append(all, &kabar.TemplateDef{Name: "is_" + string(status), Language: "en", Category: kabar.CategoryUtility, Status: status,
			Components: []kabar.TemplateComponent{body}})
	}
	return all
}

var (
	_ network.Network      = (*fakeNet)(nil)
	_ network.MediaCarrier = (*fakeNet)(nil)
	_ network.Directory    = (*fakeNet)(nil)
	_ network.Linked       = (*fakeNet)(nil)
)
