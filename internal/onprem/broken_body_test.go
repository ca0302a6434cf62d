package onprem

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

// TestABodyThatBreaksOffIsMalformed: that a client goes away in the middle is no fault of the server.
func TestABodyThatBreaksOffIsMalformed(t *testing.T) {
	e := newEnv(t)
	for _, route := range []string{
		"POST /v1/messages", "POST /v1/media", "POST /v1/settings/profile/photo", "POST /v1/certificates/external", "POST /v1/users",
		"POST /v1/certificates/webhooks/ca", "POST /v1/contacts", "PATCH /v1/settings/application",
	} {
		method, path, _ := strings.Cut(route, " ")
		r := httptest.NewRequest(method, path, io.MultiReader(strings.NewReader(`{"to":`), iotest.ErrReader(errors.New("it has gone"))))
		r.Header.Set("Content-Type", "image/jpeg") // what is no medium and no picture does not look at it
		e.as("admin")(r)
		w := httptest.NewRecorder()
		e.mux.ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "the body broke off") {
			t.Errorf("%s: %d %s", route, w.Code, w.Body)
		}
	}
}
