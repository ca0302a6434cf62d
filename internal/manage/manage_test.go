package manage_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/manage"
)

type clock struct {
	now time.Time
	err error
}

func (c *clock) Now() time.Time { return c.now }

func (c *clock) Advance(d time.Duration) error {
	if c.err == nil {
		c.now = c.now.Add(d)
	}
	return c.err
}

func call(t *testing.T, h map[string]http.Handler, pattern, body string) (int, map[string]any, http.Header) {
	t.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	r, w := httptest.NewRequest(method, path, strings.NewReader(body)), httptest.NewRecorder()
	h[pattern].ServeHTTP(w, r)
	var v map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%s: %v in %q", pattern, err, w.Body)
	}
	return w.Code, v, w.Header()
}

func TestTheClockGoesForwardOnly(t *testing.T) {
	start := time.Date(2031, 5, 2, 10, 0, 0, 0, time.UTC)
	c := &clock{now: start}
	h := manage.New(manage.Options{Clock: c}).Handlers()
	status, v, _ := call(t, h, "POST /kabar/v1/lab/clock", `{"advance":"24h"}`)
	if status != 200 || v["now"] != "2031-05-03T10:00:00Z" {
		t.Errorf("%d %v", status, v)
	}
	for _, bad := range []string{``, `{}`, `{"advance":""}`, `{"advance":"-1h"}`, `{"advance":"0s"}`, `{"advance":24}`, `{"advance":"9000h"}`,
		`{"advance":"1h","x":1}`, `{"advance":"1h","advance":"2h"}`} {
		status, v, header := call(t, h, "POST /kabar/v1/lab/clock", bad)
		if status != 400 || v["detail"] == "" || header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %v %s", bad, status, v, header.Get("Content-Type"))
		}
	}
	if want := start.Add(24 * time.Hour); !c.now.Equal(want) {
		t.Errorf("the clock shows %s, want %s", c.now, want)
	}
	c.err = errors.New("disk full")
	if status, _, _ := call(t, h, "POST /kabar/v1/lab/clock", `{"advance":"1h"}`); status != 500 {
		t.Errorf("a clock that cannot be stored: %d", status)
	}
}

func TestReadySaysWhatIsWrong(t *testing.T) {
	var fault error
	h := manage.New(manage.Options{Checks: []manage.Check{
		{Name: "store", Run: func(context.Context) error { return nil }},
		{Name: "network", Run: func(context.Context) error { return fault }},
	}}).Handlers()
	if status, v, _ := call(t, h, "GET /readyz", ""); status != 200 || v["ready"] != true {
		t.Errorf("%d %v", status, v)
	}
	fault = errors.New("not connected for two minutes")
	status, v, header := call(t, h, "GET /readyz", "")
	checks, _ := v["checks"].(map[string]any)
	if status != 503 || checks["network"] != fault.Error() || checks["store"] != "ok" || header.Get("Retry-After") == "" {
		t.Errorf("%d %v", status, v)
	}
	if status, _, _ := call(t, h, "GET /livez", ""); status != 200 {
		t.Errorf("livez %d", status)
	}
	if _, lab := h["POST /kabar/v1/lab/clock"]; lab {
		t.Error("a server without a clock to shift has a lab")
	}
}

func TestRefusals(t *testing.T) {
	a := manage.New(manage.Options{})
	for reason, want := range map[kabar.Reason]int{kabar.ReasonUnauthorized: 401, kabar.ReasonDenied: 403, kabar.ReasonNotFound: 404, kabar.ReasonNotReady: 503} {
		w := httptest.NewRecorder()
		a.Refuse(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody), kabar.Refuse(reason, "", "because"))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", reason, w.Code, want)
		}
	}
	w := httptest.NewRecorder()
	a.Refuse(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody), errors.New("secret inside"))
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("an internal error: %d %s", w.Code, w.Body)
	}

	gone, leave := context.WithCancel(t.Context())
	leave()
	w = httptest.NewRecorder()
	a.Refuse(w, httptest.NewRequestWithContext(gone, http.MethodGet, "/", http.NoBody), context.Canceled)
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("who has gone is answered %d, and not as somebody whose request has broken the server", w.Code)
	}
}
