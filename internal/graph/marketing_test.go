package graph

import (
	"net/http/httptest"
	"strings"
	"testing"

	"kabar"
	"kabar/internal/store"
)

// What is sent as marketing is priced as marketing of its own kind.
func TestMarketingHasItsPrice(t *testing.T) {
	e := newEnv(t)
	must(t, e.db.Write(t.Context(), nil, func(tx *store.Tx) error {
		return tx.SaveTemplate(&kabar.TemplateDef{Account: e.a.Account, Name: "sale", Language: "en", Category: kabar.CategoryMarketing, Status: kabar.TemplateApproved,
			Components: []kabar.TemplateComponent{{Type: kabar.TemplateBody, Text: "20% off"}}})
	}))
	for edge, want := range map[string]string{"messages": `"category":"marketing"`, "marketing_messages": `"category":"marketing_lite"`} {
		r := httptest.NewRequest("POST", "/"+e.api.nodeID(int64(e.a.ID))+"/"+edge,
			strings.NewReader(`{"messaging_product":"whatsapp","to":"34600111222","type":"template","template":{"name":"sale","language":{"code":"en"}}}`))
		r.Header.Set("Authorization", "Bearer "+e.tokens["user"])
		w := httptest.NewRecorder()
		e.mux.ServeHTTP(w, r)
		if w.Code != 200 {
			t.Fatalf("%s: %d %s", edge, w.Code, w.Body)
		}
		e.settle()
		events, err := e.db.Events(t.Context(), e.a.ID, 0, 100)
		must(t, err)
		body, _, err := e.api.Render(events[len(events)-1], e.a, kabar.Settings{})
		must(t, err)
		if !strings.Contains(string(body), want) {
			t.Errorf("%s: the status says\n%s\nwant %s", edge, body, want)
		}
	}
}
