package console

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kabar/internal/auth"
	"kabar/internal/patience"
	"kabar/internal/ui/uitest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// clock is a time that a test moves.
type clock struct{ now time.Time }

func newConsole(view View) (*Console, *clock) {
	k := &clock{time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	return New(&fake{view: view}, Options{Now: func() time.Time { return k.now }}), k
}

// operator is a session of the whole server, with every scope.
func operator() auth.Who {
	return auth.Who{Scopes: []string{auth.ScopeRead, auth.ScopeReview, auth.ScopeManagement, auth.ScopeWebhooks}}
}

// served is the console behind the server's authorisation table, of which it has all and only the rows that are its own.
func served(c *Console) http.Handler {
	handlers := c.Handlers()
	rows := slices.DeleteFunc(auth.Table(false), func(row auth.Route) bool { return handlers[row.Pattern] == nil })
	h, err := new(auth.Auth).Mux(rows, handlers, auth.Surface{Prefix: "/", Refuse: c.Refuse}, auth.Surface{Prefix: "/console/", Session: c.Session, Refuse: c.Refuse})
	if err != nil {
		panic(err)
	}
	return h
}

// ask makes a request with the cookies that earlier answers have set.
func ask(c *Console, method, path string, jar []*http.Cookie, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for _, k := range jar {
		if k.MaxAge >= 0 {
			r.AddCookie(k)
		}
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	served(c).ServeHTTP(w, r)
	return w
}

// signIn follows a new link and returns the cookies.
func signIn(t *testing.T, c *Console, now time.Time, change ...func(*http.Request)) []*http.Cookie {
	t.Helper()
	w := ask(c, http.MethodGet, c.NewLink(now, operator()), nil, change...)
	if w.Code != http.StatusOK || len(w.Result().Cookies()) != 1 {
		t.Fatalf("sign in: %d, cookies %v", w.Code, w.Result().Cookies())
	}
	return w.Result().Cookies()
}

func isSignedIn(c *Console, jar []*http.Cookie) bool {
	return ask(c, http.MethodGet, "/", jar).Code == http.StatusOK
}

func TestWithoutSession(t *testing.T) {
	c, _ := newConsole(fixture())
	for path, want := range map[string]int{"/": 401, "/stream": 401, "/login": 403, "/login?code=": 403, "/login?code=x": 403, "/x": 404, "/assets/": 404, "/logout": 404, "/v1/messages": 404} {
		w := ask(c, http.MethodGet, path, nil)
		if w.Code != want || len(w.Result().Cookies()) > 0 {
			t.Errorf("GET %s: %d, cookies %v", path, w.Code, w.Result().Cookies())
		}
		for _, secret := range []string{"Coffee", "34900123456", "curl", "9092"} {
			if strings.Contains(w.Body.String(), secret) {
				t.Errorf("GET %s tells a stranger %q", path, secret)
			}
		}
	}
	if body := ask(c, http.MethodGet, "/", nil).Body.String(); !strings.Contains(body, "kabar console link") {
		t.Errorf("a stranger is not told how to sign in:\n%s", body)
	}
}

func TestLinkWorksOnce(t *testing.T) {
	c, k := newConsole(fixture())
	link := c.NewLink(k.now, operator())
	if code := strings.TrimPrefix(link, "/login?code="); len(code) != 43 || c.NewLink(k.now, operator()) == link {
		t.Errorf("the link is %q", link)
	}
	if w := ask(c, http.MethodHead, link, nil); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("HEAD: %d", w.Code)
	}
	first := ask(c, http.MethodGet, link, nil)
	if first.Code != 200 || !isSignedIn(c, first.Result().Cookies()) {
		t.Errorf("first use: %d", first.Code)
	}
	if second := ask(c, http.MethodGet, link, nil); second.Code != 403 || len(second.Result().Cookies()) > 0 {
		t.Errorf("second use: %d", second.Code)
	}
}

func TestLinkExpires(t *testing.T) {
	for after, want := range map[time.Duration]int{0: 200, linkLife - 1: 200, linkLife: 403, 24 * time.Hour: 403, -time.Second: 403} {
		c, k := newConsole(fixture())
		link := c.NewLink(k.now, operator())
		k.now = k.now.Add(after)
		if w := ask(c, http.MethodGet, link, nil); w.Code != want {
			t.Errorf("after %v: %d, want %d", after, w.Code, want)
		}
	}
}

func TestLinksAndSessionsAreBounded(t *testing.T) {
	c, k := newConsole(fixture())
	oldest := c.NewLink(k.now, operator())
	for range maxLinks {
		c.NewLink(k.now, operator())
	}
	if w := ask(c, http.MethodGet, oldest, nil); w.Code != 403 || len(c.links.list) != maxLinks {
		t.Errorf("the oldest of %d links: %d", len(c.links.list), w.Code)
	}
	jar := signIn(t, c, k.now)
	for range maxSessions {
		signIn(t, c, k.now)
	}
	if isSignedIn(c, jar) || len(c.sessions.list) != maxSessions {
		t.Errorf("%d sessions are kept", len(c.sessions.list))
	}
}

func TestCookie(t *testing.T) {
	c, k := newConsole(fixture())
	plain := signIn(t, c, k.now)[0]
	if plain.Name != "kabar" || plain.Secure || !plain.HttpOnly || plain.SameSite != http.SameSiteStrictMode || plain.Path != "/" || plain.Domain != "" || len(plain.Value) != 43 {
		t.Errorf("plain http: %+v", plain)
	}
	https := func(r *http.Request) { r.TLS = &tls.ConnectionState{} }
	safe := signIn(t, c, k.now, https)[0]
	if safe.Name != "__Host-kabar" || !safe.Secure || !safe.HttpOnly || safe.SameSite != http.SameSiteStrictMode || safe.Path != "/" || safe.Domain != "" {
		t.Errorf("https: %+v", safe)
	}
	if w := ask(c, http.MethodGet, "/", []*http.Cookie{safe}); w.Code != 401 {
		t.Errorf("a cookie of https is good for http: %d", w.Code)
	}
	for _, value := range []string{"", "x", plain.Value + "x", plain.Value[1:], strings.ToUpper(plain.Value)} {
		if isSignedIn(c, []*http.Cookie{{Name: "kabar", Value: value}}) {
			t.Errorf("signed in with %q", value)
		}
	}
}

func TestSessionEnds(t *testing.T) {
	t.Run("idle", func(t *testing.T) {
		c, k := newConsole(fixture())
		jar := signIn(t, c, k.now)
		k.now = k.now.Add(idleLife - time.Second)
		if !isSignedIn(c, jar) {
			t.Error("ended too early")
		}
		k.now = k.now.Add(idleLife)
		if isSignedIn(c, jar) {
			t.Error("an idle session goes on")
		}
	})
	t.Run("absolute", func(t *testing.T) {
		c, k := newConsole(fixture())
		jar := signIn(t, c, k.now)
		for range 12*6 - 1 {
			k.now = k.now.Add(10 * time.Minute)
			if !isSignedIn(c, jar) {
				t.Fatal("ended too early")
			}
		}
		k.now = k.now.Add(10 * time.Minute)
		if isSignedIn(c, jar) {
			t.Error("a session goes on for ever")
		}
	})
	t.Run("restart", func(t *testing.T) {
		c, k := newConsole(fixture())
		jar := signIn(t, c, k.now)
		if again, _ := newConsole(fixture()); isSignedIn(again, jar) {
			t.Error("a session outlives the process")
		}
	})
}

func TestLogout(t *testing.T) {
	c, k := newConsole(fixture())
	jar, other := signIn(t, c, k.now), signIn(t, c, k.now)
	w := ask(c, http.MethodPost, "/logout", jar, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") })
	if w.Code != 200 || w.Header().Get("Clear-Site-Data") == "" || w.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("sign out: %d %v", w.Code, w.Header())
	}
	if isSignedIn(c, jar) || !isSignedIn(c, other) {
		t.Error("the wrong session has ended")
	}
}

func TestForeignPagesChangeNothing(t *testing.T) {
	c, k := newConsole(fixture())
	jar := signIn(t, c, k.now)
	for name, change := range map[string]func(*http.Request){
		"cross-site": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"same-site":  func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
		"origin":     func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"null":       func(r *http.Request) { r.Header.Set("Origin", "null") },
	} {
		if w := ask(c, http.MethodPost, "/logout", jar, change); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	ask(c, http.MethodGet, "/logout", jar)
	if !isSignedIn(c, jar) {
		t.Error("signed out by a foreign page")
	}
}

// A session that somebody has planted in the browser is not the one that signing in opens.
func TestNoFixation(t *testing.T) {
	c, k := newConsole(fixture())
	planted := signIn(t, c, k.now)
	w := ask(c, http.MethodGet, c.NewLink(k.now, operator()), planted)
	if w.Result().Cookies()[0].Value == planted[0].Value || isSignedIn(c, planted) {
		t.Error("the planted session goes on")
	}
}

func TestHeaders(t *testing.T) {
	c, k := newConsole(fixture())
	jar := signIn(t, c, k.now)
	for _, path := range []string{"/", "/x", "/login?code=x"} {
		h := ask(c, http.MethodGet, path, jar).Header()
		if !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("Cache-Control") != "no-store" || h.Get("X-Frame-Options") != "DENY" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

func TestPageGolden(t *testing.T) {
	c, k := newConsole(fixture())
	golden(t, "page", ask(c, http.MethodGet, "/", signIn(t, c, k.now)).Body.String())
}

// golden holds HTML against testdata/NAME.html, without icons and hashes of assets.
func golden(t *testing.T, name, body string) {
	t.Helper()
	body = regexp.MustCompile(`(?s:<svg class="sprite".*?</svg>\n)|\.[0-9a-f]{16}`).ReplaceAllString(body, "")
	file := filepath.Join("testdata", name+".html")
	if *update {
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if body != string(want) {
		t.Errorf("%s differs; look at it, then run with -update\ngot:\n%s", file, body)
	}
}

func TestStates(t *testing.T) {
	for name, tt := range map[string]struct {
		view View
		want string
	}{
		"nothing": {View{}, "No number yet"},
		"number":  {View{Number: "34900123456"}, "&#43;34900123456"},
		"done":    {View{Steps: []Step{{Title: "One", Done: true}}}, "Everything works"},
		"next":    {View{Steps: []Step{{Title: "One", Done: true}, {Title: "Two"}}}, "1 of 2 done"},
		"bad":     {View{Lights: []Light{{Name: "Webhook", State: Bad, Text: "3 failures", Count: 1200, Unit: "events waiting"}}}, "1200 events waiting"},
		"hostile": {View{Business: uitest.Hostile()[0]}, "&lt;script&gt;"},
	} {
		c, k := newConsole(tt.view)
		body := ask(c, http.MethodGet, "/", signIn(t, c, k.now)).Body.String()
		if !strings.Contains(body, tt.want) || strings.Contains(body, "<script>") {
			t.Errorf("%s: no %q in\n%s", name, tt.want, body)
		}
	}
}

func TestFaultsAreForTheLog(t *testing.T) {
	var log bytes.Buffer
	c := New(&fake{err: errors.New("disk on fire")}, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	w := ask(c, http.MethodGet, "/", signIn(t, c, time.Now()))
	if w.Code != 500 || strings.Contains(w.Body.String(), "fire") || !strings.Contains(log.String(), "disk on fire") {
		t.Errorf("%d %q, log %q", w.Code, w.Body, &log)
	}
}

// The stream brings news and ends when the session does.
func TestStream(t *testing.T) {
	status := &fake{view: fixture()}
	c := New(status, Options{})
	jar := signIn(t, c, time.Now())
	srv := httptest.NewServer(served(c))
	t.Cleanup(srv.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience.Limit)
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/stream", nil)
	r.AddCookie(jar[0])
	res, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	seen := func(text string) bool {
		for lines.Scan() {
			if strings.Contains(lines.Text(), text) {
				return true
			}
		}
		return false
	}
	if !seen("no URL yet") {
		t.Fatalf("no first event: %v", lines.Err())
	}
	status.set(func(v *View) { v.Lights[1].Text = "delivering" })
	if !seen("delivering") {
		t.Fatalf("no news: %v", lines.Err())
	}
	c.sessions.close(jar[0].Value)
	for lines.Scan() {
	}
	if ctx.Err() != nil {
		t.Error("the stream outlives the session")
	}
}

// An open page is not somebody who sits in front of it.
func TestStreamKeepsNoSessionAwake(t *testing.T) {
	var s sessions
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	token := s.open(now, operator())
	for range 3 {
		now = now.Add(idleLife / 3)
		s.find(token, now, false)
	}
	if _, ok := s.find(token, now, true); ok {
		t.Error("a session stays awake although nobody asks")
	}
}
