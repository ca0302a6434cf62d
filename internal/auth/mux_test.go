package auth

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"kabar"
)

// served is what a stub handler or a surface answered.
type served struct {
	status int
	route  string // pattern of the handler that was reached; empty for a refusal
	who    Who
	reason kabar.Reason
	header http.Header
}

// site is a mux of stub handlers over the whole table.
type site struct {
	handler http.Handler
	last    served
}

func newSite(t testing.TB, a *Auth, table []Route) *site {
	t.Helper()
	s := &site{}
	handlers := map[string]http.Handler{}
	for _, row := range table {
		handlers[row.Pattern] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.last = served{status: 200, route: row.Pattern, who: From(r)}
		})
	}
	refuse := func(w http.ResponseWriter, r *http.Request, err error) {
		s.last = served{status: 400, reason: reasonOf(err), header: w.Header()}
	}
	var err error
	s.handler, err = a.Mux(table, handlers, Surface{Prefix: "/", Refuse: refuse}, Surface{Prefix: "/v1/", Slashes: true, Refuse: refuse})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) do(method, target string, header func(http.Header)) served {
	r := httptest.NewRequest(method, target, nil)
	if header != nil {
		header(r.Header)
	}
	s.last = served{}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if s.last.status == 0 {
		s.last = served{status: w.Code, header: w.Header()}
	}
	return s.last
}

// example returns a request that a pattern fits.
func example(pattern string) (method, target string) {
	method, target, ok := strings.Cut(pattern, " ")
	if !ok {
		method, target = http.MethodGet, method
	}
	return method, strings.NewReplacer("{id}", "some-id", "{username}", "some-name", "{wa_id}", "34600111222", "{$}", "").Replace(target)
}

// client is somebody who calls routes, and what the table lets such a one do.
type client struct {
	name    string
	header  func(http.Header)
	number  *kabar.Number
	valid   bool // the credentials are good ones
	basic   bool
	monitor bool   // the credentials are the monitoring key
	role    string // what the client is to the /v1 API
	scopes  []string
}

func (c client) expect(a Access) (ok bool, why kabar.Reason) {
	switch a {
	case Public:
		return true, ""
	case Basic:
		return c.basic, kabar.ReasonUnauthorized
	}
	if a.level == session { // none of them is a browser that is signed in
		return false, kabar.ReasonUnauthorized
	}
	if a.level == token || a.level == appToken {
		return c.graph(a)
	}
	if c.monitor {
		return a == Monitor, kabar.ReasonUnauthorized
	}
	if !c.valid {
		return false, kabar.ReasonUnauthorized
	}
	switch a {
	case User, Monitor:
		ok = c.role != ""
	case Admin:
		ok = c.role == RoleAdmin
	default:
		for _, s := range c.scopes {
			ok = ok || a == Scope(s)
		}
	}
	return ok, kabar.ReasonDenied
}

// graph is expect for the Graph API: a token is a key with a scope of that API.
func (c client) graph(a Access) (ok bool, why kabar.Reason) {
	h := http.Header{}
	if c.header != nil {
		c.header(h)
	}
	switch {
	case !strings.HasPrefix(h.Get("Authorization"), "Bearer ") && !strings.HasPrefix(h.Get("D360-API-KEY"), keyPrefix):
		return false, kabar.ReasonNoToken
	case !slices.Contains(c.scopes, ScopeManagement):
		return false, kabar.ReasonUnauthorized
	}
	return a != AppToken, kabar.ReasonDenied
}

func clients(t *testing.T, e *env) []client {
	bearer := func(s string) func(http.Header) { return func(h http.Header) { h.Set("Authorization", "Bearer "+s) } }
	d360 := func(s string) func(http.Header) { return func(h http.Header) { h.Set("D360-API-KEY", s) } }
	all := []client{
		{name: "nobody"},
		{name: "basic", header: func(h http.Header) { h.Set("Authorization", "Basic YTpi") }, basic: true},
		{name: "basic without colon", header: func(h http.Header) { h.Set("Authorization", "Basic YWI=") }},
		{name: "junk", header: bearer("junk")},
		{name: "unknown key", header: d360(NewKey())},
		{name: "monitoring key", header: func(h http.Header) { h.Set("Authorization", "Apikey "+monitorKey) }, number: e.a, monitor: true},
		{name: "wrong monitoring key", header: func(h http.Header) { h.Set("Authorization", "Apikey "+monitorKey+"x") }},
		{name: "monitoring key as a token", header: bearer(monitorKey)},
		{name: "operator", header: bearer(e.apiKey(t, nil, AllScopes()...)), valid: true, scopes: AllScopes()},
		{name: "operator without scopes", header: bearer(e.apiKey(t, nil)), valid: true},
	}
	for _, n := range []*kabar.Number{e.a, e.b} {
		admin, user, out := "admin"+n.Digits, "user"+n.Digits, "out"+n.Digits
		e.user(t, n, admin, RoleAdmin, false)
		e.user(t, n, user, RoleUser, false)
		e.user(t, n, out, RoleAdmin, false)
		ended := bearer(e.token(t, out))
		r := httptest.NewRequest("GET", "/", nil)
		ended(r.Header)
		w, err := e.Check(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Logout(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		all = append(all,
			client{name: "administrator", header: bearer(e.token(t, admin)), number: n, valid: true, role: RoleAdmin},
			client{name: "user", header: bearer(e.token(t, user)), number: n, valid: true, role: RoleUser},
			client{name: "logged out", header: ended, number: n},
			client{name: "key", header: d360(e.apiKey(t, n, ScopeMessages)), number: n, valid: true, role: RoleUser, scopes: []string{ScopeMessages}},
			client{name: "admin key", header: bearer(e.apiKey(t, n, ScopeAdmin)), number: n, valid: true, role: RoleAdmin, scopes: []string{ScopeAdmin}},
			client{name: "lab key", header: d360(e.apiKey(t, n, ScopeLab)), number: n, valid: true, scopes: []string{ScopeLab}},
			client{name: "key without scopes", header: d360(e.apiKey(t, n)), number: n, valid: true},
		)
	}
	return all
}

// Every route, every kind of client, two numbers: the table decides, and the handler learns the client's own number.
func TestMatrix(t *testing.T) {
	e := newEnv(t)
	table, all := Table(true), clients(t, e)
	s := newSite(t, e.Auth, table)
	cells := 0
	for _, row := range table {
		method, target := example(row.Pattern)
		for _, c := range all {
			cells++
			name := fmt.Sprintf("%s as %s of %v", row.Pattern, c.name, c.number)
			ok, why := c.expect(row.Access)
			got := s.do(method, target, c.header)
			if ok != (got.route == row.Pattern) || !ok && got.reason != why {
				t.Errorf("%s: got %+v, want allowed=%v %q", name, got, ok, why)
				continue
			}
			if !ok {
				continue
			}
			if want := c.whose(row.Access); got.who.Number != want {
				t.Errorf("%s: the handler sees number %d, want %d", name, got.who.Number, want)
			}
		}
	}
	if cells != len(table)*24 {
		t.Errorf("%d cells", cells)
	}
}

// whose is the number that a handler must see.
func (c client) whose(a Access) kabar.NumberID {
	if a == Public || a == Basic || c.number == nil {
		return 0
	}
	return c.number.ID
}

func TestMuxPaths(t *testing.T) {
	e := newEnv(t)
	s := newSite(t, e.Auth, Table(true))
	key := e.apiKey(t, e.a, ScopeAdmin)
	with := func(h http.Header) { h.Set("D360-API-KEY", key) }
	for _, tt := range []struct{ method, target, route, allow string }{
		{"POST", "/v1/messages", "POST /v1/messages", ""},
		{"POST", "/v1/messages/", "POST /v1/messages", ""},
		{"POST", "/v1/messages//", "POST /v1/messages", ""},
		{"PUT", "/v1/messages/abc/", "PUT /v1/messages/{id}", ""},
		{"GET", "/v1/media/a%2Fb", "GET /v1/media/{id}", ""},
		{"GET", "/v1/media/a%2F%2Fb", "GET /v1/media/{id}", ""},
		{"GET", "/v1/media/a%2F/", "GET /v1/media/{id}", ""},
		{"GET", "/v1/media/%2E%2E", "GET /v1/media/{id}", ""},
		{"GET", "/v1/%2E%2E/media/x", "", ""},
		{"GET", "/v1/media/../x", "", ""},
		{"HEAD", "/v1/media/x", "GET /v1/media/{id}", ""},
		{"GET", "/assets/a.css", "GET /assets/", ""},
		{"GET", "/", "GET /{$}", ""},
		{"POST", "/logout", "POST /logout", ""},
		{"POST", "/login", "", "GET"},
		{"GET", "/v1/messages", "", "POST"},
		{"PUT", "/v1/settings/application/", "", "DELETE, GET, PATCH"},
		{"OPTIONS", "/v1/media/x", "", "DELETE, GET"},
		{"POST", "/v1//messages", "", ""},
		{"POST", "/v1/x/../messages", "", ""},
		{"POST", "//v1/messages", "", ""},
		{"POST", "/V1/messages", "", ""},
		{"POST", "/v1/./messages", "", ""},
		{"GET", "/v1", "", ""},
		{"GET", "/v1/", "", ""},
		{"GET", "/v1/unknown", "", ""},
		{"GET", "/livez/", "", ""},
		{"GET", "/nowhere", "", ""},
	} {
		got := s.do(tt.method, tt.target, with)
		switch {
		case got.route != tt.route:
			t.Errorf("%s %s: reached %q, want %q", tt.method, tt.target, got.route, tt.route)
		case tt.route == "" && got.reason != kabar.ReasonNotFound:
			t.Errorf("%s %s: %+v", tt.method, tt.target, got)
		case tt.route == "" && got.header.Get("Allow") != tt.allow:
			t.Errorf("%s %s: Allow %q, want %q", tt.method, tt.target, got.header.Get("Allow"), tt.allow)
		}
	}
}

// What a query has that no store looks for is the caller's fault, on either database.
func TestMuxRefusesOddQueries(t *testing.T) {
	e := newEnv(t)
	s := newSite(t, e.Auth, Table(true))
	key := e.apiKey(t, e.a, ScopeAdmin)
	for query, odd := range map[string]bool{"a=b": false, "a=%C3%A9": false, "a=%": false, "a=%00": true, "a=%ff": true, "%ff=a": true, "a=\xff": true, "a=%ed%a0%80": true} {
		got := s.do("GET", "/v1/media/x?"+query, func(h http.Header) { h.Set("D360-API-KEY", key) })
		if reached := got.route != ""; reached == odd || odd && got.reason != kabar.ReasonInvalid {
			t.Errorf("%s: %+v", query, got)
		}
	}
}

func TestMuxRefusesGaps(t *testing.T) {
	a := newEnv(t).Auth
	h := http.NotFoundHandler()
	surface := Surface{Prefix: "/", Refuse: func(http.ResponseWriter, *http.Request, error) {}}
	table := []Route{{"GET /a", Public}, {"GET /b", User}}
	both := map[string]http.Handler{"GET /a": h, "GET /b": h}
	for name, tt := range map[string]struct {
		table    []Route
		handlers map[string]http.Handler
		surfaces []Surface
		want     string
	}{
		"complete":         {table, both, []Surface{surface}, ""},
		"no handler":       {table, map[string]http.Handler{"GET /a": h}, []Surface{surface}, `"GET /b"`},
		"no row":           {table[:1], both, []Surface{surface}, `"GET /b"`},
		"twice":            {append(table, table[0]), both, []Surface{surface}, `"GET /a"`},
		"no access":        {[]Route{{"GET /a", Access{}}}, map[string]http.Handler{"GET /a": h}, []Surface{surface}, `"GET /a"`},
		"no surface":       {table, both, nil, "surface"},
		"surface of parts": {table, both, []Surface{{Prefix: "/a"}}, "surface"},
	} {
		_, err := a.Mux(tt.table, tt.handlers, tt.surfaces...)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range Table(true) {
		if seen[row.Pattern] {
			t.Errorf("%s stands twice", row.Pattern)
		}
		seen[row.Pattern] = true
		if cmp.Or(row.Access.String(), "nobody") == "nobody" {
			t.Errorf("%s is for nobody", row.Pattern)
		}
		describes := strings.HasSuffix(row.Pattern, "/openapi.json") || strings.HasSuffix(row.Pattern, "/docs")
		if row.Access == Public && strings.Contains(row.Pattern, "/v1/") && !describes {
			t.Errorf("%s is public", row.Pattern)
		}
	}
	for _, row := range Table(false) {
		if strings.Contains(row.Pattern, "/lab/") {
			t.Errorf("%s is served outside the lab", row.Pattern)
		}
	}
}
