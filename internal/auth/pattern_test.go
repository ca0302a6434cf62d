package auth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"kabar/internal/auth"
)

// TestThePatternIsKnownOutside: who wraps the mux learns the route of a request, also when slashes were trimmed and when the
// request was refused.
func TestThePatternIsKnownOutside(t *testing.T) {
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	refuse := func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusForbidden) }
	m, err := new(auth.Auth).Mux([]auth.Route{{Pattern: "GET /v1/media/{id}", Access: auth.Public}, {Pattern: "GET /v1/basic", Access: auth.Basic}},
		map[string]http.Handler{"GET /v1/media/{id}": h, "GET /v1/basic": h}, auth.Surface{Prefix: "/v1/", Slashes: true, Refuse: refuse},
		auth.Surface{Prefix: "/", Refuse: refuse})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/v1/media/7": "GET /v1/media/{id}", "/v1/media/7/": "GET /v1/media/{id}", "/v1/basic": "GET /v1/basic", "/v1/x": "/", "/v1//x": ""} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if m.ServeHTTP(httptest.NewRecorder(), r); r.Pattern != want {
			t.Errorf("%s: the pattern is %q, want %q", path, r.Pattern, want)
		}
	}
}

// TestANameMayHoldWhatPathsAreMadeOf: whoever has given a thing such a name must be able to remove it, and no other.
func TestANameMayHoldWhatPathsAreMadeOf(t *testing.T) {
	var got string
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.PathValue("name") })
	refuse := func(http.ResponseWriter, *http.Request, error) { got = "refused" }
	m, err := new(auth.Auth).Mux([]auth.Route{{Pattern: "DELETE /v1/providers/{name}", Access: auth.Public}},
		map[string]http.Handler{"DELETE /v1/providers/{name}": h}, auth.Surface{Prefix: "/v1/", Slashes: true, Refuse: refuse},
		auth.Surface{Prefix: "/", Refuse: refuse})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "..", ".", "a/b", "a//b", "a/", "a/../b", "%2F", "a b"} {
		for _, end := range []string{"", "/", "//"} {
			escaped := strings.ReplaceAll(url.PathEscape(name), ".", "%2E")
			if m.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodDelete, "/v1/providers/"+escaped+end, nil)); got != name {
				t.Errorf("the name %q and %q behind it: reached %q", name, end, got)
			}
		}
	}
}

// TestWhatIsDeniedBeforeTheMux: whoever stands before it answers in the way of the path's surface; slashes alone are no path.
func TestWhatIsDeniedBeforeTheMux(t *testing.T) {
	surface := func(prefix string) auth.Surface {
		return auth.Surface{Prefix: prefix, Slashes: true, Refuse: func(w http.ResponseWriter, _ *http.Request, err error) {
			_, _ = w.Write([]byte(prefix + " " + err.Error()))
		}}
	}
	surfaces := []auth.Surface{surface("/"), surface("/v1/")}
	m, err := new(auth.Auth).Mux(nil, nil, surfaces...)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		h          http.Handler
		path, want string
	}{
		{auth.Denied("why", surfaces...), "/v1/messages", "/v1/ access denied: why"}, {auth.Denied("why", surfaces...), "/x", "/ access denied: why"},
		{m, "/v1//", "/v1/ not found: there is no such endpoint"}, {m, "/v1///", "/v1/ not found: there is no such endpoint"},
	} {
		w := httptest.NewRecorder()
		if c.h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, c.path, nil)); w.Code != http.StatusOK || w.Body.String() != c.want {
			t.Errorf("%s: %d %q, want %q", c.path, w.Code, w.Body, c.want)
		}
	}
}
