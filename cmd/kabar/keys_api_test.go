package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/control"
	"kabar/internal/manage"
)

// ask sends a request to a server's handler with a key, as a program on this machine does.
func (s *server) ask(method, path, key, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "localhost"
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// An owner makes a key for a marketer, who may not make any; what was made is listed without its secret, and revoked.
func TestKeysAPI(t *testing.T) {
	d, err := openTestDev(t, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	s := d.server
	s.addr = d.ln.api.Addr()
	owner := auth.NewKey()
	if err := s.auth.AddKey(t.Context(), owner, auth.Grant{Account: s.first().Account, Role: "owner"}); err != nil {
		t.Fatal(err)
	}
	w := s.ask(http.MethodPost, "/kabar/v1/keys", owner, `{"role":"marketer","label":"campaigns","expires":"2099-01-01T00:00:00Z"}`)
	var made manage.Key
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusCreated {
		t.Fatalf("make: %d %s", w.Code, w.Body)
	}
	if made.Secret == "" || made.ID != auth.KeyID(made.Secret) || made.Role != "marketer" || made.Account == "" || made.Expires != "2099-01-01T00:00:00Z" {
		t.Errorf("made %+v", made)
	}
	for _, tt := range []struct {
		method, path, key, body string
		status                  int
	}{
		{"GET", "/kabar/v1/templates", made.Secret, "", 200},
		{"POST", "/kabar/v1/keys", made.Secret, `{"role":"marketer"}`, 403},
		{"GET", "/kabar/v1/keys", made.Secret, "", 403},
		{"POST", "/kabar/v1/keys", owner, `{"role":"king"}`, 400},
		{"POST", "/kabar/v1/keys", owner, `{"scopes":["lab"]}`, 403},
		{"POST", "/kabar/v1/keys", owner, `{"role":"agent","account":"999"}`, 404},
		{"POST", "/kabar/v1/keys", owner, `{"role":"agent","roles":"x"}`, 400},
		{"DELETE", "/kabar/v1/keys/" + strings.Repeat("0", 64), owner, "", 404},
		{"DELETE", "/kabar/v1/keys/" + made.ID, owner, "", 204},
		{"GET", "/kabar/v1/templates", made.Secret, "", 401},
	} {
		if w := s.ask(tt.method, tt.path, tt.key, tt.body); w.Code != tt.status {
			t.Errorf("%s %s %s: %d %s, want %d", tt.method, tt.path, tt.body, w.Code, w.Body, tt.status)
		}
	}
	w = s.ask(http.MethodGet, "/kabar/v1/keys", owner, "")
	var list struct{ Data []manage.Key }
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
		t.Errorf("list: %s", w.Body)
	}
	listed := map[string]manage.Key{}
	for _, k := range list.Data {
		listed[k.ID] = k
	}
	if listed[made.ID].Revoked == "" || listed[auth.KeyID(owner)].LastUsed == "" {
		t.Errorf("list: %s", w.Body)
	}
	if strings.Contains(w.Body.String(), made.Secret) || strings.Contains(w.Body.String(), owner) {
		t.Error("a list of keys has a key")
	}
	var out addedKey
	if err := control.Local(s.operations()).Call(t.Context(), "key.add", addKey{Role: "agent", Label: "desk"}, &out, nil); err != nil || out.Item.may("") != "role agent" || out.Item.Number == wholeServer {
		t.Errorf("%+v, %v", out, err)
	}
	if w, err := s.db.Key(t.Context(), auth.KeyID(out.Key)); err != nil || w.Role != "agent" || w.Account != s.first().Account || w.Number != kabar.NumberID(0) {
		t.Errorf("%+v, %v", w, err)
	}
}
