package auth_test

import (
	"net/http"
	"net/http/httptest"
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
