package phoneui

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestTheBusinessHasAPicture(t *testing.T) {
	f := populated()
	f.profile.About, f.profile.Vertical = "Open from seven", "Restaurant"
	h := New(f, Options{}).Handler()
	get := func(target string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		return w
	}
	if w := get("/c/" + ana + "/photo"); w.Code != http.StatusNotFound {
		t.Errorf("without a picture: %d", w.Code)
	}
	f.profile.Photo = []byte("<script>alert(1)</script>")
	page := get("/c/" + ana).Body.String()
	for _, part := range []string{`<img class="avatar" src="/c/` + ana + `/photo?v=`, "Open from seven", "<span>Restaurant</span>"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page has no %s", part)
		}
	}
	w := get("/c/" + ana + "/photo")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/jpeg" || w.Header().Get("X-Content-Type-Options") != "nosniff" ||
		!bytes.Equal(w.Body.Bytes(), f.profile.Photo) {
		t.Errorf("the picture is answered %d %v", w.Code, w.Header())
	}
	if w := get("/c/nobody/photo"); w.Code != http.StatusNotFound {
		t.Errorf("of nobody: %d", w.Code)
	}
}
