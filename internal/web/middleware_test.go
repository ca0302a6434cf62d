package web

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
)

func TestRecover(t *testing.T) {
	var logged bytes.Buffer
	log := slog.New(slog.NewTextHandler(&logged, nil))
	h := Recover(log, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5")
		w.Header().Set("Content-Type", "image/png")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.URL.Path == "/id" {
			w.Header().Set(RequestIDHeader, "chosen")
		}
		panic("CAUSE")
	}))
	for path, id := range map[string]string{"/id": "chosen", "/": ""} {
		logged.Reset()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		got := w.Header().Get(RequestIDHeader)
		if id != "" && got != id || len(got) < 6 {
			t.Errorf("%s: id %q, want %q", path, got, id)
		}
		if w.Code != 500 || strings.Contains(w.Body.String(), "CAUSE") || !strings.Contains(w.Body.String(), got) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if w.Header().Get("Content-Length") != "" || w.Header().Get("Content-Type") != "application/json" ||
			w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", path, w.Header())
		}
		for _, want := range []string{"CAUSE", got, "middleware_test.go"} {
			if !strings.Contains(logged.String(), want) {
				t.Errorf("%s: the log lacks %q:\n%s", path, want, &logged)
			}
		}
	}
}

// Whatever part of an answer has gone out, the client never sees a fault as the end of a complete answer.
func TestRecoverAfterTheAnswerHasBegun(t *testing.T) {
	begin := map[string]func(w http.ResponseWriter){
		"status": func(w http.ResponseWriter) { w.WriteHeader(200) },
		"body":   func(w http.ResponseWriter) { fmt.Fprint(w, "half of i") },
		"flush":  func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
		"abort":  func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	}
	for name, f := range begin {
		synctest.Test(t, func(t *testing.T) {
			dial := serve(t, Recover(quiet(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				f(w)
				panic("CAUSE")
			})))
			c := dial()
			defer c.Close()
			fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			got, _ := io.ReadAll(c)
			if strings.HasSuffix(string(got), "0\r\n\r\n") || strings.Contains(string(got), "internal error") {
				t.Errorf("%s: the client got %q", name, got)
			}
		})
	}
}

func TestRecoverLetsEarlyHintsPass(t *testing.T) {
	w := httptest.NewRecorder()
	bw := &begunWriter{ResponseWriter: w}
	bw.WriteHeader(http.StatusEarlyHints)
	if bw.begun {
		t.Error("a 103 is not yet the answer")
	}
	if bw.Unwrap() != http.ResponseWriter(w) {
		t.Error("Unwrap")
	}
}

func TestCheckHost(t *testing.T) {
	h := CheckHost(AllowHosts("Kabar.Example"), nil, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for host, want := range map[string]int{
		"localhost": 200, "localhost:9090": 200, "LOCALHOST.:9090": 200, "127.0.0.1": 200, "127.0.0.1:9090": 200,
		"[::1]:9090": 200, "[::1]": 200, "192.168.1.7:80": 200, "kabar.example": 200, "KABAR.example.:443": 200,
		"evil.example": 403, "evil.example:9090": 403, "localhost.evil.example": 403, "127.0.0.1.nip.io": 403, "": 403,
		"kabar.example.evil": 403, "xkabar.example": 403, "2130706433": 403, "[::1": 403, "a:b:c": 403, ":9090": 403,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d, want %d", host, w.Code, want)
		}
	}
}

func TestSameOrigin(t *testing.T) {
	h := SameOrigin(nil, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	tests := []struct {
		method, origin, site string
		want                 int
	}{
		{"POST", "", "", 200}, // a program, not a page
		{"DELETE", "", "", 200},
		{"POST", "http://kabar.example", "", 200},
		{"POST", "http://kabar.example", "same-origin", 200},
		{"POST", "", "none", 200},
		{"GET", "http://evil.example", "cross-site", 200},
		{"OPTIONS", "http://evil.example", "cross-site", 200},
		{"POST", "http://evil.example", "", 403},
		{"POST", "http://kabar.example:81", "", 403},
		{"POST", "null", "", 403},
		{"POST", "", "cross-site", 403},
		{"POST", "http://kabar.example", "same-site", 403},
		{"PUT", "", "same-site", 403},
		{"PATCH", "http://evil.example", "cross-site", 403},
		{"DELETE", "http://evil.example", "", 403},
	}
	for _, test := range tests {
		r := httptest.NewRequest(test.method, "http://kabar.example/x", nil)
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		if test.site != "" {
			r.Header.Set("Sec-Fetch-Site", test.site)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != test.want {
			t.Errorf("%s, Origin %q, Sec-Fetch-Site %q: %d, want %d", test.method, test.origin, test.site, w.Code, test.want)
		}
	}
}

func TestPageHeaders(t *testing.T) {
	w := httptest.NewRecorder()
	PageHeaders(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	csp := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'",
		"base-uri 'none'", "form-action 'self'", "connect-src 'self'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy lacks %q: %s", want, csp)
		}
	}
	if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
		t.Errorf("the policy is too wide: %s", csp)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		"X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
