package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/engine"
	"kabar/internal/media"
	"kabar/internal/network/networktest"
	"kabar/internal/secrets"
	"kabar/internal/store"
)

// templateServer is the API over a store of one account, without authentication.
type templateServer struct {
	t    *testing.T
	mux  *http.ServeMux
	e    *engine.Engine
	db   *store.DB
	api  *API
	n    *kabar.Number
	a    kabar.AccountID
	waba string
}

func newTemplateServer(t *testing.T) *templateServer {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Options{Path: filepath.Join(dir, "kabar.db"), Master: secrets.NewKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	files, err := media.Open(filepath.Join(dir, "media"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close() })
	n, err := engine.AddNumber(t.Context(), db, engine.NewNumber{Account: &kabar.Account{Name: "Warung"}, Digits: "628111000111"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	e := engine.New(engine.Options{Store: db, Media: files})
	if err := e.Attach(t.Context(), n.ID, networktest.NewFake()); err != nil {
		t.Fatal(err)
	}
	api, err := New(t.Context(), Options{Engine: e, Store: db})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for pattern, h := range api.Handlers() {
		mux.Handle(pattern, h)
	}
	return &templateServer{t, mux, e, db, api, n, n.Account, api.nodeID(int64(n.Account))}
}

// call makes a request below /graph/ and returns the answer.
func (s *templateServer) call(method, path, body string) (status int, answer map[string]any, text string) {
	s.t.Helper()
	r := httptest.NewRequest(method, "/graph/"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		s.t.Fatalf("%s %s: %v: %s", method, path, err, w.Body)
	}
	return w.Code, answer, w.Body.String()
}

const parcel = `{"name":"parcel","language":"en","category":"UTILITY","allow_category_change":true,"components":[
	{"type":"BODY","text":"Dear {{1}}, your parcel has been sent.","example":{"body_text":[["Ana"]]}}]}`

func TestTemplateEdges(t *testing.T) {
	s := newTemplateServer(t)
	edge := s.waba + "/message_templates"
	status, made, text := s.call("POST", edge, parcel)
	id, _ := made["id"].(string)
	if status != 200 || made["status"] != "PENDING" || made["category"] != "UTILITY" || id == "" {
		t.Fatalf("created: %d %s", status, text)
	}
	_, shown, text := s.call("GET", id+"?fields=name,status,quality_score,rejected_reason,health_status", "")
	if shown["name"] != "parcel" || shown["status"] != "PENDING" || shown["rejected_reason"] != "NONE" || shown["id"] != id || !strings.Contains(text, `"BLOCKED"`) {
		t.Errorf("read: %s", text)
	}
	for body, want := range map[string]string{
		parcel: `"error_subcode":2388024`,
		`{"name":"edge","language":"en","category":"UTILITY","components":[{"type":"BODY","text":"{{1}} has come to you at last now","example":{"body_text":[["A"]]}}]}`: `"error_subcode":2388299`,
		`{"name":"ratio","language":"en","category":"UTILITY","components":[{"type":"BODY","text":"Dear {{1}} now","example":{"body_text":[["A"]]}}]}`:                   `"error_subcode":2388293`,
		`{"name":"none","language":"en","category":"UTILITY","components":[]}`:                                                                                           `"error_subcode":2388072`,
		`{"name":"foot","language":"en","category":"UTILITY","components":[{"type":"BODY","text":"x"},{"type":"FOOTER","text":"a {{1}}"}]}`:                              `"error_subcode":2388073`,
		`{"name":"head","language":"en","category":"UTILITY","components":[{"type":"BODY","text":"x"},{"type":"HEADER","format":"AUDIO"}]}`:                              `"error_subcode":2388047`,
		fmt.Sprintf(`{"name":"long","language":"en","category":"UTILITY","components":[{"type":"BODY","text":%q}]}`, strings.Repeat("w", 1025)):                          `"error_subcode":2388040`,
		`{"name":"Bad","language":"en","category":"UTILITY","components":[{"type":"BODY","text":"x"}]}`:                                                                  `"error_subcode":192`,
		`{"library_template_name":"nothing","name":"x","language":"en"}`:                                                                                                 `the library has no`,
	} {
		status, answer, text := s.call("POST", edge, body)
		fault, _ := answer["error"].(map[string]any)
		if status != 400 || fault["code"] != 100.0 || !strings.Contains(text, want) {
			t.Errorf("%.60s: %d %s, want %s", body, status, text, want)
		}
	}
	if status, _, text := s.call("POST", id, `{"components":[{"type":"BODY","text":"Another text."}]}`); status != 400 || !strings.Contains(text, "2388039") {
		t.Errorf("edited while pending: %d %s", status, text)
	}
	key, err := s.e.Templates().Named(t.Context(), s.a, "parcel")
	if err != nil || len(key) != 1 {
		t.Fatal(key, err)
	}
	if _, err := s.e.Templates().Review(t.Context(), s.a, key[0].ID, kabar.Decision{Decision: kabar.VerbApprove}, "test"); err != nil {
		t.Fatal(err)
	}
	if status, _, text := s.call("POST", id, `{"components":[{"type":"BODY","text":"Another text."}]}`); status != 200 || !strings.Contains(text, `"success":true`) {
		t.Errorf("edited: %d %s", status, text)
	}
	if status, answer, text := s.call("POST", id+"/unpause", ""); status != 200 || answer["success"] != false {
		t.Errorf("unpaused: %d %s", status, text)
	}
	if status, _, text := s.call("DELETE", edge+"?name=parcel&hsm_id="+id, ""); status != 200 {
		t.Errorf("deleted: %d %s", status, text)
	}
	if status, _, text := s.call("POST", edge, parcel); status != 400 || !strings.Contains(text, "2388023") {
		t.Errorf("created again: %d %s", status, text)
	}
	if status, _, text := s.call("DELETE", edge+"?name=parcel", ""); status != 400 {
		t.Errorf("deleted twice: %d %s", status, text)
	}
}

func TestTemplateListAndLibrary(t *testing.T) {
	s := newTemplateServer(t)
	edge := s.waba + "/message_templates"
	for _, name := range []string{"appointment_reminder", "issue_resolution", "payment_update"} {
		for _, code := range []string{"en", "id"} {
			body := fmt.Sprintf(`{"name":%q,"language":%q,"category":"UTILITY","library_template_name":%q}`, "my_"+name, code, name)
			if status, _, text := s.call("POST", edge, body); status != 200 {
				t.Fatalf("%s: %d %s", body, status, text)
			}
		}
	}
	var seen []string
	for path, pages := edge+"?limit=4&status=PENDING", 0; path != ""; pages++ {
		status, page, text := s.call("GET", path, "")
		if status != 200 {
			t.Fatalf("GET %s: %s", path, text)
		}
		for _, d := range page["data"].([]any) {
			seen = append(seen, fmt.Sprint(d.(map[string]any)["name"], d.(map[string]any)["language"]))
		}
		around, _ := page["paging"].(map[string]any)
		next, _ := around["next"].(string)
		if _, path, _ = strings.Cut(next, "example.com/"); pages > 3 {
			t.Fatal(text)
		}
	}
	if len(seen) != 6 || seen[0] != "my_appointment_reminderen" {
		t.Errorf("listed %q", seen)
	}
	_, found, text := s.call("GET", "message_template_library?search=PARCEL&language=en", "")
	if len(found["data"].([]any)) != 0 {
		t.Errorf("the library: %s", text)
	}
	if _, found, text = s.call("GET", "message_template_library?topic=payments&language=id", ""); len(found["data"].([]any)) != 1 || !strings.Contains(text, `"body_params":["Ana"`) {
		t.Errorf("the library: %s", text)
	}
}

func TestTemplatesOfCodes(t *testing.T) {
	s := newTemplateServer(t)
	status, page, text := s.call("GET", s.waba+"/message_template_previews?category=AUTHENTICATION&languages=en,id&code_expiration_minutes=5&add_security_recommendation=true", "")
	if status != 200 || len(page["data"].([]any)) != 2 || !strings.Contains(text, "5 menit") {
		t.Errorf("previews: %d %s", status, text)
	}
	body := `{"name":"otp","languages":["en","id"],"category":"AUTHENTICATION","components":[{"type":"BODY"},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"COPY_CODE"}]}]}`
	if status, page, text = s.call("POST", s.waba+"/upsert_message_templates", body); status != 200 || len(page["data"].([]any)) != 2 {
		t.Fatalf("upsert: %d %s", status, text)
	}
	if _, _, text = s.call("GET", s.waba+"/message_templates?language=id", ""); !strings.Contains(text, "adalah kode verifikasi Anda") || !strings.Contains(text, "Salin kode") {
		t.Errorf("composed: %s", text)
	}
}
