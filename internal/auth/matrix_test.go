package auth

import (
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"kabar"
)

// TestRoutesByRole holds every route and everybody who may ask against testdata/matrix.tsv, which people read and write: a route
// without a row there fails, and so does a row without a route. A cell says how somebody gets in: + in any way; of a role, a by
// a key of an account, n by a key of a number, s by a session of the console; - not at all. Everybody is there twice, for two
// accounts, and a handler must see that one's own.
func TestRoutesByRole(t *testing.T) {
	text, err := os.ReadFile("testdata/matrix.tsv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	wanted := map[string]string{}
	for _, line := range lines[1:] {
		route, cells, _ := strings.Cut(line, "\t")
		if _, twice := wanted[route]; twice {
			t.Errorf("testdata/matrix.tsv has two rows of %s", route)
		}
		wanted[route] = cells
	}
	m := newRoleMatrix(t)
	if head := "route\t" + strings.Join(m.columns(), "\t"); lines[0] != head {
		t.Fatalf("testdata/matrix.tsv must begin with\n%s", head)
	}
	cells := 0
	for _, row := range Table(true) {
		got := strings.Join(m.row(t, row), "\t")
		if want, has := wanted[row.Pattern]; !has || got != want {
			t.Errorf("a row differs, or is missing. If that is meant:\n%s\t%s\ntestdata/matrix.tsv has\n%s\t%s", row.Pattern, got, row.Pattern, want)
		}
		delete(wanted, row.Pattern)
		cells += len(m.all)
	}
	for route := range wanted {
		t.Errorf("testdata/matrix.tsv has %s, which is no route", route)
	}
	if cells < 2000 {
		t.Errorf("only %d cells", cells)
	}
}

// asker is somebody with one way of asking.
type asker struct {
	column, way string
	account     kabar.AccountID // that a handler has to see; 0: none
	header      http.Header
}

type roleMatrix struct {
	e       *env
	all     []asker
	handler http.Handler
	reached *Who
}

func newRoleMatrix(t *testing.T) *roleMatrix {
	e := newEnv(t)
	m := &roleMatrix{e: e}
	add := func(column, way string, account kabar.AccountID, name, value string) {
		h := http.Header{}
		if name != "" {
			h.Set(name, value)
		}
		m.all = append(m.all, asker{column, way, account, h})
	}
	const authorization = "Authorization"
	add("nobody", "+", 0, "", "")
	add("nobody", "+", 0, "D360-API-KEY", NewKey())
	add("password", "+", 0, authorization, "Basic YTpi")
	add("app", "+", 0, authorization, "Bearer "+e.AppID()+"|"+e.app.Secret)
	add("monitor", "+", e.a.Account, authorization, "Apikey "+monitorKey)
	for _, n := range []*kabar.Number{e.a, e.b} {
		e.user(t, n, "user"+n.Digits, RoleUser, false)
		e.user(t, n, "admin"+n.Digits, RoleAdmin, false)
		add("ROLE_USER", "+", n.Account, authorization, "Bearer "+e.token(t, "user"+n.Digits))
		add("ROLE_ADMIN", "+", n.Account, authorization, "Bearer "+e.token(t, "admin"+n.Digits))
		for _, r := range Roles() {
			add(r.Name, "a", n.Account, authorization, "Bearer "+e.grant(t, Grant{Account: n.Account, Role: r.Name}))
			add(r.Name, "n", n.Account, authorization, "Bearer "+e.grant(t, Grant{Account: n.Account, Number: n.ID, Role: r.Name}))
			add(r.Name, "s", n.Account, "Session", n.Digits+" "+r.Name)
		}
	}
	m.handler = m.mux(t)
	return m
}

// mux is the whole table with handlers that say who has reached them.
func (m *roleMatrix) mux(t *testing.T) http.Handler {
	handlers := map[string]http.Handler{}
	for _, row := range Table(true) {
		handlers[row.Pattern] = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			w := From(r)
			m.reached = &w
		})
	}
	refuse := func(http.ResponseWriter, *http.Request, error) {}
	h, err := m.e.Mux(Table(true), handlers, Surface{Prefix: "/", Refuse: refuse},
		Surface{Prefix: "/graph/", Refuse: refuse}, Surface{Prefix: "/console/", Refuse: refuse, Session: m.session})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (m *roleMatrix) session(r *http.Request) (Who, bool) {
	digits, role, ok := strings.Cut(r.Header.Get("Session"), " ")
	w := Who{Account: m.e.a.Account, Team: role, Scopes: scopesOf(role, nil)}
	if digits == m.e.b.Digits {
		w.Account = m.e.b.Account
	}
	return w, ok
}

func (m *roleMatrix) columns() (names []string) {
	for _, a := range m.all {
		if !slices.Contains(names, a.column) {
			names = append(names, a.column)
		}
	}
	return names
}

// row asks everybody, and returns the cells.
func (m *roleMatrix) row(t *testing.T, route Route) []string {
	method, path, _ := strings.Cut(route.Pattern, " ")
	path = strings.NewReplacer("{$}", "", "{", "", "}", "").Replace(path)
	ways := map[string]string{}
	tried := map[string]bool{}
	for _, a := range m.all {
		m.reached = nil
		r := httptest.NewRequest(method, path, nil)
		r.Header = a.header.Clone()
		m.handler.ServeHTTP(httptest.NewRecorder(), r)
		if m.reached != nil && a.account != 0 && route.Access != Public && m.reached.Account != a.account {
			t.Errorf("%s: %s of account %d is taken for one of %d", route.Pattern, a.column, a.account, m.reached.Account)
		}
		in := m.reached != nil
		if cell := a.column + a.way; !tried[cell] && in {
			ways[a.column] += a.way
		} else if tried[cell] && in != strings.Contains(ways[a.column], a.way) {
			t.Errorf("%s: %s gets in with one account's and not with the other's", route.Pattern, a.column)
		}
		tried[a.column+a.way] = true
	}
	var cells []string
	for _, c := range m.columns() {
		cell := ways[c]
		if cell == "" {
			cell = "-"
		}
		cells = append(cells, cell)
	}
	return cells
}
