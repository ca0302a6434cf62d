package phoneui

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"kabar/internal/phone"
	"kabar/internal/ui/uitest"
)

const gateToken = "a-token-of-sixteen-bytes-or-more"

// gated is the handler of kabar phone --token-file around a phone without a relay.
func gated(t *testing.T) http.Handler {
	t.Helper()
	p, err := phone.Open(t.Context(), phone.Options{Path: filepath.Join(t.TempDir(), "phone.db"), RelayURL: "ws://127.0.0.1:1", Businesses: []string{"628111000200"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	h, err := Handler(p, New(p, Options{}), gateToken, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func asks(h http.Handler, method, path, body string, change ...func(*http.Request)) *http.Response {
	r := httptest.NewRequest(method, "http://192.0.2.7:9091"+path, strings.NewReader(body))
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func with(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func signIn(h http.Handler, token string) *http.Response {
	return asks(h, "POST", "/signin", url.Values{"token": {token}}.Encode(), with("Content-Type", "application/x-www-form-urlencoded"),
		with("Origin", "http://192.0.2.7:9091"))
}

// Without the token nothing but the sign-in page is to be had, whatever the path.
func TestGateIsShut(t *testing.T) {
	h := gated(t)
	for _, path := range []string{"/", "/c/34600111222", "/stream", "/nothing", "/?token=" + gateToken, "/api/customers", "/api/customers?token=" + gateToken, "//api/customers", "/signin"} {
		for name, change := range map[string]func(*http.Request){
			"nothing": func(*http.Request) {}, "a wrong token": with("Authorization", "Bearer "+gateToken+"x"), "an empty one": with("Authorization", "Bearer "),
			"the token as a password": with("Authorization", "Basic "+gateToken), "a cookie": with("Cookie", gateCookie+"="+gateToken), "an old cookie": with("Cookie", gateCookie+"=AAAA"),
		} {
			res := asks(h, "GET", path, "", change)
			if res.StatusCode != http.StatusUnauthorized || len(res.Cookies()) > 0 {
				t.Errorf("GET %s with %s: %d", path, name, res.StatusCode)
			}
		}
	}
	if res := asks(h, "POST", "/api/customers", `{"name":"Eve"}`); res.StatusCode != http.StatusUnauthorized || res.Header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("a call without token: %d %v", res.StatusCode, res.Header)
	}
	if res := signIn(h, "wrong"); res.StatusCode != http.StatusForbidden || len(res.Cookies()) > 0 {
		t.Errorf("a wrong token in the form: %d", res.StatusCode)
	}
	if res := signIn(h, strings.Repeat("x", gateBody+1)); res.StatusCode != http.StatusForbidden {
		t.Errorf("an endless token in the form: %d", res.StatusCode)
	}
}

func TestGateOpens(t *testing.T) {
	h := gated(t)
	for _, path := range []string{"/api/customers", "/"} {
		if res := asks(h, "GET", path, "", with("Authorization", "Bearer "+gateToken)); res.StatusCode != http.StatusOK {
			t.Errorf("GET %s with the token: %d", path, res.StatusCode)
		}
	}
	res := signIn(h, gateToken)
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/" || len(res.Cookies()) != 1 {
		t.Fatalf("sign in: %d, cookies %v", res.StatusCode, res.Cookies())
	}
	k := res.Cookies()[0]
	if !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Path != "/" || strings.Contains(k.Value, gateToken) {
		t.Errorf("the cookie is %v", k)
	}
	cookie := with("Cookie", k.Name+"="+k.Value)
	for _, path := range []string{"/", "/api/customers"} { // the page, and what its script asks for
		if res := asks(h, "GET", path, "", cookie); res.StatusCode != http.StatusOK {
			t.Errorf("GET %s with the cookie: %d", path, res.StatusCode)
		}
	}
	if res := asks(h, "POST", "/api/customers", `{"name":"Ana"}`, cookie, with("Origin", "http://192.0.2.7:9091")); res.StatusCode != http.StatusCreated {
		t.Errorf("the page's own call: %d", res.StatusCode)
	}
	if res := asks(h, "POST", "/api/customers", `{"name":"Eve"}`, cookie, with("Origin", "http://evil.example")); res.StatusCode != http.StatusForbidden {
		t.Errorf("another site's call with the cookie: %d", res.StatusCode)
	}
	if res := asks(gated(t), "GET", "/", "", cookie); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("the cookie at another process: %d", res.StatusCode)
	}
}

// The sign-in page can be drawn and its form sent: the stylesheet is served, and the browser may name the origin.
func TestGatePage(t *testing.T) {
	h := gated(t)
	res := asks(h, "GET", "/", "")
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(body), `action="/signin"`) || res.Header.Get("Referrer-Policy") != "same-origin" || res.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("the page is %s, its headers %v", body, res.Header)
	}
	_, rest, _ := strings.Cut(string(body), `rel="stylesheet" href="`)
	css, _, _ := strings.Cut(rest, `"`)
	if res := asks(h, "GET", css, ""); res.StatusCode != http.StatusOK {
		t.Errorf("GET %s: %d", css, res.StatusCode)
	}
}

func TestGateSessionEnds(t *testing.T) {
	g, err := newGate(gateToken, http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	g.now = func() time.Time { return now }
	cookie := with("Cookie", gateCookie+"="+g.session(now.Add(gateLife)))
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{0, http.StatusNotFound}, {gateLife - time.Second, http.StatusNotFound}, {gateLife, http.StatusUnauthorized}} {
		now = time.Unix(1_800_000_000, 0).Add(c.after)
		if res := asks(g, "GET", "/", "", cookie); res.StatusCode != c.want {
			t.Errorf("after %s: %d, want %d", c.after, res.StatusCode, c.want)
		}
	}
}

// A person signs in, in a real browser, and the page's own script gets through with the cookie.
func TestGateInABrowser(t *testing.T) {
	srv := httptest.NewServer(gated(t))
	t.Cleanup(srv.Close)
	b := uitest.Open(t, *shots)
	b.Do(chromedp.EmulateViewport(900, 640), chromedp.Navigate(srv.URL+"/c/34600111222"))
	b.Until(`document.querySelector("input[name=token]")`)
	b.Shot("phones-signed-out")
	b.Do(chromedp.SendKeys("input[name=token]", "wrong"), chromedp.Click("form button"))
	b.Until(`document.body.textContent.includes("not the token")`)
	b.Do(chromedp.SendKeys("input[name=token]", gateToken), chromedp.Click("form button"))
	b.Until(`location.pathname === "/" && !document.querySelector("input[name=token]")`)
	uitest.Eval[bool](b, `fetch("/api/customers", {method: "POST", body: '{"name":"Ana"}'}).then((r) => { document.title = "answered " + r.status }) && true`)
	b.Until(`document.title === "answered 201"`)
	if cookies := uitest.Eval[string](b, `document.cookie`); cookies != "" {
		t.Errorf("the page's script can read %q", cookies)
	}
}
