package onprem

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/golden"
)

// sender puts a credential into a request.
type sender func(r *http.Request)

func d360(key string) sender { return func(r *http.Request) { r.Header.Set("D360-API-KEY", key) } }

func bearer(key string) sender {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }
}

func (e *env) ask(s sender, method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	s(r)
	w := httptest.NewRecorder()
	e.mux.ServeHTTP(w, r)
	return w
}

// keyOf adds a key of a number.
func (e *env) keyOf(n *kabar.Number, expires time.Time, scopes ...string) string {
	e.t.Helper()
	key := auth.NewKey()
	must(e.t, e.auth.AddKey(e.t.Context(), key, auth.Grant{Account: n.Account, Number: n.ID, Scopes: scopes, Expires: expires}))
	return key
}

// keyRoute is what a key of the number that owns everything gets of a route, and what one of the other number gets.
type keyRoute struct {
	pattern, target, body string
	mine, theirs          int
	admin                 bool // asks for an administrator
}

// keyRoutes has every route of /v1, the one that removes something last. It fills the first number: a medium and a message
// of a customer.
func keyRoutes(e *env) []keyRoute {
	e.t.Helper()
	w := e.ask(d360(e.key), "POST", "/v1/media", "a medium of the first number")
	medium := golden.FindID(w.Body.String())
	must(e.t, e.net.in.Deliver(e.t.Context(), kabar.Update{From: kabar.Customer{WaID: ana}, At: e.now(), Ref: strings.Repeat("0a", 16), NewIdentity: "a",
		Message: &kabar.Incoming{Content: &kabar.Text{Body: "hi"}}}, nil))
	events, err := e.db.Events(e.t.Context(), e.a.ID, 0, 10)
	must(e.t, err)
	body, _, err := e.api.Render(events[0], e.a, kabar.Settings{})
	must(e.t, err)
	message := golden.FindID(string(body))
	if medium == "" || message == "" {
		e.t.Fatalf("no ids in %s and %s", w.Body, body)
	}
	text := `{"to":"` + ana + `","type":"text","text":{"body":"hello"}}`
	return append(settingsRoutes(), []keyRoute{
		{"POST /v1/users/login", "/v1/users/login", "", 401, 401, false},
		{"POST /v1/users/logout", "/v1/users/logout", "", 403, 403, false},
		{"POST /v1/users", "/v1/users", `{"username":"x"}`, 400, 400, true},
		{"GET /v1/users/{username}", "/v1/users/ops", "", 200, 404, false},
		{"PUT /v1/users/{username}", "/v1/users/ops", `{"password":"Secret-12"}`, 200, 404, true},
		{"DELETE /v1/users/{username}", "/v1/users/nobody", "", 404, 404, true},
		{"GET /v1/contacts/{wa_id}/identity", "/v1/contacts/" + ana + "/identity", "", 200, 404, false},
		{"PUT /v1/contacts/{wa_id}/identity", "/v1/contacts/" + ana + "/identity", `{"hash":"a"}`, 200, 404, false},
		{"POST /v1/account", "/v1/account", `{}`, 400, 400, true},
		{"POST /v1/account/verify", "/v1/account/verify", `{"code":"316-089"}`, 201, 201, true},
		{"GET /v1/account/shards", "/v1/account/shards", "", 200, 200, true},
		{"POST /v1/account/shards", "/v1/account/shards", `{"cc":"62","phone_number":"8111000111","shards":8,"cert":"CgoiCFRva28gRHVh"}`, 201, 403, true},
		{"POST /v1/settings/account/two-step", "/v1/settings/account/two-step", `{"pin":"1"}`, 400, 400, true},
		{"DELETE /v1/settings/account/two-step", "/v1/settings/account/two-step", "", 200, 200, true},
		{"POST /v1/contacts", "/v1/contacts", `{"contacts":["+` + ana + `"]}`, 200, 200, false},
		{"POST /v1/messages", "/v1/messages", text, 201, 201, false},
		{"PUT /v1/messages/{id}", "/v1/messages/" + message, `{"status":"read"}`, 200, 404, false},
		{"POST /v1/media", "/v1/media", "bytes", 201, 201, false},
		{"GET /v1/media/{id}", "/v1/media/" + medium, "", 200, 404, false},
		{"GET /v1/settings/application", "/v1/settings/application", "", 200, 200, true},
		{"PATCH /v1/settings/application", "/v1/settings/application", `{"sent_status":true}`, 200, 200, true},
		{"GET /v1/health", "/v1/health", "", 200, 200, false},
		{"GET /v1/settings/application/media/providers", "/v1/settings/application/media/providers", "", 200, 200, true},
		{"POST /v1/settings/application/media/providers", "/v1/settings/application/media/providers",
			`[{"name":"cdn","type":"www","config":{"bearer":"x"}}]`, 200, 200, true},
		{"DELETE /v1/settings/application/media/providers/{name}", "/v1/settings/application/media/providers/none", "", 404, 404, true},
		{"PUT /v1/services/message/gc", "/v1/services/message/gc", "", 200, 200, false},
		{"PUT /v1/services/media/gc", "/v1/services/media/gc", "", 200, 200, false},
		{"DELETE /v1/media/{id}", "/v1/media/" + medium, "", 200, 404, false},
	}...)
}

// Every route of /v1 with every kind of key, of both numbers, in both headers.
func TestKeysOfTwoNumbers(t *testing.T) {
	e := newEnv(t)
	routes := keyRoutes(e)
	for _, row := range auth.Table(true) {
		if strings.Contains(row.Pattern, " /v1/") && row.Access != auth.Public && !slices.ContainsFunc(routes, func(r keyRoute) bool { return r.pattern == row.Pattern }) {
			t.Errorf("%s has no case", row.Pattern)
		}
	}
	revoked := e.keyOf(e.a, time.Time{}, auth.ScopeAdmin)
	must(t, e.auth.RevokeKey(t.Context(), auth.KeyID(revoked)))
	bad := map[string]sender{
		"expired":          d360(e.keyOf(e.a, e.now(), auth.ScopeAdmin)),
		"revoked":          bearer(revoked),
		"unknown":          d360(auth.NewKey()),
		"a token as a key": d360(e.tokens["admin"]),
		"two numbers":      func(r *http.Request) { d360(e.key)(r); bearer(e.keyOf(e.b, time.Time{}, auth.ScopeAdmin))(r) },
		"a token and a key": func(r *http.Request) {
			d360(e.keyOf(e.a, time.Time{}, auth.ScopeAdmin))(r)
			bearer(e.tokens["admin"])(r)
		},
	}
	for _, route := range routes {
		method, _, _ := strings.Cut(route.pattern, " ")
		answer := func(as string, s sender, want int) *httptest.ResponseRecorder {
			t.Helper()
			w := e.ask(s, method, route.target, route.body)
			if w.Code != want {
				t.Errorf("%s as %s: %d %s, want %d", route.pattern, as, w.Code, w.Body, want)
			}
			return w
		}
		for as, s := range bad {
			if w := answer(as, s, http.StatusUnauthorized); !strings.Contains(w.Body.String(), `"code":1005`) || strings.Contains(w.Body.String(), "kbr_") {
				t.Errorf("%s as %s: %s", route.pattern, as, w.Body)
			}
		}
		public := route.mine == http.StatusUnauthorized // a login says the same to every key
		for _, header := range []func(string) sender{d360, bearer} {
			for as, n := range map[string]*kabar.Number{"the other's administrator": e.b, "the owner": e.a} { // in any order
				want := route.theirs
				if n == e.a {
					want = route.mine
				}
				if route.pattern == "DELETE /v1/media/{id}" && n == e.a {
					continue // below, when the others have tried
				}
				answer(as, header(e.keyOf(n, time.Time{}, auth.ScopeAdmin)), want)
				if route.admin {
					want = http.StatusForbidden
				}
				answer(as+", only messages", header(e.keyOf(n, time.Time{}, auth.ScopeMessages)), want)
			}
			if !public {
				answer("a key of the lab", header(e.keyOf(e.a, time.Time{}, auth.ScopeLab)), http.StatusForbidden)
				answer("a key of the server", header(e.serverKey()), http.StatusForbidden)
			}
		}
	}
	last := routes[len(routes)-1]
	if w := e.ask(d360(e.key), "DELETE", last.target, ""); w.Code != last.mine {
		t.Errorf("the owner's own medium after all that: %d %s", w.Code, w.Body)
	}
	e.settle()
}

func (e *env) serverKey() string {
	e.t.Helper()
	key := auth.NewKey()
	must(e.t, e.auth.AddKey(e.t.Context(), key, auth.Grant{Scopes: auth.AllScopes()}))
	return key
}

// What a key changes and sends is its own number's, seen from both sides.
func TestKeysWriteToTheirNumber(t *testing.T) {
	e := newEnv(t)
	for _, n := range []*kabar.Number{e.a, e.b} {
		key := d360(e.keyOf(n, time.Time{}, auth.ScopeAdmin))
		if w := e.ask(key, "PATCH", "/v1/settings/application", fmt.Sprintf(`{"on_call_pager":"of %s"}`, n.Digits)); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if w := e.ask(key, "POST", "/v1/messages", `{"to":"`+ana+`","type":"text","text":{"body":"hello"}}`); w.Code != 201 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	e.settle()
	for _, n := range []*kabar.Number{e.a, e.b} {
		w := e.ask(bearer(e.keyOf(n, time.Time{}, auth.ScopeAdmin)), "GET", "/v1/settings/application", "")
		if !strings.Contains(w.Body.String(), `"wa_id":"`+n.Digits+`"`) || !strings.Contains(w.Body.String(), `"of `+n.Digits+`"`) {
			t.Errorf("%s sees %s", n.Digits, w.Body)
		}
		events, err := e.db.Events(t.Context(), n.ID, 0, 10)
		if err != nil || len(events) != 1 { // the text failed outside the window: each number has its own
			t.Errorf("%s has %d events, %v", n.Digits, len(events), err)
		}
	}
}

// An expired key stops in the middle of its work, and a key that is revoked between two requests too.
func TestKeyEndsBetweenRequests(t *testing.T) {
	e := newEnv(t)
	expires, revoked := e.keyOf(e.a, e.now().Add(time.Minute), auth.ScopeMessages), e.keyOf(e.a, time.Time{}, auth.ScopeMessages)
	health := func(key string) int { return e.ask(d360(key), "GET", "/v1/health", "").Code }
	for _, key := range []string{expires, revoked} {
		if code := health(key); code != 200 {
			t.Fatal(code)
		}
	}
	must(t, e.auth.RevokeKey(t.Context(), auth.KeyID(revoked)))
	e.advance(time.Minute)
	for _, key := range []string{expires, revoked} {
		if code := health(key); code != 401 {
			t.Errorf("after its end: %d", code)
		}
	}
}
