package apidoc_test

import (
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"kabar/internal/apidoc"
	"kabar/internal/onprem"
)

func get(t *testing.T, h http.Handler, path, tag string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
	if tag != "" {
		r.Header.Set("If-None-Match", tag)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// The page shows every operation with its parameters, answers and codes, every webhook and every object; all its links
// lead somewhere, and it needs nothing from elsewhere.
func TestPageShowsEverything(t *testing.T) {
	handlers := apidoc.Handlers(onprem.Description(), "/v1/", slog.New(slog.DiscardHandler))
	w := get(t, handlers["GET /v1/docs"], "/v1/docs", "")
	page, doc := html.UnescapeString(w.Body.String()), ours(t)
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Fatalf("answered %d with the headers %v", w.Code, w.Header())
	}
	parts := map[string]string{} // by the id of an operation or object
	for part := range strings.SplitSeq(page, `<details class="call`) {
		if id := regexp.MustCompile(`<div id="([^"]*)"`).FindStringSubmatch(part); id != nil {
			parts[id[1]] = part
		}
	}
	want := func(id string, texts ...string) {
		t.Helper()
		for _, text := range texts {
			if part, ok := parts[id]; !ok || !strings.Contains(part, text) {
				t.Errorf("%s is not on the page, or not %q", id, text)
			}
		}
	}
	for path, item := range doc["paths"].(object) {
		for method, o := range item.(object) {
			if op, ok := o.(object); ok {
				id := strings.Trim(regexp.MustCompile(`[^a-z0-9_]`).ReplaceAllString(method+path, "-"), "-")
				want(id, ">"+strings.ToUpper(method)+"<", "<code>"+path+"</code>", op["summary"].(string))
				for status, answer := range op["responses"].(object) {
					want(id, ">"+status+"<")
					text, _ := answer.(object)["description"].(string)
					for line := range strings.Lines(text) {
						want(id, strings.NewReplacer("- ", "", "`", "").Replace(strings.TrimSpace(strings.SplitN(line, "`", 2)[0])))
					}
				}
			}
		}
	}
	for name := range doc["webhooks"].(object) {
		want("webhook-"+name, name)
	}
	for name := range doc["components"].(object)["schemas"].(object) {
		want("object-"+name, name)
	}
	checkLinks(t, page)
}

func checkLinks(t *testing.T, page string) {
	t.Helper()
	links := regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(links) < 300 {
		t.Errorf("only %d links", len(links))
	}
	for _, link := range links {
		id, here := strings.CutPrefix(link[1], "#")
		switch {
		case here && !strings.Contains(page, `id="`+id+`"`):
			t.Errorf("a link leads to #%s, which is not there", id)
		case !here && !strings.HasPrefix(link[1], "/assets/") && link[1] != "/v1/openapi.json":
			t.Errorf("a link leads to %s", link[1])
		}
	}
}

// Both are kept by their tag, and a document that cannot be read is an error and not half a page.
func TestHandlers(t *testing.T) {
	handlers := apidoc.Handlers(onprem.Description(), "/v1/", slog.New(slog.DiscardHandler))
	for path, want := range map[string]string{"/v1/openapi.json": "application/json", "/v1/docs": "text/html; charset=utf-8"} {
		w := get(t, handlers["GET "+path], path, "")
		tag := w.Header().Get("ETag")
		if w.Code != 200 || w.Header().Get("Content-Type") != want || tag == "" {
			t.Errorf("%s is answered %d, %v", path, w.Code, w.Header())
		}
		if again := get(t, handlers["GET "+path], path, tag); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("%s is answered %d to who has it", path, again.Code)
		}
	}
	broken := apidoc.Handlers(fstest.MapFS{"a.yaml": {Data: []byte("openapi: [")}}, "/v1/", slog.New(slog.DiscardHandler))
	for pattern, h := range broken {
		if w := get(t, h, "/", ""); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "yaml") {
			t.Errorf("%s is answered %d %q", pattern, w.Code, w.Body)
		}
	}
}
