package web

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestHSTS(t *testing.T) {
	const year = "max-age=31536000"
	for _, test := range []struct {
		host         string
		tls, trusted bool
		want         string
	}{
		{"api.shop.example", true, true, year},
		{"api.shop.example:8443", true, true, year},
		{"API.Shop.Example.", true, true, year},
		{"intranet", true, true, year},
		{"api.shop.example", true, false, ""},
		{"api.shop.example", false, true, ""},
		{"localhost", true, true, ""},
		{"LOCALHOST.:9090", true, true, ""},
		{"kabar.localhost", true, true, ""},
		{"192.0.2.7", true, true, ""},
		{"192.0.2.7:9090", true, true, ""},
		{"[::1]:9090", true, true, ""},
		{"[2001:db8::1]", true, true, ""},
		{"", true, true, ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host, r.TLS = test.host, nil
		r.Header.Set("X-Forwarded-Proto", "https")
		if test.tls {
			r.TLS = &tls.ConnectionState{}
		}
		w := httptest.NewRecorder()
		HSTS(func() bool { return test.trusted }, http.NotFoundHandler()).ServeHTTP(w, r)
		if got := w.Header().Get("Strict-Transport-Security"); got != test.want || w.Code != http.StatusNotFound {
			t.Errorf("%+v: %q, status %d", test, got, w.Code)
		}
	}
}
