package console

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/engine"
	"kabar/internal/store"
	"kabar/internal/storetest"
	"kabar/internal/ui/uitest"
)

// desk is a console over real templates, with two accounts.
type desk struct {
	t    *testing.T
	c    *Console
	k    *clock
	s    *storetest.Env
	tpl  *engine.Templates
	jar  []*http.Cookie // of the whole server
	site http.Handler
}

func newDesk(t *testing.T, f func(d *desk)) {
	t.Helper()
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		k := &clock{time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
		now := func() time.Time { return k.now }
		d := &desk{t: t, k: k, s: s, tpl: engine.NewTemplates(s.DB, now, nil)}
		for _, n := range []*kabar.Number{s.A, s.B} {
			if err := d.tpl.SetPolicy(t.Context(), n.Account, kabar.TemplatePolicy{Review: kabar.ReviewManual}); err != nil {
				t.Fatal(err)
			}
		}
		d.c = New(&fake{view: fixture()}, Options{Templates: d.tpl, Accounts: s.DB.Accounts, Now: now})
		d.site = served(d.c)
		d.jar = d.signIn(operator())
		f(d)
	})
}

func (d *desk) signIn(who auth.Who) []*http.Cookie {
	d.t.Helper()
	w := d.do(nil, http.MethodGet, d.c.NewLink(d.k.now, who), "")
	if w.Code != http.StatusOK {
		d.t.Fatalf("sign in: %d", w.Code)
	}
	return w.Result().Cookies()
}

func (d *desk) do(jar []*http.Cookie, method, path, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for _, k := range jar {
		r.AddCookie(k)
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	d.site.ServeHTTP(w, r)
	return w
}

// make puts a template of an account before review.
func (d *desk) make(a kabar.AccountID, name string) *kabar.TemplateDef {
	d.t.Helper()
	def, err := (&draft{Name: name, Language: "en", Category: "UTILITY", Body: draftBody{"Dear {{1}}, your order has been sent.", name}}).def()
	if err == nil {
		def, err = d.tpl.Create(d.t.Context(), a, def, "test")
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return def
}

func (d *desk) status(def *kabar.TemplateDef) kabar.TemplateStatus {
	d.t.Helper()
	now, err := d.tpl.Get(d.t.Context(), def.Account, def.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	return now.Status
}

// The whole life in calls: from the form of the editor over a rejection and an edit to the approval.
func TestATemplateIsWrittenAndJudged(t *testing.T) {
	newDesk(t, func(d *desk) {
		form := `{"account":"` + idOf(int64(d.s.B.Account)) + `","name":"parcel","language":"en","category":"UTILITY",
			"header":{"format":"TEXT","text":"Your parcel {{1}} is here","example":"1042"},
			"body":{"text":"Dear {{1}}, your parcel {{2}} has been sent and arrives soon.","examples":"Ana\n1042"},"footer":"Kabar Coffee",
			"buttons":[null,{"type":"URL","text":"Track","value":"https://shop.example/{{1}}","example":"https://shop.example/1042"},{"type":"QUICK_REPLY","text":"Thanks"}]}`
		w := d.do(d.jar, http.MethodPost, "/console/templates", form)
		var made struct{ ID string }
		if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusOK || made.ID == "" {
			t.Fatalf("create: %d %s", w.Code, w.Body)
		}
		path := "/console/templates/" + made.ID
		for page, want := range map[string]string{"/console/review": "Dear Ana, your parcel 1042 has been sent", path: "Your parcel 1042 is here", path + "/edit": ""} {
			if w := d.do(d.jar, http.MethodGet, page, ""); want != "" && (w.Code != 200 || !strings.Contains(w.Body.String(), want) || !strings.Contains(w.Body.String(), "PENDING")) {
				t.Errorf("%s: %d, no %q in\n%s", page, w.Code, want, w.Body)
			}
		}
		if w := d.do(d.jar, http.MethodPost, path+"/review", `{"decision":"reject"}`); w.Code != 400 || !strings.Contains(w.Body.String(), "INVALID_FORMAT") {
			t.Errorf("a rejection without a reason: %d %s", w.Code, w.Body)
		}
		if w := d.do(d.jar, http.MethodPost, path+"/review", `{"decision":"reject","reason":"INVALID_FORMAT","note":"Name the shop."}`); w.Code != 200 {
			t.Errorf("reject: %d %s", w.Code, w.Body)
		}
		shown := d.do(d.jar, http.MethodGet, path, "").Body.String()
		if !strings.Contains(shown, "Name the shop.") || !strings.Contains(shown, "REJECTED") || !strings.Contains(shown, "by console") {
			t.Errorf("the author is not told why:\n%s", shown)
		}
		if w := d.do(d.jar, http.MethodGet, path+"/edit", ""); w.Code != 200 || !strings.Contains(w.Body.String(), `name="body.text"`) || !strings.Contains(w.Body.String(), "https://shop.example/1042") {
			t.Errorf("the editor: %d\n%s", w.Code, w.Body)
		}
		edited := strings.Replace(form, "has been sent", "of Kabar Coffee has been sent", 1)
		if w := d.do(d.jar, http.MethodPost, path, edited); w.Code != 200 {
			t.Errorf("edit: %d %s", w.Code, w.Body)
		}
		if w := d.do(d.jar, http.MethodPost, path+"/review", `{"decision":"approve"}`); w.Code != 200 {
			t.Errorf("approve: %d %s", w.Code, w.Body)
		}
		if w := d.do(d.jar, http.MethodPost, path+"/review", `{"decision":"approve"}`); w.Code != 400 {
			t.Errorf("approve twice: %d %s", w.Code, w.Body)
		}
		if shown := d.do(d.jar, http.MethodGet, path, "").Body.String(); !strings.Contains(shown, "APPROVED") || strings.Contains(shown, "Name the shop.") || !strings.Contains(shown, "of Kabar Coffee") {
			t.Errorf("after the approval:\n%s", shown)
		}
	})
}

func TestThePreviewIsWhatReviewSays(t *testing.T) {
	newDesk(t, func(d *desk) {
		for body, want := range map[string]string{
			`{"name":"a","language":"en","category":"UTILITY","body":{"text":"{{1}} is here","examples":"It"}}`:                                                                          "body.text",
			`{"name":"a","language":"en","category":"UTILITY","body":{"text":"Dear {{1}}, all of it is here.","examples":"<b>Ana</b>"}}`:                                                 "Dear &lt;b&gt;Ana&lt;/b&gt;, all",
			`{"name":"a","language":"en","category":"UTILITY","body":{"text":"Dear {{first}}, all of it is here.","examples":"Ana"}}`:                                                    "Dear Ana, all",
			`{"name":"a","language":"en","category":"UTILITY","body":{"text":"Dear {{1}}, all of it is here."}}`:                                                                         "Dear {{1}}, all",
			`{"name":"a","language":"en","category":"UTILITY","body":{"text":"All of it has arrived."}}`:                                                                                 "Ready for review",
			`{"name":"a","language":"en","category":"UTILITY","body":{"text":"It has arrived {{999999999999}} now."}}`:                                                                   "Drawn without its form",
			`{"name":"a","language":"en","category":"UTILITY","header":{"format":"IMAGE"},"body":{"text":"All of it has arrived."}}`:                                                     "/assets/picture.",
			`{"name":"a","language":"en","category":"AUTHENTICATION","json":"[{\"type\":\"BODY\"},{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":\"OTP\",\"otp_type\":\"COPY_CODE\"}]}]"}`: "123456",
		} {
			w := d.do(d.jar, http.MethodPost, "/console/templates/preview", body)
			if w.Code != 200 || !strings.Contains(w.Body.String(), want) || !strings.HasPrefix(w.Body.String(), `<aside id="preview"`) {
				t.Errorf("%s: %d, no %q in\n%s", body, w.Code, want, w.Body)
			}
		}
		for _, broken := range []string{"", "[]", "null", "{", `{"x":1}`, `{"json":"["}`, `{"json":"null "}`} {
			if w := d.do(d.jar, http.MethodPost, "/console/templates/preview", broken); w.Code >= 500 {
				t.Errorf("%q: %d", broken, w.Code)
			}
		}
		if page, err := d.tpl.List(t.Context(), d.s.A.Account, store.TemplateQuery{}); err != nil || len(page.Templates) > 0 {
			t.Errorf("a preview is stored: %v %v", page, err)
		}
	})
}

// What a session may not do is refused, whether or not the page shows a button for it; and nothing happens.
func TestScopes(t *testing.T) {
	newDesk(t, func(d *desk) {
		def := d.make(d.s.A.Account, "parcel")
		path := pathOf(def)
		read := d.signIn(auth.Who{Scopes: []string{auth.ScopeRead}})
		for _, call := range []struct{ method, path, body string }{
			{"POST", path + "/review", `{"decision":"approve"}`}, {"POST", path, `{"body":{"text":"Another text."}}`}, {"POST", "/console/templates", `{}`},
			{"POST", "/console/templates/preview", `{}`}, {"GET", path + "/edit", ""}, {"GET", "/console/templates/new", ""}, {"GET", "/console/review", ""},
			{"GET", "/console/review/stream", ""},
		} {
			if w := d.do(read, call.method, call.path, call.body); w.Code != http.StatusForbidden {
				t.Errorf("%s %s with read: %d", call.method, call.path, w.Code)
			}
			if w := d.do(nil, call.method, call.path, call.body); w.Code != http.StatusUnauthorized {
				t.Errorf("%s %s with nothing: %d", call.method, call.path, w.Code)
			}
		}
		body := d.do(read, http.MethodGet, path, "").Body.String()
		if !strings.Contains(body, "parcel") || strings.Contains(body, "Approve") || strings.Contains(body, "/edit") || strings.Contains(body, "/console/review") {
			t.Errorf("who may only read sees\n%s", body)
		}
		if got := d.status(def); got != kabar.TemplatePending {
			t.Errorf("the template is %s", got)
		}
	})
}

// A session of one account knows nothing of another, nor of the server.
func TestForeignAccount(t *testing.T) {
	newDesk(t, func(d *desk) {
		foreign, own := d.make(d.s.A.Account, "secret_parcel"), d.make(d.s.B.Account, "own_parcel")
		who := operator()
		who.Account = d.s.B.Account
		jar := d.signIn(who)
		for _, call := range []struct {
			method, path, body string
			want               int
		}{
			{"GET", pathOf(foreign), "", 404}, {"GET", pathOf(foreign) + "/edit", "", 404}, {"GET", pathOf(foreign) + "/stream", "", 200},
			{"POST", pathOf(foreign) + "/review", `{"decision":"approve"}`, 404}, {"POST", pathOf(foreign), `{"body":{"text":"Mine."}}`, 404},
			{"POST", "/console/templates/preview", `{"id":"` + idOf(int64(foreign.ID)) + `","body":{"text":"Mine."}}`, 404},
			{"POST", "/console/templates", `{"account":"` + idOf(int64(d.s.A.Account)) + `","name":"x","language":"en","category":"UTILITY","body":{"text":"Mine."}}`, 404},
			{"GET", "/console/templates?account=" + idOf(int64(d.s.A.Account)), "", 404}, {"GET", "/", "", 303}, {"GET", "/stream", "", 401},
			{"GET", "/console/templates/x", "", 404}, {"GET", "/console/templates", "", 200}, {"GET", "/console/review", "", 200},
		} {
			w := d.do(jar, call.method, call.path, call.body, ended)
			if w.Code != call.want || strings.Contains(w.Body.String(), "secret_parcel") {
				t.Errorf("%s %s: %d, want %d\n%s", call.method, call.path, w.Code, call.want, w.Body)
			}
		}
		if body := d.do(jar, http.MethodGet, "/console/review", "").Body.String(); !strings.Contains(body, own.Name) {
			t.Errorf("the own template is not in the queue:\n%s", body)
		}
		if got := d.status(foreign); got != kabar.TemplatePending {
			t.Errorf("the foreign template is %s", got)
		}
	})
}

// ended is a request whose client has gone: a stream answers once and ends.
func ended(r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/stream") {
		ctx, cancel := context.WithCancel(r.Context())
		cancel()
		*r = *r.WithContext(ctx)
	}
}

// Every call that changes something is refused to pages of others, and after the end of the session; every page has the policy.
func TestTemplatePagesAreGuarded(t *testing.T) {
	newDesk(t, func(d *desk) {
		def := d.make(d.s.A.Account, "parcel")
		approve := func(change func(*http.Request)) int {
			return d.do(d.jar, http.MethodPost, pathOf(def)+"/review", `{"decision":"approve"}`, change).Code
		}
		for name, change := range map[string]func(*http.Request){
			"cross-site": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
			"same-site":  func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
			"origin":     func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
			"null":       func(r *http.Request) { r.Header.Set("Origin", "null") },
		} {
			if code := approve(change); code != http.StatusForbidden {
				t.Errorf("%s: %d", name, code)
			}
		}
		for _, path := range []string{"/console/templates", pathOf(def), pathOf(def) + "/edit", "/console/templates/new", "/console/review", "/console/nothing", pathOf(def) + "1"} {
			h := d.do(d.jar, http.MethodGet, path, "").Header()
			if !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'") || h.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %v", path, h)
			}
		}
		d.k.now = d.k.now.Add(idleLife)
		if code := approve(func(*http.Request) {}); code != http.StatusUnauthorized {
			t.Errorf("with a session that has ended: %d", code)
		}
		if got := d.status(def); got != kabar.TemplatePending {
			t.Errorf("the template is %s", got)
		}
	})
}

func TestEmptyPagesSayWhatToDo(t *testing.T) {
	newDesk(t, func(d *desk) {
		for path, want := range map[string]string{"/console/templates": "Write a template", "/console/templates?status=PAUSED": "Show all", "/console/review": "Nothing waits for you"} {
			if w := d.do(d.jar, http.MethodGet, path, ""); w.Code != 200 || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: %d, no %q in\n%s", path, w.Code, want, w.Body)
			}
		}
		d.c.accounts = func(context.Context) ([]*kabar.Account, error) { return nil, nil }
		if w := d.do(d.jar, http.MethodGet, "/console/templates", ""); !strings.Contains(w.Body.String(), "kabar number add") {
			t.Errorf("without an account:\n%s", w.Body)
		}
	})
}

func TestListGoesOn(t *testing.T) {
	newDesk(t, func(d *desk) {
		for i := range engine.DefaultTemplatePage + 1 {
			d.make(d.s.A.Account, "parcel_"+strings.Repeat("a", i+1))
		}
		first := d.do(d.jar, http.MethodGet, "/console/templates", "").Body.String()
		_, rest, ok := strings.Cut(first, `<p><a class="button quiet" href="`)
		next, _, _ := strings.Cut(rest, `"`)
		second := d.do(d.jar, http.MethodGet, html.UnescapeString(next), "").Body.String()
		if !ok || strings.Count(first, `class="entry"`) != engine.DefaultTemplatePage || strings.Count(second, `class="entry"`) != 1 {
			t.Errorf("the first page has %d, the next (%s) %d", strings.Count(first, `class="entry"`), next, strings.Count(second, `class="entry"`))
		}
		if queue := d.do(d.jar, http.MethodGet, "/console/review", "").Body.String(); strings.Count(queue, "<article") != engine.DefaultTemplatePage || !strings.Contains(queue, "There are more") {
			t.Errorf("the queue has %d", strings.Count(queue, "<article"))
		}
	})
}

func TestHostileTemplatesAreText(t *testing.T) {
	newDesk(t, func(d *desk) {
		for _, s := range uitest.Hostile() {
			parts, _ := json.Marshal(draft{Name: s, Language: s, Category: s, Header: draftHeader{"TEXT", s, s}, Body: draftBody{s, s}, Footer: s,
				Buttons: []draftButton{{"URL", s, s, s}, {"PHONE_NUMBER", s, s, ""}, {s, s, s, s}}})
			w := d.do(d.jar, http.MethodPost, "/console/templates/preview", string(parts))
			for _, bad := range []string{"<script", "<img src=x", "javascript:", "<svg/", "<iframe"} {
				if at := bytes.Index(bytes.ToLower(w.Body.Bytes()), []byte(`href="`+bad)); at >= 0 || bad != "javascript:" && bytes.Contains(bytes.ToLower(w.Body.Bytes()), []byte(bad)) {
					t.Errorf("%q became\n%s", s, w.Body)
				}
			}
		}
	})
}

// The form holds what it has room for exactly, and says so of everything else.
func TestFormHoldsTheTemplate(t *testing.T) {
	for text, want := range map[string]bool{
		`[{"type":"BODY","text":"Plain."}]`: true,
		`[{"type":"HEADER","format":"TEXT","text":"Hi {{1}}!","example":{"header_text":["a"]}},{"type":"BODY","text":"Dear {{1}}, yes.","example":{"body_text":[["b"]]}},{"type":"FOOTER","text":"f"}]`:                                    true,
		`[{"type":"HEADER","text":"Hi"},{"type":"BODY","text":"Dear {{1}}, yes.","example":{"body_text":["b"]}}]`:                                                                                                                          true,
		`[{"type":"HEADER","format":"IMAGE","example":{"header_handle":["4:a"]}},{"type":"BODY","text":"Yes."}]`:                                                                                                                           true,
		`[{"type":"BODY","text":"Dear {{who}}, yes.","example":{"body_text_named_params":[{"param_name":"who","example":"b"}]}}]`:                                                                                                          true,
		`[{"type":"BODY","text":"Yes."},{"type":"BUTTONS","buttons":[{"type":"URL","text":"Go","url":"https://a.example/{{1}}","example":["https://a.example/b"]},{"type":"PHONE_NUMBER","text":"Call","phone_number":"+628111000200"}]}]`: true,
		`[{"type":"BODY","text":"Yes."},{"type":"BUTTONS","buttons":[{"type":"COPY_CODE","example":"A1"}]}]`:                                                                                                                               false,
		`[{"type":"BODY","text":"Yes."},{"type":"CAROUSEL","cards":[]}]`:                                                                                                                                                                   false,
		`[{"type":"FOOTER","text":"First."},{"type":"BODY","text":"Yes."}]`:                                                                                                                                                                false,
		`[{"type":"BODY","text":"Yes.","example":{"else":1}}]`:                                                                                                                                                                             false,
	} {
		def, err := (&draft{Name: "a", Language: "en", Category: "UTILITY", JSON: text}).def()
		if err != nil {
			t.Fatal(err)
		}
		form, ok := draftOf(def)
		if ok != want {
			again, _ := json.Marshal(form.components())
			t.Errorf("%s: fits = %v; the form says %s", text, ok, again)
		}
	}
}
