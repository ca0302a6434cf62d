package graph

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"image/png"
	"net/http/httptest"
	"net/url"
	"testing"
)

// TestPicturesOfQRCodes follows the links to both forms: they need no token, and a changed one leads nowhere.
func TestPicturesOfQRCodes(t *testing.T) {
	e := newEnv(t)
	number := e.api.nodeID(int64(e.a.ID))
	get := func(method, path string) *httptest.ResponseRecorder {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		if method == "POST" {
			r.Header.Set("Authorization", "Bearer "+e.tokens["user"])
		}
		w := httptest.NewRecorder()
		e.mux.ServeHTTP(w, r)
		return w
	}
	for format, check := range map[string]func([]byte) error{
		"PNG": func(b []byte) error { _, err := png.Decode(bytes.NewReader(b)); return err },
		"svg": func(b []byte) error { return xml.Unmarshal(b, new(struct{})) },
	} {
		var made struct {
			Link string `json:"qr_image_url"`
		}
		w := get("POST", "/v23.0/"+number+"/message_qrdls?prefilled_message=x&generate_qr_image="+format)
		if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || made.Link == "" {
			t.Fatalf("%s: %s, %v", format, w.Body, err)
		}
		link, err := url.Parse(made.Link)
		if err != nil {
			t.Fatal(err)
		}
		if w := get("GET", link.RequestURI()); w.Code != 200 || check(w.Body.Bytes()) != nil {
			t.Errorf("%s: %d %s %.80q", format, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		q := link.Query()
		q.Set("code", "ABCDEFGH234567")
		if w := get("GET", link.Path+"?"+q.Encode()); w.Code != 404 {
			t.Errorf("%s of another code: %d", format, w.Code)
		}
	}
}
