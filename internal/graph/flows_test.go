package graph

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/auth"
	"kabar/internal/golden"
)

// A key of the operator sees all accounts, and so can copy flows from one to another.
func TestFlowsAreCopiedBetweenAccounts(t *testing.T) {
	e := newEnv(t)
	key := auth.NewKey()
	must(t, e.auth.AddKey(t.Context(), key, auth.Grant{Scopes: auth.GraphScopes()}))
	for _, name := range []string{"book", "ask"} {
		_, err := e.engine.Flows().Create(t.Context(), e.a.Account, &kabar.FlowDef{Name: name, Categories: []string{"OTHER"}, JSON: "{}"}, 0)
		must(t, err)
	}
	_, err := e.engine.Flows().Create(t.Context(), e.b.Account, &kabar.FlowDef{Name: "ask", Categories: []string{"OTHER"}}, 0)
	must(t, err)
	r := httptest.NewRequest("POST", "/"+e.api.nodeID(int64(e.b.Account))+"/migrate_flows",
		strings.NewReader(`{"source_waba_id":"`+e.api.nodeID(int64(e.a.Account))+`","source_flow_names":["book","ask","none"]}`))
	r.Header.Set("Authorization", "Bearer "+key)
	w := httptest.NewRecorder()
	e.mux.ServeHTTP(w, r)
	for _, want := range []string{`"source_name":"book"`, `"error_code":"4233041"`, `"error_code":"100"`} {
		if strings.Count(w.Body.String(), want) != 1 {
			t.Errorf("%d %s\nwant %s in it, once", w.Code, w.Body, want)
		}
	}
	all, err := e.engine.Flows().List(t.Context(), e.b.Account)
	must(t, err)
	if len(all) != 2 || all[1].Name != "book" || all[1].JSON != "{}" || all[1].Status != kabar.FlowDraft {
		t.Errorf("the account has %+v", all)
	}
}

// flowEndpoints answers for the endpoints of flows.
type flowEndpoints struct {
	server *golden.FlowServer
	away   bool
}

func (f *flowEndpoints) Do(r *http.Request, limit int64) (*http.Response, error) {
	if f.away {
		return &http.Response{StatusCode: http.StatusBadGateway, Body: http.NoBody}, nil
	}
	return f.server.Do(r, limit)
}

// A flow that exchanges data is published when its endpoint answers.
func TestTheEndpointOfAFlowIsAsked(t *testing.T) {
	e := newEnv(t)
	server, key := golden.NewFlowServer(nil)
	public, err := json.Marshal(map[string]string{"business_public_key": key})
	must(t, err)
	e.flows.away, e.flows.server = true, server
	call := func(path, body, want string) {
		t.Helper()
		w := e.ask(e.tokens["user"], "POST", path, body)
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s, want %s", path, w.Code, w.Body, want)
		}
	}
	draft := &kabar.FlowDef{Name: "book", Categories: []string{"OTHER"}, Endpoint: "https://shop.example/flow",
		JSON: `{"version":"5.0","data_api_version":"3.0","screens":[{"id":"ONE","terminal":true,"layout":{"type":"SingleColumnLayout","children":[
			{"type":"Footer","label":"Send","on-click-action":{"name":"data_exchange","payload":{}}}]}}]}`}
	d, err := e.engine.Flows().Create(t.Context(), e.a.Account, draft, 0)
	must(t, err)
	publish := d.ID.String() + "/publish"
	call(publish, "", "no number of the account has a business_public_key")
	call(e.api.nodeID(int64(e.a.ID))+"/whatsapp_business_encryption", string(public), `"success":true`)
	call(publish, "", "502")
	flows := e.api.nodeID(int64(e.a.Account)) + "/flows"
	atOnce, err := json.Marshal(map[string]any{"name": "at once", "categories": draft.Categories, "endpoint_uri": draft.Endpoint, "flow_json": draft.JSON, "publish": true})
	must(t, err)
	call(flows, string(atOnce), "502")
	if all, err := e.engine.Flows().List(t.Context(), e.a.Account); err != nil || len(all) != 1 {
		t.Errorf("what was refused is kept: %+v, %v", all, err)
	}
	e.flows.away = false
	call(publish, "", `"success":true`)
	call(flows, string(atOnce), `"success":true`)
	if all, err := e.engine.Flows().List(t.Context(), e.a.Account); err != nil || len(all) != 2 || all[1].Status != kabar.FlowPublished {
		t.Errorf("%+v, %v", all, err)
	}
}
