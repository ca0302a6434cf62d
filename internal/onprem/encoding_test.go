package onprem

import (
	"net/http"
	"strings"
	"testing"
)

// TestCompressedBodies: a medium that is compressed on its way would reach the customer compressed.
func TestCompressedBodies(t *testing.T) {
	e := newEnv(t)
	for _, tt := range []struct {
		path, encoding string
		status         int
	}{
		{"/v1/media", "gzip", http.StatusBadRequest},
		{"/v1/media", "identity", http.StatusCreated},
		{"/v1/contacts", "br", http.StatusBadRequest},
	} {
		res := e.do(t, http.MethodPost, tt.path, strings.NewReader(`{"contacts":["34600111222"]}`), "Content-Type", "text/plain", "Content-Encoding", tt.encoding)
		if res.Code != tt.status || tt.status == http.StatusBadRequest && !strings.Contains(res.Body.String(), "Content-Encoding") {
			t.Errorf("%s with Content-Encoding %s: %d %s, want %d", tt.path, tt.encoding, res.Code, res.Body, tt.status)
		}
	}
}
