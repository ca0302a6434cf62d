package phoneui

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/phone"
	"kabar/internal/ui/uitest"
)

var _ Source = (*phone.Phone)(nil)

var update = flag.Bool("update", false, "write the golden files anew")

// get asks the page for an address.
func get(t *testing.T, u *UI, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	u.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// The whole page with every kind of bubble, as it is drawn.
func TestPageGolden(t *testing.T) {
	f := populated()
	u := New(f, Options{Hint: hint, Now: func() time.Time { return f.now }})
	got := get(t, u, "/c/"+ana).Body.String()
	got = regexp.MustCompile(`datetime="[^"]*"| data-order="[^"]*"|(?s:<svg class="sprite".*?</svg>\n)|\.[0-9a-f]{16}`).ReplaceAllString(got, "")
	path := "testdata/page.html"
	if *update {
		_ = os.MkdirAll("testdata", 0o755)
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at the page, then run with -update\ngot:\n%s", path, got)
	}
}

func TestAddresses(t *testing.T) {
	u := New(populated(), Options{})
	css, _ := u.assets.Path("app.css")
	for path, want := range map[string]int{
		"/": 200, "/c/" + ana: 200, "/c/US.13491208655302741918": 200, css: 200,
		"/c/" + ana + "/earlier?before=9&have=0": 200,
		"/c/1":                                   404, "/c/": 404, "/x": 404, "/c/" + ana + "/x": 404, "/assets/app.css": 404, "/api/customers": 404,
		"/c/" + ana + "/earlier": 404, "/c/" + ana + "/earlier?before=x&have=1": 404, "/c/" + ana + "/earlier?before=1&have=-1": 404,
		"/c/" + ana + "/earlier?before=1&have=9999999999": 404, "/c/1/earlier?before=9&have=0": 404,
		"/stream?c=1": 404, "/stream?c=" + ana + "&after=x": 404, "/stream?c=" + ana + "&last=-1": 404,
	} {
		if w := get(t, u, path); w.Code != want {
			t.Errorf("GET %s: %d, want %d", path, w.Code, want)
		}
	}
	if h := get(t, u, css).Header(); !strings.Contains(h.Get("Cache-Control"), "immutable") || h.Get("Content-Security-Policy") == "" {
		t.Errorf("the stylesheet has the headers %v", h)
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		w := httptest.NewRecorder()
		if u.Handler().ServeHTTP(w, httptest.NewRequest(method, "/c/"+ana, nil)); w.Code < 400 {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
}

func TestHeaders(t *testing.T) {
	u := New(populated(), Options{})
	for _, path := range []string{"/", "/c/" + ana, "/x"} {
		h := get(t, u, path).Header()
		policy := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; style-src 'self'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
	body := get(t, u, "/c/"+ana).Body.String()
	for _, inline := range []string{" style=", "<style", "javascript:", " onclick", "<script>"} {
		if strings.Contains(body, inline) {
			t.Errorf("the page has %q in it", inline)
		}
	}
}

func TestEmptyPhone(t *testing.T) {
	f := newFake()
	body := get(t, New(f, Options{}), "/").Body.String()
	if !strings.Contains(body, "No customers yet") || !strings.Contains(body, `data-open="new-customer"`) {
		t.Errorf("a phone without customers says\n%s", body)
	}
	f.customer(ana, "Ana")
	body = get(t, New(f, Options{Hint: "send {to} and {to}"}), "/").Body.String()
	if !strings.Contains(body, "Write the first message as <bdi>Ana</bdi>.") || !strings.Contains(body, "send "+ana+" and "+ana) {
		t.Errorf("an empty chat says\n%s", body)
	}
	if strings.Contains(get(t, New(f, Options{}), "/").Body.String(), "from the API") {
		t.Error("there is a hint although none was given")
	}
}

// Rows come with the newest message first, and with what is unread.
func TestRows(t *testing.T) {
	f := populated()
	u := New(f, Options{Now: func() time.Time { return f.now }})
	people, err := u.people(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range people {
		got = append(got, fmt.Sprintf("%s|%s|%s|%s|%s", p.Name, p.Line.Text, p.Unread, p.Ticks, p.When))
	}
	want := []string{
		"Ana|250 g of Sumatra, ground for pour over. Shall we bring it today?|||09:46",
		"Citra|Do you open on Sunday?||sent|09:33",
		"Budi|It will be with you before noon.|2||09:32",
		"Someone private||||",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for range peek + 3 {
		f.add(ana, phone.Message{Content: &kabar.Text{Body: "x"}})
	}
	f.now = f.now.AddDate(0, 0, 1)
	if p, _ := u.person(t.Context(), f.customers[0]); p.Unread != "30+" || p.When != "23 Nov" {
		t.Errorf("many unread, a day later: %q, %q", p.Unread, p.When)
	}
}

// The history is read back to its beginning, each bubble once.
func TestEarlier(t *testing.T) {
	f := newFake()
	f.customer(ana, "Ana")
	const n = 3*pageSize + 7
	for i := range n {
		f.add(ana, phone.Message{Content: &kabar.Text{Body: fmt.Sprint("text ", i)}})
	}
	u := New(f, Options{})
	next := regexp.MustCompile(`data-get="([^"]*)"`)
	seen := make(map[string]bool)
	path, pages := "/c/"+ana, 0
	for path != "" {
		body := get(t, u, path).Body.String()
		for _, m := range regexp.MustCompile(`>text (\d+)</p>`).FindAllStringSubmatch(body, -1) {
			if seen[m[1]] {
				t.Errorf("text %s comes twice", m[1])
			}
			seen[m[1]] = true
		}
		path = ""
		if m := next.FindStringSubmatch(body); m != nil {
			path = strings.ReplaceAll(m[1], "&amp;", "&")
		}
		if pages++; pages > 10 {
			t.Fatal("there is no end")
		}
	}
	if len(seen) != n {
		t.Errorf("%d of %d texts on %d pages", len(seen), n, pages)
	}
}

// failing is a source whose machine is broken.
type failing struct{ *fake }

func (failing) Thread(context.Context, string, string, int64, int) ([]phone.Message, error) {
	return nil, errors.New("disk on fire")
}

func TestFaultsAreForTheLog(t *testing.T) {
	var log bytes.Buffer
	u := New(failing{populated()}, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	for _, path := range []string{"/", "/c/" + ana, "/stream"} {
		w := get(t, u, path)
		if strings.Contains(w.Body.String(), "disk on fire") || path != "/stream" && w.Code != 500 {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
	}
	if !strings.Contains(log.String(), "disk on fire") {
		t.Errorf("the log says %q", &log)
	}
}

// No name, and nothing a business says of itself, makes a tag anywhere on the page.
func TestHostileNames(t *testing.T) {
	count := func(s string) int {
		f := newFake()
		f.profile = kabar.Profile{Name: s + "x", Description: s + "x", Address: s + "x", Email: s + "x", Websites: []string{"javascript:" + s}}
		f.customer(ana, s+"x")
		return strings.Count(get(t, New(f, Options{Hint: s}), "/").Body.String(), "<")
	}
	plain := count("plain")
	for _, s := range uitest.Hostile() {
		if got := count(s); got != plain {
			t.Errorf("%q opens %d brackets, plain text %d", s, got, plain)
		}
	}
}
