package ui

import (
	"flag"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"kabar"
)

var update = flag.Bool("update", false, "write the golden files anew")

func newPages(t *testing.T) *Pages {
	t.Helper()
	pages, err := NewPages(NewAssets(), nil, "")
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func fragment(t *testing.T, p *Pages, name string, data any) string {
	t.Helper()
	html, err := p.Fragment(name, data)
	if err != nil {
		t.Fatal(err)
	}
	return string(html)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at it, then run with -update\ngot:\n%s", path, got)
	}
}

// Every kind of bubble, as it is drawn.
func TestBubbleGolden(t *testing.T) {
	pages := newPages(t)
	all := contents("Good *news*, see https://x.example/?a=1&b=2.\nBye")
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.WriteString("<!-- " + name + " -->\n" + fragment(t, pages, "bubble", Bubble{
			ID: name, Who: "Ana", At: noon, Content: all[name], Media: "/m", Action: "/a",
			Cards: map[kabar.MediaID]string{1: "/m1", 2: "/m2", 3: ""},
		}))
	}
	golden(t, "bubbles.html", b.String())
}

// What surrounds a content, as it is drawn.
func TestBubbleStatesGolden(t *testing.T) {
	text := &kabar.Text{Body: "Hello"}
	states := []struct {
		name string
		b    Bubble
	}{
		{"everything", bubble(text, "Ana")},
		{"looked at only", Bubble{Content: contents("x")["buttons"], Media: "/m"}},
		{"list looked at only", Bubble{Content: contents("x")["list"]}},
		{"clock", Bubble{Mine: true, Content: text, Ticks: TicksClock}},
		{"sent", Bubble{Mine: true, Content: text, Ticks: TicksSent}},
		{"delivered", Bubble{Mine: true, Content: text, Ticks: TicksDelivered}},
		{"read", Bubble{Mine: true, Content: text, Ticks: TicksRead}},
		{"failed", Bubble{Mine: true, Content: text, Ticks: TicksFailed}},
		{"deleted", Bubble{Mine: true, Deleted: true, Content: text, Ticks: TicksRead, Action: "/a", Reactions: []Reaction{{Emoji: "👍"}}}},
		{"deleted by the other", Bubble{Deleted: true, Forwarded: true, Content: text, Quote: &Quote{ID: "x"}}},
		{"large", Bubble{Content: &kabar.Text{Body: "👍🏽"}}},
		{"quote of nothing", Bubble{Content: text, Quote: &Quote{Who: "Message"}}},
		{"medium not here", Bubble{Content: contents("x")["image"]}},
		{"no content", Bubble{}},
	}
	pages := newPages(t)
	var b strings.Builder
	for _, s := range states {
		s.b.At = noon
		b.WriteString("<!-- " + s.name + " -->\n" + fragment(t, pages, "bubble", s.b))
	}
	golden(t, "states.html", b.String())
}

func TestLayoutGolden(t *testing.T) {
	pages, err := NewPages(NewAssets(), fstest.MapFS{"p.html": {Data: []byte(`{{define "p"}}{{template "top" .}}<main>{{template "command" "ls"}}{{template "avatar" "Ana Ruiz"}}</main>{{template "bottom"}}{{end}}`)}}, "*.html")
	if err != nil {
		t.Fatal(err)
	}
	got := fragment(t, pages, "p", Head{Title: "A <page>", Class: "c", Stream: "/s?a=1&b=2"})
	for _, name := range []string{"app.js", "app.css", "icon.svg"} {
		path, _ := pagesAsset(t, name)
		got = strings.ReplaceAll(got, path, name)
	}
	i, j := strings.Index(got, "<svg class=\"sprite\""), strings.Index(got, "<main>")
	golden(t, "layout.html", got[:i]+got[j:])
}

func pagesAsset(t *testing.T, name string) (string, *Assets) {
	t.Helper()
	assets := NewAssets()
	path, err := assets.Path(name)
	if err != nil {
		t.Fatal(err)
	}
	return path, assets
}

func TestWriteIsAllOrNothing(t *testing.T) {
	pages, err := NewPages(NewAssets(), fstest.MapFS{"p.html": {Data: []byte(`{{define "half"}}begun {{.Missing}}{{end}}{{define "whole"}}<p>{{.}}</p>{{end}}{{define "asset"}}{{asset "none.js"}}{{end}}`)}}, "*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"half", "asset", "unknown"} {
		w := httptest.NewRecorder()
		if err := pages.Write(w, http.StatusTeapot, name, Head{}); err == nil || w.Body.Len() > 0 || len(w.Header()) > 0 {
			t.Errorf("%s: error %v after %q", name, err, w.Body)
		}
	}
	w := httptest.NewRecorder()
	if err := pages.Write(w, http.StatusTeapot, "whole", "<b>"); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusTeapot || w.Body.String() != "<p>&lt;b&gt;</p>" || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("got %d %q %v", w.Code, w.Body, w.Header())
	}
}

func TestAssets(t *testing.T) {
	for name, contentType := range map[string]string{"app.js": "text/javascript", "app.css": "text/css", "icon.svg": "image/svg+xml"} {
		path, assets := pagesAsset(t, name)
		w := httptest.NewRecorder()
		assets.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		h := w.Header()
		if w.Code != 200 || !strings.HasPrefix(h.Get("Content-Type"), contentType) || !strings.Contains(h.Get("Cache-Control"), "immutable") || w.Body.Len() < 100 {
			t.Errorf("%s: %d %v, %d bytes", path, w.Code, h, w.Body.Len())
		}
	}
	path, assets := pagesAsset(t, "app.js")
	for _, r := range []*http.Request{
		httptest.NewRequest(http.MethodGet, "/assets/app.js", nil),
		httptest.NewRequest(http.MethodGet, "/assets/", nil),
		httptest.NewRequest(http.MethodGet, path+"/../app.css", nil),
		httptest.NewRequest(http.MethodPost, path, nil),
	} {
		w := httptest.NewRecorder()
		if assets.ServeHTTP(w, r); w.Code != http.StatusNotFound || strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s %s: %d", r.Method, r.URL, w.Code)
		}
	}
}

// What a business has written does not turn round our own words behind it, though it overrides the direction and does not end that.
func TestAnOfferKeepsItsDirectionToItself(t *testing.T) {
	const want = "\u2068\u202eEnds soon!\u2069 · ends 17 Mar 2030, 17:46 UTC"
	if got := offerText(&kabar.RenderedOffer{Text: "\u202eEnds soon!", Ends: 1_900_000_000_000}); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSmallThings(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1 kB", 182_400: "182 kB", 999_499: "999 kB", 999_500: "1.0 MB", 2_400_000: "2.4 MB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
	for name, want := range map[string]string{"Ana Ruiz": "AR", "ana": "A", "Ana María Ruiz": "AM", "+34 900": "#", "": "#", "李 小龙": "李小", "«Ana»": "A", "\xff\xfe": "#"} {
		if got := Initials(name); got != want {
			t.Errorf("Initials(%q) = %q, want %q", name, got, want)
		}
	}
	if again := Hue("Ana"); Hue("Ana") != again || !strings.HasPrefix(Hue(""), "hue") {
		t.Error("the colour of a name is not its own")
	}
	long := LineOf(&kabar.Text{Body: strings.Repeat("é\n ", 500)})
	if n := len([]rune(long.Text)); n != maxLine || strings.ContainsAny(long.Text, "\n") {
		t.Errorf("a line of %d runes: %q", n, long.Text)
	}
}

// Answers are drawn as people write them: numbers with all their digits, several of them behind each other.
func TestAnswersAsPeopleWriteThem(t *testing.T) {
	want := []Good{{"count", "2500000"}, {"kinds", "tea, cake"}, {"more", "true"}, {"none", ""}, {"place", `{"city":"Jakarta"}`}}
	got := formParts(&kabar.Form{Response: `{"count":2500000,"kinds":["tea","cake"],"more":true,"none":null,"place":{"city":"Jakarta"}}`}).Goods
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	var f Field
	f.fill(2500000.0)
	if f.fill([]any{2500000.0}); f.Value != "2500000" || !slices.Equal(f.Chosen, []string{"2500000"}) {
		t.Errorf("filled in: %+v", f)
	}
}
