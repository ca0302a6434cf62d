package manage_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"kabar"
	"kabar/internal/deliveries"
	"kabar/internal/endpoint"
	"kabar/internal/engine"
	"kabar/internal/manage"
	"kabar/internal/store"
	"kabar/internal/storetest"
	"kabar/internal/trace"
	"kabar/internal/webhook"
)

// hooked is the API over endpoints of a store, asked by whoever is set.
type hooked struct {
	*storetest.Env
	t      *testing.T
	server *httptest.Server
	as     trace.Of
	tried  *webhook.Trial

	failing bool // what Health says of all endpoints
}

func openHooks(t *testing.T, s *storetest.Env) *hooked {
	t.Helper()
	h := &hooked{Env: s, t: t, as: trace.Of{Account: s.A.Account}, tried: &webhook.Trial{ID: "evt_x", Type: "message.received", Body: []byte("{}"), Status: 200}}
	now := func() time.Time { return s.Now }
	tracer := trace.New(s.DB, trace.Names{Own: func(id string) string { return id }, Ref: func(string) (uint64, bool) { return 0, false }})
	api := manage.New(manage.Options{Now: now, Nodes: s.DB, IDs: s.DB, Numbers: s.DB.Numbers, Of: func(*http.Request) trace.Of { return h.as },
		AccountsOf: func(*http.Request) ([]kabar.AccountID, string, error) {
			if h.as.Account == 0 {
				return []kabar.AccountID{s.A.Account, s.B.Account}, "key", nil
			}
			return []kabar.AccountID{h.as.Account}, "key", nil
		},
		Endpoints: endpoint.New(endpoint.Options{Store: s.DB, Now: now, Customer: engine.ParseRecipient, Wake: func(kabar.NumberID) {}, Retry: func(kabar.NumberID, kabar.EndpointID) {},
			CheckURL: func(u string) error {
				if strings.Contains(u, "169.254") {
					return errors.New("169.254.169.254 is not a public address")
				}
				return nil
			}}),
		Health: func(context.Context) (func(endpoint.Group) webhook.Backlog, error) {
			return func(endpoint.Group) webhook.Backlog {
				return webhook.Backlog{Pending: 7, LastStatus: 503, Failing: h.failing}
			}, nil
		},
		Try: func(context.Context, *kabar.Endpoint) (*webhook.Trial, error) { return h.tried, nil },
		Deliveries: deliveries.New(deliveries.Options{Store: s.DB, Messages: tracer, Log: slog.New(slog.DiscardHandler), Settings: func(kabar.NumberID) (kabar.Settings, error) { return s.Settings, nil },
			Render: map[kabar.Dialect]deliveries.Renderer{kabar.Kabar: func(ev *kabar.Event, _ *kabar.Number, _ kabar.Settings) ([]byte, bool, error) {
				return fmt.Appendf(nil, `{"seq":%d}`, ev.Seq), true, nil
			}}})})
	mux := http.NewServeMux()
	for pattern, handler := range api.Handlers() {
		mux.Handle(pattern, handler)
	}
	h.server = httptest.NewServer(mux)
	t.Cleanup(h.server.Close)
	return h
}

// ask makes a request, and checks the status.
func (h *hooked) ask(want int, method, path, body string) map[string]any {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.server.URL+"/kabar/v1"+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := h.server.Client().Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // it has been read
	text, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	if res.StatusCode != want {
		h.t.Errorf("%s %s %s: %d %s, want %d", method, path, body, res.StatusCode, text, want)
	}
	out := map[string]any{}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &out); err != nil {
			h.t.Fatalf("%s: %v", text, err)
		}
	}
	return out
}

func (h *hooked) event(n *kabar.Number) {
	h.t.Helper()
	h.Write(h.t, func(tx *store.Tx) error {
		return tx.AddEvent(&kabar.Event{Account: n.Account, Number: n.ID, Kind: kabar.EventLimits, At: h.Now})
	})
}

func TestHealthOfAllEndpoints(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		h := openHooks(t, s)
		wide := h.ask(201, "POST", "/endpoints", `{"url":"https://app.example/hook"}`)["id"]
		h.as = trace.Of{Account: s.B.Account}
		other := h.ask(201, "POST", "/endpoints", `{"url":"https://other.example/hook"}`)["id"]
		suspend := func(n *kabar.Number) {
			s.Write(t, func(tx *store.Tx) error {
				all, err := s.DB.Endpoints(t.Context(), n.ID)
				if err != nil {
					return err
				}
				return tx.ChangeEndpoint(n.ID, all[len(all)-1].ID, func(c *kabar.EndpointConfig) error { c.Become(kabar.EndpointSuspended, "gone", s.Now); return nil })
			})
		}
		suspend(s.B)
		for _, c := range []struct {
			as      trace.Of
			healthy bool
			pending float64
			ids     []any
		}{{trace.Of{Account: s.A.Account}, true, 7, []any{wide}}, {trace.Of{Account: s.B.Account}, false, 7, []any{other}}, {trace.Of{}, false, 14, []any{wide, other}}} {
			h.as = c.as
			got := h.ask(200, "GET", "/health", "")
			ids := []any{}
			for _, e := range got["endpoints"].([]any) {
				ids = append(ids, e.(map[string]any)["id"])
			}
			if got["healthy"] != c.healthy || got["pending"] != c.pending || !slices.Equal(ids, c.ids) {
				t.Errorf("%+v: %v", c.as, got)
			}
		}
		h.as, h.failing = trace.Of{Account: s.A.Account}, true
		for state, healthy := range map[string]bool{"active": false, "paused": true} {
			h.ask(200, "PATCH", "/endpoints/"+wide.(string), `{"state":"`+state+`"}`)
			if got := h.ask(200, "GET", "/health?number="+s.A.Digits, ""); got["healthy"] != healthy || len(got["endpoints"].([]any)) != 1 {
				t.Errorf("%s: %v", state, got)
			}
		}
		h.ask(400, "GET", "/health?all=1", "")
	})
}

func TestAnEndpointsSecretIsShownOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		h := openHooks(t, s)
		made := h.ask(201, "POST", "/endpoints", `{"url":"https://app.example/hook","events":["message.*"],"headers":{"Authorization":"Basic eDp5"}}`)
		id, _ := made["id"].(string)
		secret, _ := made["secret"].(string)
		if !strings.HasPrefix(id, "ep_") || !strings.HasPrefix(secret, "whsec_") || made["dialect"] != "kabar" || made["managed_by"] != "api" || made["number"] != nil {
			t.Errorf("made %v", made)
		}
		for _, path := range []string{"/endpoints", "/endpoints/" + id} {
			text := fmt.Sprint(h.ask(200, "GET", path, ""))
			if strings.Contains(text, "whsec_") || strings.Contains(text, "eDp5") || !strings.Contains(text, "Authorization") || !strings.Contains(text, "pending:7") {
				t.Errorf("GET %s: %s", path, text)
			}
		}
		next := h.ask(200, "POST", "/endpoints/"+id+"/secret", `{"overlap_hours":1}`)
		if again, _ := next["secret"].(string); again == secret || !strings.HasPrefix(again, "whsec_") || len(next["secrets"].([]any)) != 2 {
			t.Errorf("replaced %v", next)
		}
		pair := h.ask(200, "POST", "/endpoints/"+id+"/secret", `{"kind":"v1a"}`)
		if text := fmt.Sprint(pair["secrets"]); !strings.Contains(text, "whpk_") || strings.Contains(text, "whsk_") {
			t.Errorf("a pair is shown as %s", text)
		}
		h.ask(400, "POST", "/endpoints/"+id+"/secret", `{"kind":"rsa"}`)
		h.ask(400, "POST", "/endpoints/"+id+"/secret", `{"kind":"v1a","secret":"`+secret+`"}`)
		h.ask(400, "POST", "/endpoints/"+id+"/secret", `{"overlap_hours":2251799813685416}`)
		h.ask(204, "DELETE", "/endpoints/"+id, "")
		h.ask(404, "GET", "/endpoints/"+id, "")
	})
}

func TestEndpointsOfOthersAreUnknown(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		h := openHooks(t, s)
		wide, _ := h.ask(201, "POST", "/endpoints", `{"url":"https://app.example/hook"}`)["id"].(string)
		h.event(s.A)
		delivery := s.DB.DeliveryID(s.DB.ParseEndpoint(wide), 1)
		h.as = trace.Of{Account: s.B.Account}
		for _, ask := range []struct{ method, path, body string }{
			{"GET", "/endpoints/" + wide, ""}, {"PATCH", "/endpoints/" + wide, "{}"}, {"DELETE", "/endpoints/" + wide, ""},
			{"POST", "/endpoints/" + wide + "/secret", "{}"}, {"POST", "/endpoints/" + wide + "/test", ""},
			{"POST", "/endpoints/" + wide + "/replay", `{"failed":true}`}, {"GET", "/endpoints/" + wide + "/replays", ""},
			{"GET", "/deliveries/" + delivery, ""}, {"POST", "/deliveries/" + delivery + "/replay", ""},
			{"POST", "/endpoints", `{"url":"https://x.example/","number":"` + s.A.Digits + `"}`},
		} {
			h.ask(404, ask.method, ask.path, ask.body)
		}
		if all := h.ask(200, "GET", "/endpoints", "")["data"].([]any); len(all) != 0 {
			t.Errorf("another account sees %v", all)
		}
		if all := h.ask(200, "GET", "/deliveries", "")["deliveries"].([]any); len(all) != 0 {
			t.Errorf("another account sees %v", all)
		}
		h.as = trace.Of{Account: s.A.Account, Number: s.A.ID}
		h.ask(200, "GET", "/endpoints/"+wide, "")
		h.ask(403, "PATCH", "/endpoints/"+wide, `{"state":"paused"}`)
		h.ask(403, "POST", "/deliveries/"+delivery+"/replay", "")
		h.ask(404, "POST", "/endpoints", `{"url":"https://x.example/","account":"`+fmt.Sprint(s.DB.Node(int64(s.B.Account)))+`"}`)
		if own := h.ask(201, "POST", "/endpoints", `{"url":"https://app.example/hook"}`); own["number"] != s.A.Digits {
			t.Errorf("a key of one number made %v", own)
		}
		h.as = trace.Of{}
		h.ask(400, "POST", "/endpoints", `{"url":"https://app.example/hook"}`) // of which account?
	})
}

func TestWhatAnEndpointCannotBeIsRefused(t *testing.T) {
	storetest.SQLite(t, func(t *testing.T, s *storetest.Env) {
		h := openHooks(t, s)
		id, _ := h.ask(201, "POST", "/endpoints", `{"url":"https://app.example/hook","number":"`+s.A.Digits+`"}`)["id"].(string)
		for _, body := range []string{`{}`, `{"url":"http://169.254.169.254/"}`, `{"url":"https://x.example/","dialect":"soap"}`, `{"url":"https://x.example/","events":["nothing.*"]}`,
			`{"url":"https://x.example/","customers":["Ana"]}`,
			`{"url":"https://x.example/","surprise":1}`, `{"url":7}`, `[]`, `{"url":"https://x.example/","headers":{"webhook-id":"1"}}`, `{"url":"https://x.example/","batch":1001}`} {
			h.ask(400, "POST", "/endpoints", body)
		}
		h.ask(400, "PATCH", "/endpoints/"+id, `{"url":"http://169.254.169.254/"}`)
		h.ask(400, "PATCH", "/endpoints/"+id, `{"state":"suspended"}`)
		h.ask(400, "POST", "/endpoints/"+id+"/replay", `{}`)
		h.ask(400, "POST", "/endpoints/"+id+"/replay", `{"failed":true,"since":"2031-05-02T10:15:00Z"}`)
		h.ask(400, "GET", "/endpoints?color=red", "")
		for _, query := range []string{"state=late", "limit=0", "limit=201", "endpoint=ep_0", "since=yesterday", "after=x", "order=latest", "color=red"} {
			h.ask(400, "GET", "/deliveries?"+query, "")
		}
		h.ask(404, "GET", "/endpoints/nobody", "")
		h.ask(404, "PATCH", "/replays/rpl_x", `{"state":"paused"}`)
		now := h.ask(200, "PATCH", "/endpoints/"+id, `{"state":"paused","events":[],"timeout_seconds":30,"description":"crm"}`)
		if now["state"] != "paused" || now["timeout_seconds"] != 30.0 || now["description"] != "crm" || now["url"] != "https://app.example/hook" {
			t.Errorf("changed to %v", now)
		}
		h.ask(409, "POST", "/endpoints/"+id+"/replay", `{"failed":true}`)
	})
}

func TestDeliveriesAndReplaysOfAnEndpoint(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *storetest.Env) {
		h := openHooks(t, s)
		id, _ := h.ask(201, "POST", "/endpoints", `{"url":"https://app.example/hook","number":"`+s.A.Digits+`"}`)["id"].(string)
		h.event(s.A)
		h.event(s.A)
		page := h.ask(200, "GET", "/deliveries?endpoint="+id+"&limit=1", "")
		first := page["deliveries"].([]any)[0].(map[string]any)
		if first["state"] != "waiting" || first["endpoint"] != id || first["type"] != "number.limits_changed" || page["next"] == nil {
			t.Errorf("page %v", page)
		}
		rest := h.ask(200, "GET", "/deliveries?endpoint="+id+"&after="+page["next"].(string), "")
		if len(rest["deliveries"].([]any)) != 1 || rest["next"] != nil {
			t.Errorf("rest %v", rest)
		}
		newest := h.ask(200, "GET", "/deliveries?order=newest&limit=1", "")
		if last := newest["deliveries"].([]any)[0].(map[string]any); last["id"] != rest["deliveries"].([]any)[0].(map[string]any)["id"] {
			t.Errorf("the newest is %v", last)
		}
		h.ask(400, "GET", "/deliveries?order=oldest&after="+newest["next"].(string), "")
		if all := h.ask(200, "GET", "/deliveries?order=newest&after="+newest["next"].(string), "")["deliveries"].([]any); len(all) != 1 || all[0].(map[string]any)["id"] != first["id"] {
			t.Errorf("behind the newest are %v", all)
		}
		path := "/deliveries/" + first["id"].(string)
		if one := h.ask(200, "GET", path, ""); one["request"] != `{"seq":1}` {
			t.Errorf("one %v", one)
		}
		begun := h.ask(202, "POST", path+"/replay", "")["data"].([]any)
		if len(begun) != 1 || begun[0].(map[string]any)["events"] != 1.0 {
			t.Fatalf("begun %v", begun)
		}
		replay := begun[0].(map[string]any)["id"].(string)
		h.ask(200, "PATCH", "/replays/"+replay, `{"state":"paused"}`)
		h.ask(400, "PATCH", "/replays/"+replay, `{"state":"done"}`)
		h.ask(200, "PATCH", "/replays/"+replay, `{"state":"cancelled"}`)
		h.ask(409, "PATCH", "/replays/"+replay, `{"state":"running"}`)
		if all := h.ask(200, "GET", "/endpoints/"+id+"/replays", "")["data"].([]any); len(all) != 1 {
			t.Errorf("replays %v", all)
		}
		if since := h.ask(202, "POST", "/endpoints/"+id+"/replay", `{"since":"2000-01-01T00:00:00Z"}`)["data"].([]any); len(since) != 1 {
			t.Errorf("since the beginning: %v", since)
		}
		h.tried = &webhook.Trial{ID: "evt_y", Status: 500, Error: "HTTP 500", Answer: []byte("no"), Body: []byte("{}")}
		if tried := h.ask(200, "POST", "/endpoints/"+id+"/test", ""); tried["taken"] != false || tried["answer"] != "no" {
			t.Errorf("tried %v", tried)
		}
	})
}
