package auth

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"kabar"
)

// A page takes sessions of its own surface with the scope, and no key, however many scopes that has.
func TestPagesTakeSessions(t *testing.T) {
	e := newEnv(t)
	var reached *Who
	var refused kabar.Reason
	page := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		who := From(r)
		reached = &who
	})
	refuse := func(_ http.ResponseWriter, _ *http.Request, err error) { refused = reasonOf(err) }
	signedIn := func(r *http.Request) (Who, bool) {
		return Who{Account: 7, Scopes: []string{r.Header.Get("Scope")}}, r.Header.Get("Scope") != ""
	}
	h, err := e.Mux([]Route{{"GET /console/a", Session(ScopeRead)}, {"GET /other", Session(ScopeRead)}},
		map[string]http.Handler{"GET /console/a": page, "GET /other": page},
		Surface{Prefix: "/", Refuse: refuse}, Surface{Prefix: "/console/", Refuse: refuse, Session: signedIn})
	if err != nil {
		t.Fatal(err)
	}
	key := e.apiKey(t, nil, AllScopes()...)
	for _, tt := range []struct {
		path, scope string
		ok          bool
		why         kabar.Reason
	}{
		{"/console/a", ScopeRead, true, ""},
		{"/console/a", ScopeReview, false, kabar.ReasonDenied},
		{"/console/a", "", false, kabar.ReasonUnauthorized},
		{"/other", ScopeRead, false, kabar.ReasonUnauthorized}, // a surface without sessions
	} {
		reached, refused = nil, ""
		r := httptest.NewRequest(http.MethodGet, tt.path, nil)
		r.Header.Set("Scope", tt.scope)
		r.Header.Set("Authorization", "Bearer "+key)
		h.ServeHTTP(httptest.NewRecorder(), r)
		if (reached != nil) != tt.ok || refused != tt.why {
			t.Errorf("%s with %q: reached %v, refused %q", tt.path, tt.scope, reached, refused)
		}
		if tt.ok && reached != nil && reached.Account != 7 {
			t.Errorf("the handler sees %+v", *reached)
		}
	}
}
