package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kabar"
)

// Surface is a part of the server that says no in its own way.
type Surface struct {
	Prefix  string // of paths, such as "/v1/"; the longest that fits a request counts
	Slashes bool   // a trailing slash is ignored
	// Enter, when it is set, finds the requests of a surface whose paths have no prefix of their own: it returns the request with
	// the path below Prefix that is to be routed, or nil for a request of another surface. Nothing else comes below Prefix.
	Enter func(r *http.Request) *http.Request
	// Session says who is signed in with the browser that makes the request; nil for a surface whose routes ask for no session.
	// Such a route takes nothing else: no token, no key.
	Session func(r *http.Request) (Who, bool)
	// Refuse answers a request that does not reach its handler; the error is a *kabar.Error in all but internal faults.
	// ReasonNotFound stands for an unknown path and for a wrong method, which has Allow set in the answer's header.
	Refuse func(w http.ResponseWriter, r *http.Request, err error)
}

// Mux makes the server's handler from the table and the handlers by pattern. It fails when a handler has no row or a row no
// handler, and when a surface is missing for a path. Every request that reaches a handler is allowed to by its row, and
// From says who made it.
func (a *Auth) Mux(table []Route, handlers map[string]http.Handler, surfaces ...Surface) (http.Handler, error) {
	m := &mux{auth: a, routes: http.NewServeMux(), surfaces: longestFirst(surfaces)}
	if len(m.surfaces) == 0 || m.surfaces[len(m.surfaces)-1].Prefix != "/" {
		return nil, errors.New("mux: one surface must have the prefix \"/\"")
	}
	rows := map[string]bool{}
	for _, row := range table {
		h := handlers[row.Pattern]
		switch {
		case h == nil:
			return nil, fmt.Errorf("mux: the route %q of the authorisation table has no handler", row.Pattern)
		case row.Access.level == 0:
			return nil, fmt.Errorf("mux: the route %q says nothing about access", row.Pattern)
		case rows[row.Pattern]:
			return nil, fmt.Errorf("mux: the route %q stands twice in the authorisation table", row.Pattern)
		}
		rows[row.Pattern] = true
		if action, ok := audited(row.Pattern); ok && a.db != nil { // the zero Auth, with which pages are tested, has no log
			h = m.record(action, row.Access, h)
		}
		m.routes.Handle(row.Pattern, m.guard(row.Access, h))
	}
	for pattern := range handlers {
		if !rows[pattern] {
			return nil, fmt.Errorf("mux: the handler of %q has no row in the authorisation table", pattern)
		}
	}
	m.routes.HandleFunc("/", m.unknown)
	return m, nil
}

// Denied returns a handler that refuses every request with ReasonDenied, as the surface of its path does: for whoever stands before
// the mux and lets pass or not.
func Denied(why string, surfaces ...Surface) http.Handler {
	m := &mux{surfaces: longestFirst(surfaces)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, s := m.enter(r)
		s.Refuse(w, r, kabar.Refuse(kabar.ReasonDenied, "", "%s", why))
	})
}

func longestFirst(surfaces []Surface) []Surface {
	return slices.SortedFunc(slices.Values(surfaces), func(a, b Surface) int { return len(b.Prefix) - len(a.Prefix) })
}

type mux struct {
	auth     *Auth
	routes   *http.ServeMux
	surfaces []Surface // longest prefix first
}

// ServeHTTP finds the handler. A path that is not in its shortest form is unknown: no two spellings of a path are the same.
func (m *mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	given := r
	r, s := m.enter(r)
	if s.Enter != nil && r == given {
		s.Refuse(w, r, notFound("there is no such endpoint"))
		return
	}
	if name, odd := oddQuery(r.URL.RawQuery); odd {
		s.Refuse(w, r, kabar.Refuse(kabar.ReasonInvalid, name, "has a NUL or is not in UTF-8"))
		return
	}
	p := r.URL.EscapedPath() // what is escaped is part of a name: "a%2F%2Fb" is one, and so is "%2E%2E"
	if s.Slashes && strings.HasSuffix(p, "/") && len(p) > len(s.Prefix) {
		r = trimmed(r)
		if p = r.URL.EscapedPath(); len(p) < len(s.Prefix) { // it was nothing but slashes
			s.Refuse(w, r, notFound("there is no such endpoint"))
			return
		}
	}
	if clean := path.Clean("/" + p); p != clean && p != clean+"/" {
		s.Refuse(w, r, notFound("there is no such endpoint"))
		return
	}
	m.routes.ServeHTTP(w, r)
	given.Pattern = r.Pattern // for who counts requests by their route
}

// oddQuery returns a parameter of a query with characters that no store looks for.
func oddQuery(query string) (name string, odd bool) {
	if !strings.Contains(query, "%") && utf8.ValidString(query) {
		return "", false
	}
	values, _ := url.ParseQuery(query) // what cannot be read is nobody's parameter
	for name, all := range values {
		for _, text := range append(all, name) {
			if strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
				return strings.Map(visible, strings.ToValidUTF8(name, "?")), true
			}
		}
	}
	return "", false
}

func visible(r rune) rune {
	if unicode.IsControl(r) {
		return '?'
	}
	return r
}

// enter returns the request as it is routed, and its surface.
func (m *mux) enter(r *http.Request) (*http.Request, *Surface) {
	for i := range m.surfaces {
		if s := &m.surfaces[i]; s.Enter != nil {
			if inside := s.Enter(r); inside != nil {
				return inside, s
			}
		}
	}
	return r, m.surface(r)
}

// trimmed returns the request without the slashes at the end of its path; an escaped one is part of a name, and stays.
func trimmed(r *http.Request) *http.Request {
	u, t := *r.URL, *r
	p := u.EscapedPath()
	short := strings.TrimRight(p, "/")
	u.Path, u.RawPath = u.Path[:len(u.Path)-(len(p)-len(short))], short
	t.URL = &u
	return &t
}

func (m *mux) surface(r *http.Request) *Surface {
	i := slices.IndexFunc(m.surfaces, func(s Surface) bool { return strings.HasPrefix(r.URL.Path+"/", s.Prefix) })
	return &m.surfaces[max(i, 0)]
}

// guard lets through who may.
func (m *mux) guard(access Access, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := m.admit(r, access)
		if err != nil {
			m.surface(r).Refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, withWho(r, who))
	})
}

// admit says who makes the request, if that one may. Sessions are the surface's, everything else is the Auth's.
func (m *mux) admit(r *http.Request, access Access) (Who, error) {
	if access.level != session {
		return m.auth.admit(r, access)
	}
	s := m.surface(r)
	if s.Session == nil {
		return Who{}, errUnauthorized()
	}
	w, ok := s.Session(r)
	switch {
	case !ok:
		return Who{}, errUnauthorized()
	case !w.May(access.scope):
		return Who{}, kabar.Refuse(kabar.ReasonDenied, "", "this needs the access %q", access.String())
	}
	return w, nil
}

// unknown answers what no row fits. A path that has rows for other methods names them in Allow.
func (m *mux) unknown(w http.ResponseWriter, r *http.Request) {
	err := notFound("there is no such endpoint")
	if allowed := strings.Join(m.methods(r), ", "); allowed != "" {
		w.Header().Set("Allow", allowed)
		err = notFound("this endpoint has no method " + r.Method + ", only " + allowed)
	}
	m.surface(r).Refuse(w, r, err)
}

func notFound(detail string) error { return &kabar.Error{Reason: kabar.ReasonNotFound, Detail: detail} }

func (m *mux) methods(r *http.Request) (allowed []string) {
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodPatch, http.MethodPost, http.MethodPut} {
		try := *r
		try.Method = method
		if _, pattern := m.routes.Handler(&try); pattern != "/" && pattern != "" {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

// admit says who makes the request, if that one may.
func (a *Auth) admit(r *http.Request, access Access) (Who, error) {
	switch access.level {
	case public:
		return Who{}, nil
	case basic:
		return Who{}, checkBasic(r)
	case token, appToken:
		return a.graph(r, access)
	case watcher:
		if w, ok, err := a.monitored(r); ok {
			return w, err
		}
	default: // the others need to know who it is
	}
	w, err := a.Check(r)
	if err == nil && !w.permitted(access) {
		err = kabar.Refuse(kabar.ReasonDenied, "", "this needs the access %q", access.String())
	}
	if err != nil {
		return Who{}, err
	}
	return w, nil
}

func (w Who) permitted(access Access) bool {
	switch access.level {
	case user, watcher:
		return w.Number != 0 && (w.Role == RoleUser || w.Role == RoleAdmin)
	case admin:
		return w.Number != 0 && w.Role == RoleAdmin
	case scope:
		return w.May(access.scope)
	default: // no credentials were asked for, so none allow anything
		return false
	}
}

// Check says who makes a request by its token or its key: "Authorization: Bearer" with either, or "D360-API-KEY" with a
// key. A request that brings two different ones is refused: which of them counts would be a guess. Anything else is
// ReasonUnauthorized. What that one may do is in the authorisation table; Mux asks both.
func (a *Auth) Check(r *http.Request) (Who, error) {
	switch all := credentials(r); {
	case len(all) > 1:
		return Who{}, errDiffer()
	case len(all) == 0 || all[0].kind != "bearer" || all[0].secret == "":
		return Who{}, errUnauthorized()
	case strings.HasPrefix(all[0].secret, keyPrefix):
		return a.key(r.Context(), all[0].secret)
	default:
		return a.session(r.Context(), all[0].secret)
	}
}

// checkBasic looks whether a login brings a name and a password and nothing else. Whether they are right is for Login.
func checkBasic(r *http.Request) error {
	_, _, ok := r.BasicAuth()
	switch all := credentials(r); {
	case len(all) > 1:
		return errDiffer()
	case len(all) == 1 && all[0].kind == "bearer" && strings.HasPrefix(all[0].secret, keyPrefix):
		return unauthorized("Invalid credentials: a login takes a name and a password. An API key needs no login, it goes with every request.")
	case !ok:
		return errUnauthorized()
	}
	return nil
}

// credential is what a header offers: the kind in lower case, "bearer" or "basic" say.
type credential struct{ kind, secret string }

// credentials returns what a request offers, the same thing once.
func credentials(r *http.Request) []credential {
	var all []credential
	offer := func(c credential) {
		if !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	for _, v := range r.Header.Values("Authorization") {
		if kind, secret, _ := strings.Cut(v, " "); kind != "" {
			offer(credential{strings.ToLower(kind), strings.TrimSpace(secret)})
		}
	}
	for _, v := range r.Header["D360-Api-Key"] {
		switch {
		case strings.HasPrefix(v, keyPrefix):
			offer(credential{"bearer", v})
		case v != "":
			offer(credential{"d360-api-key", v}) // a token is for Authorization: it is refused
		}
	}
	return all
}
