package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"kabar/internal/store"
)

// What a foreign page, a foreign host name or plain HTTP is refused with is in the form of the path's surface: the clients of the
// Graph API need its error object under every status.
func TestRefusalsBeforeTheMux(t *testing.T) {
	master, err := devMaster(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s, err := openServer(t.Context(), serverOptions{dir: t.TempDir(), open: store.Open, log: slog.New(slog.DiscardHandler),
		store: store.Options{Path: filepath.Join(t.TempDir(), "kabar.db"), Master: master}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	p := &port{handler: s.handler, refuse: s.refuse, log: s.o.log}
	for _, refused := range []struct {
		by      string
		host    string
		origin  string
		handler http.HandlerFunc
	}{
		{"host", "evil.example", "", s.handler.ServeHTTP},
		{"origin", "localhost", "http://evil.example", s.handler.ServeHTTP},
		{"plain HTTP", "localhost", "", p.servePlain},
	} {
		for path, form := range map[string]string{"/v23.0/1019452360721415/messages": "error code type message fbtrace_id", "/1019452360721415/media": "error code type message fbtrace_id",
			"/nonsense": "error code type message fbtrace_id", "/v1/messages": "errors code title", "/kabar/v1/templates": "title detail"} {
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader("{}"))
			r.Host = refused.host
			if refused.origin != "" {
				r.Header.Set("Origin", refused.origin)
			}
			w := httptest.NewRecorder()
			refused.handler(w, r)
			if w.Code != http.StatusForbidden || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s, %s: %d %s", refused.by, path, w.Code, w.Body)
			}
			for name := range strings.FieldsSeq(form) {
				if !strings.Contains(w.Body.String(), `"`+name+`":`) {
					t.Errorf("%s, %s: no %s in %s", refused.by, path, name, w.Body)
				}
			}
		}
	}
}
