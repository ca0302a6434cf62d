package phone_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kabar/internal/phone"
)

// alone is a phone that has no relay: what the control API does by itself.
func alone(t testing.TB) *handsets {
	t.Helper()
	h := newHandsets(t, "ws://127.0.0.1:1")
	h.stop()
	h.stop = func() {}
	p, err := phone.Open(t.Context(), h.options)
	if err != nil {
		t.Fatal(err)
	}
	h.Phone, h.api = p, httptest.NewServer(p.Handler())
	t.Cleanup(func() {
		h.api.Close()
		_ = p.Close()
	})
	return h
}

func TestCreateCustomers(t *testing.T) {
	h := alone(t)
	if list := h.want(200, "GET", "/customers", "")["customers"].([]any); len(list) != 0 {
		t.Errorf("a new phone has %v", list)
	}
	for _, tt := range []struct {
		body   string
		status int
		want   string // in the message of a refusal
	}{
		{`{"name":"Ana"}`, 201, ""},
		{`{"name":"Beni","wa_id":"34600111222"}`, 201, ""},
		{`{"name":"Citra","hide_number":true}`, 201, ""},
		{`{"name":"Dewi","hide_number":true,"wa_id":"ID.1aB2"}`, 201, ""},
		{`{"name":"Eko","wa_id":"34600111222"}`, 409, "already"},
		{`{"name":"Eko","wa_id":"+34600111222"}`, 400, "7 to 15 digits"},
		{`{"name":"Eko","wa_id":"123456"}`, 400, "7 to 15 digits"},
		{`{"name":"Eko","wa_id":"1234567890123456"}`, 400, "7 to 15 digits"},
		{`{"name":"Eko","wa_id":"0123456789"}`, 400, "7 to 15 digits"},
		{`{"name":"Eko","wa_id":"34600111223","hide_number":true}`, 400, "Leave wa_id out"},
		{`{"name":"Eko","wa_id":"ID.1aB3"}`, 400, "7 to 15 digits"},
		{`{}`, 400, "name"},
		{`{"name":"  "}`, 400, "name"},
		{`{"name":"a\nb"}`, 400, "one line"},
		{`{"name":"` + strings.Repeat("x", 101) + `"}`, 400, "100"},
		{`{"name":"Eko","colour":"red"}`, 400, "colour"},
		{`{"Name":"Eko"}`, 400, "Name"},
		{`{"name":7}`, 400, "a string"},
		{`[]`, 400, "body"},
		{``, 400, "empty"},
		{`{"name":"Eko"} {}`, 400, "body"},
	} {
		status, out := h.call("POST", "/customers", tt.body)
		checkAnswer(t, "POST /customers "+tt.body, status, out, tt.status, tt.want)
	}
	list := h.want(200, "GET", "/customers", "")["customers"].([]any)
	if len(list) != 4 {
		t.Fatalf("%d customers, want 4", len(list))
	}
	for key, want := range map[string]any{"wa_id": "34600111222", "name": "Beni", "hide_number": false, "online": true, "read_receipts": true,
		"auto_read": false, "auto_reply": false, "blocked": false} {
		if got := path(list[1], key); got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	if path(list[3], "wa_id") != "ID.1aB2" || path(list[3], "bsuid") != "ID.1aB2" {
		t.Errorf("the hidden one is %v", list[3])
	}
}

// checkAnswer checks the status, and that a refusal has a code and a message that says want.
func checkAnswer(t *testing.T, call string, status int, out map[string]any, wantStatus int, want string) {
	t.Helper()
	if status != wantStatus {
		t.Errorf("%s: %d %v, want %d", call, status, out, wantStatus)
		return
	}
	if status < 400 {
		return
	}
	code, _ := path(out, "error", "code").(string)
	message, _ := path(out, "error", "message").(string)
	if code == "" || !strings.Contains(message, want) || strings.Count(message, ". ") < 1 {
		t.Errorf("%s: code %q, message %q; want a sentence with %q and a hint", call, code, message, want)
	}
}

func TestNumbersThatAreMadeUp(t *testing.T) {
	h := alone(t)
	seen := map[string]bool{}
	for i := range 200 {
		c, err := h.Create(t.Context(), phone.NewCustomer{Name: "x", HideNumber: i%2 == 0})
		if err != nil {
			t.Fatal(err)
		}
		if seen[c.WaID] || c.HideNumber == (strings.Trim(c.WaID, "0123456789") == "") {
			t.Errorf("made up %+v", c)
		}
		seen[c.WaID] = true
	}
}

func TestRefusals(t *testing.T) {
	h := alone(t)
	ana := h.customer("Ana")
	pdf := h.upload(ana, "application/pdf", []byte("%PDF-1.4"))
	id := h.writes(ana, "hello")
	unknown := "ABEGNEYAERIiAhDfo"
	on := "/customers/" + ana
	long := strings.Repeat("x", 1<<20)
	for _, tt := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/nothing", "", 404, "GET /api/customers"},
		{"PUT", "/customers", "{}", 405, "GET or POST"},
		{"GET", on, "", 405, "PATCH"},
		{"PATCH", "/customers/1234567", "{}", 404, "1234567"},
		{"PATCH", on, `{"mood":"good"}`, 400, "mood"},
		{"PATCH", on, `{"online":"yes"}`, 400, "true or false"},
		{"PATCH", on, `{"name":""}`, 400, "name"},
		{"POST", "/customers/1234567/messages", `{"text":{"body":"x"}}`, 404, "1234567"},
		{"POST", on + "/messages", `{"text":{"body":""}}`, 400, "1 to"},
		{"POST", on + "/messages", `{"text":{"body":"x","colour":1}}`, 400, "text.colour"},
		{"POST", on + "/messages", `{"type":"text"}`, 400, "no member"},
		{"POST", on + "/messages", `{"type":"sticker","sticker":{}}`, 400, "sticker"},
		{"POST", on + "/messages", `{"type":"poem"}`, 400, "audio, button"},
		{"POST", on + "/messages", `{"type":"text","text":{"body":"x\u0000"}}`, 400, "NUL"},
		{"POST", on + "/messages", `{"type":"location","location":{"latitude":1,"longitude":1,"url":"javascript:alert(1)"}}`, 400, "location.url"},
		{"POST", on + "/messages", `{"text":{"body":"x"},"referral":{"source_url":"data:text/html,x"}}`, 400, "referral.source_url"},
		{"POST", on + "/messages", `{"type":"sticker","sticker":{"id":"x","pack":{"ios":"https://apps.example","android":"javascript:x"}}}`, 400, "sticker.pack.android"},
		{"POST", on + "/messages", `{"type":"text","text":{"body":"x"},"location":{"latitude":1,"longitude":1}}`, 400, "location"},
		{"POST", on + "/messages", `{"to":"abc","text":{"body":"x"}}`, 400, "abc"},
		{"POST", on + "/messages", `{"text":{"body":"x"},"context":{}}`, 400, "message_id"},
		{"POST", on + "/messages", `{"text":{"body":"x"},"context":{"message_id":"` + unknown + `"}}`, 404, unknown},
		{"POST", on + "/messages", `{"type":"image","image":{}}`, 400, "Upload"},
		{"POST", on + "/messages", `{"type":"image","image":{"id":"nope"}}`, 404, "nope"},
		{"POST", on + "/messages", `{"type":"image","image":{"id":"` + pdf + `"}}`, 400, "application/pdf"},
		{"POST", on + "/messages", `{"type":"location","location":{"latitude":91,"longitude":1}}`, 400, "91"},
		{"POST", on + "/messages", `{"type":"location","location":{"longitude":1}}`, 400, "latitude"},
		{"POST", on + "/messages", `{"type":"reaction","reaction":{"emoji":"👍"}}`, 400, "message_id"},
		{"POST", on + "/messages", `{"type":"reaction","reaction":{"message_id":"` + id + `","emoji":"no"}}`, 400, "emoji"},
		{"POST", on + "/messages", `{"type":"interactive","interactive":{"type":"button_reply"}}`, 400, "button_reply"},
		{"POST", on + "/messages", `{"type":"button","button":{"text":"x"}}`, 400, "payload"},
		{"POST", on + "/messages", `{"text":{"body":"` + strings.Repeat("x", 130_000) + `"}}`, 400, "122880"},
		{"POST", on + "/messages", `{"text":{"body":"` + long + `"}}`, 413, "smaller"},
		{"GET", on + "/messages?limit=0", "", 400, "limit"},
		{"GET", on + "/messages?limit=100001", "", 400, "100000"},
		{"GET", on + "/messages?after=x", "", 400, "next"},
		{"GET", on + "/messages?before=1", "", 400, "before"},
		{"GET", "/customers/1234567/messages", "", 404, "1234567"},
		{"POST", on + "/messages/" + unknown + "/read", "", 404, unknown},
		{"POST", on + "/messages/" + id + "/read", "", 409, "own"},
		{"POST", on + "/messages/" + id + "/read", `{"x":1}`, 400, "x"},
		{"POST", on + "/messages/" + id + "/tap", `{"button":"a"}`, 409, "nothing to tap"},
		{"POST", on + "/messages/" + unknown + "/tap", `{"button":"a"}`, 404, unknown},
		{"POST", on + "/messages/" + id + "/react", `{}`, 400, "emoji"},
		{"POST", on + "/messages/" + id + "/react", `{"emoji":"ab"}`, 400, "emoji"},
		{"POST", on + "/messages/" + unknown + "/react", `{"emoji":"👍"}`, 404, unknown},
		{"DELETE", on + "/messages/" + unknown, "", 404, unknown},
		{"GET", on + "/messages/" + id, "", 405, "DELETE"},
		{"POST", on + "/media", "", 400, "empty"},
		{"POST", "/customers/1234567/media", "x", 404, "1234567"},
		{"GET", on + "/media/nope", "", 404, "nope"},
		{"POST", "/customers/1234567/reinstall", "", 404, "1234567"},
		{"POST", "/customers/1234567/report", "", 404, "1234567"},
		{"POST", on + "/report", `{"to":"x"}`, 400, `"x"`},
		{"POST", "/customers/1234567/typing", "", 404, "1234567"},
	} {
		status, out := h.call(tt.method, tt.path, tt.body)
		call := tt.method + " " + tt.path + " " + tt.body
		checkAnswer(t, call[:min(len(call), 200)], status, out, tt.status, tt.want)
	}
	if n := len(h.messages(ana)); n != 1 {
		t.Errorf("refused calls left %d messages", n-1)
	}
}

func TestDefaultTarget(t *testing.T) {
	for _, businesses := range [][]string{nil, {shop, "6281100000002"}} {
		h := alone(t)
		h.options.Businesses = businesses
		h.api.Close()
		_ = h.Phone.Close()
		p, err := phone.Open(t.Context(), h.options)
		if err != nil {
			t.Fatal(err)
		}
		h.Phone, h.api = p, httptest.NewServer(p.Handler())
		ana := h.customer("Ana")
		status, out := h.call("POST", "/customers/"+ana+"/messages", `{"text":{"body":"x"}}`)
		checkAnswer(t, "without to", status, out, 400, `"to"`)
		h.want(201, "POST", "/customers/"+ana+"/messages", `{"to":"`+shop+`","text":{"body":"x"}}`)
		h.api.Close()
		_ = p.Close()
	}
	if _, err := phone.Open(t.Context(), phone.Options{Path: t.TempDir() + "/p.db", Businesses: []string{"shop"}}); err == nil {
		t.Error("a business without digits was accepted")
	}
}

func TestPagesOfMessages(t *testing.T) {
	h := alone(t)
	ana, beni := h.customer("Ana"), h.customer("Beni")
	for i := range 25 {
		h.writes(ana, fmt.Sprint(i))
		h.writes(beni, "noise")
	}
	next, got := 0.0, 0
	for {
		out := h.want(200, "GET", fmt.Sprintf("/customers/%s/messages?limit=10&after=%.0f", ana, next), "")
		list := out["messages"].([]any)
		for _, m := range list {
			if path(m, "text", "body") != fmt.Sprint(got) || path(m, "from") != ana || path(m, "to") != shop || path(m, "status") != "accepted" {
				t.Fatalf("number %d is %v", got, m)
			}
			if _, ok := path(m, "timestamp").(string); !ok {
				t.Fatalf("the timestamp is %v, want a string", path(m, "timestamp"))
			}
			got++
		}
		if len(list) == 0 {
			if out["next"] != next {
				t.Errorf("at the end next is %v, want %v again", out["next"], next)
			}
			break
		}
		next = out["next"].(float64)
	}
	if got != 25 {
		t.Errorf("%d messages, want 25", got)
	}
	last, err := h.Thread(t.Context(), ana, shop, -1, 3)
	if err != nil || len(last) != 3 || last[2].ID == "" || last[0].Seq >= last[2].Seq {
		t.Errorf("the newest three are %v, %v", last, err)
	}
	if m, err := h.Find(t.Context(), ana, last[2].ID); err != nil || m.Seq != last[2].Seq {
		t.Errorf("found %v, %v", m, err)
	}
	if _, err := h.Find(t.Context(), beni, last[2].ID); err == nil {
		t.Error("a customer found the message of another")
	}
}

func TestWhoMayCall(t *testing.T) {
	h := alone(t)
	h.options.Token = "secret"
	h.options.Hosts = []string{"phone.example"}
	h.api.Close()
	_ = h.Phone.Close()
	p, err := phone.Open(t.Context(), h.options)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	handler := p.Handler()
	for _, tt := range []struct {
		name, host, token string
		header            map[string]string
		status            int
	}{
		{"with the token", "127.0.0.1:9091", "Bearer secret", nil, 201},
		{"a known name", "phone.example", "Bearer secret", nil, 201},
		{"no token", "127.0.0.1:9091", "", nil, 401},
		{"a wrong token", "127.0.0.1:9091", "Bearer Secret", nil, 401},
		{"an unknown name", "evil.example", "Bearer secret", nil, 403},
		{"a page of another site", "127.0.0.1:9091", "Bearer secret", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"another origin", "127.0.0.1:9091", "Bearer secret", map[string]string{"Origin": "http://evil.example"}, 403},
		{"the phone's own page", "127.0.0.1:9091", "Bearer secret", map[string]string{"Origin": "http://127.0.0.1:9091"}, 201},
	} {
		r := httptest.NewRequest("POST", "/api/customers", strings.NewReader(`{"name":"x"}`))
		r.Host = tt.host
		r.Header.Set("Authorization", tt.token)
		for k, v := range tt.header {
			r.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != tt.status {
			t.Errorf("%s: %d %s, want %d", tt.name, w.Code, w.Body, tt.status)
		}
		if tt.status == http.StatusUnauthorized && !strings.Contains(w.Body.String(), "Bearer <token>") {
			t.Errorf("%s: %s", tt.name, w.Body)
		}
	}
}

func TestASecondPhoneOnTheStoreIsRefused(t *testing.T) {
	h := alone(t)
	if _, err := phone.Open(t.Context(), h.options); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("the second Open: %v", err)
	}
}
