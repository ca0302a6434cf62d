package auth

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kabar/internal/store"
)

// Every route that changes something leaves one entry, however its handler does it, and none when that refuses; those that leave
// none are listed with the reason. A route that takes everybody leaves one when its handler says what it is about.
func TestEveryChangeLeavesAnEntry(t *testing.T) {
	e := newEnv(t)
	var handle http.HandlerFunc
	handlers := map[string]http.Handler{}
	for _, row := range Table(true) {
		handlers[row.Pattern] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(w, r) })
	}
	refuse := func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusServiceUnavailable) }
	session := func(*http.Request) (Who, bool) {
		return Who{Account: e.a.Account, Team: "owner", Scopes: scopesOf("owner", nil)}, true
	}
	h, err := e.Mux(Table(true), handlers, Surface{Prefix: "/", Refuse: refuse}, Surface{Prefix: "/graph/", Refuse: refuse},
		Surface{Prefix: "/console/", Refuse: refuse, Session: session})
	if err != nil {
		t.Fatal(err)
	}
	credentials := []string{"Bearer " + e.grant(t, Grant{Account: e.a.Account, Number: e.a.ID, Role: "owner"}), "Basic YTpi", "Bearer " + e.AppID() + "|" + e.app.Secret,
		"Bearer " + e.apiKey(t, nil, ScopeLab)}
	last, without := int64(0), unaudited()
	for _, row := range Table(true) {
		method, target := example(row.Pattern)
		_, out := without[row.Pattern]
		delete(without, row.Pattern)
		_, in := audited(row.Pattern)
		open := row.Access == Public || row.Access == Basic
		if in == out && method != http.MethodGet {
			t.Errorf("%s is audited: %v, and exempt: %v", row.Pattern, in, out)
		}
		for name, way := range map[string]struct {
			do     http.HandlerFunc
			result string
		}{
			"answers":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }, "ok"},
			"is silent": {func(http.ResponseWriter, *http.Request) {}, "ok"},
			"refuses":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusConflict) }, "refused 409"},
			"changes": {func(w http.ResponseWriter, r *http.Request) {
				for range 2 {
					if err := e.db.Write(r.Context(), nil, func(*store.Tx) error { return nil }); err != nil {
						t.Error(err)
					}
				}
				w.WriteHeader(http.StatusCreated)
			}, "ok"},
		} {
			reached := false
			for _, credential := range credentials {
				handle = func(w http.ResponseWriter, r *http.Request) {
					reached = true
					if open {
						store.Note(r.Context(), func(a *store.Audit) { a.Detail = "{}" })
					}
					way.do(w, r)
				}
				r := httptest.NewRequest(method, target, nil)
				r.Header.Set("Authorization", credential)
				r.Header.Set("User-Agent", "probe/1")
				h.ServeHTTP(httptest.NewRecorder(), r)
				if reached {
					break
				}
			}
			var all []store.Audit
			var fresh int
			all, fresh, last = e.entriesSince(t, last)
			if want := map[bool]int{true: 1}[in && (open || way.result == "ok")]; !reached || fresh != want {
				t.Errorf("%s, whose handler %s: reached %v, %d entries, want %d", row.Pattern, name, reached, fresh, want)
			}
			if action, _ := audited(row.Pattern); fresh == 1 && (all[0].Action != action || all[0].Result != way.result || all[0].Source != "192.0.2.1 probe/1") {
				t.Errorf("%s: %+v, want %q", row.Pattern, all[0], way.result)
			}
		}
	}
	for pattern := range without {
		t.Errorf("%s is exempt and is no route", pattern)
	}
	if r, err := e.db.VerifyAudit(t.Context(), "", nil); err != nil || len(r.Faults) > 0 || r.Entries < 200 {
		t.Errorf("%+v, %v", r, err)
	}
}

// entriesSince returns the last entries of the audit log, newest first, how many of them are behind the one with the number last, and the
// number of the newest.
func (e *env) entriesSince(t *testing.T, last int64) (all []store.Audit, fresh int, newest int64) {
	t.Helper()
	all, err := e.db.AuditLog(t.Context(), 0, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if newest = max(newest, a.Seq); a.Seq > last {
			fresh++
		}
	}
	return all, fresh, newest
}

// Every name of an action belongs to a route.
func TestActionsAreOfRoutes(t *testing.T) {
	names := actions()
	for _, row := range Table(true) {
		delete(names, row.Pattern)
	}
	for pattern := range names {
		t.Errorf("%s is no route", pattern)
	}
}

// Whoever is nobody leaves nothing on a route that takes everybody, unless its handler says what it is about.
func TestNobodyFillsTheLog(t *testing.T) {
	e := newEnv(t)
	quiet := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	h, err := e.Mux([]Route{{"POST /logout", Public}, {"POST /other", Admin}}, map[string]http.Handler{"POST /logout": quiet, "POST /other": quiet},
		Surface{Prefix: "/", Refuse: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusUnauthorized) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/logout", "/other"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, path, nil))
	}
	if all, err := e.db.AuditLog(t.Context(), 0, 0, 10); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

// Sign-ins are written down, those that fail too, under the name that was tried; one that is throttled is not.
func TestLoginsAreWrittenDown(t *testing.T) {
	e := newEnv(t)
	e.user(t, e.a, "ops", RoleUser, false)
	login := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, password, _ := r.BasicAuth()
		if _, err := e.Login(r.Context(), Credentials{User: name, Password: password, From: AddressOf(r)}); err != nil {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	h, err := e.Mux([]Route{{"POST /v1/users/login", Basic}}, map[string]http.Handler{"POST /v1/users/login": login}, Surface{Prefix: "/"})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(name, password string) {
		r := httptest.NewRequest(http.MethodPost, "/v1/users/login", nil)
		r.SetBasicAuth(name, password)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	ask("ops", goodPassword)
	for range freeFailures + 3 {
		ask("root\x00", "nonsense")
	}
	all, err := e.db.AuditLog(t.Context(), 0, 0, 100)
	if err != nil || len(all) != 1+freeFailures+1 {
		t.Fatalf("%d entries, %v", len(all), err)
	}
	good, bad := all[len(all)-1], all[0]
	if good.Action != "user.login" || good.Result != "ok" || good.Actor != "user ops" || good.Account != e.a.Account {
		t.Errorf("%+v", good)
	}
	if bad.Result != "refused 401" || !strings.HasPrefix(bad.Actor, "user root") || bad.Account != 0 {
		t.Errorf("%+v", bad)
	}
}

// What cannot be written down is not answered as done.
func TestNoAnswerWithoutItsEntry(t *testing.T) {
	answered := error(nil)
	w := httptest.NewRecorder()
	out := &recorded{ResponseWriter: w, settle: func(string) error { return errors.New("the disk is full") }, refuse: func(err error) {
		answered = err
		w.WriteHeader(http.StatusServiceUnavailable)
	}}
	out.WriteHeader(http.StatusCreated)
	if _, err := io.WriteString(out, "done"); err != nil || answered == nil || w.Code != http.StatusServiceUnavailable || w.Body.Len() > 0 {
		t.Errorf("%v, %v, %d %q", err, answered, w.Code, w.Body)
	}
}
