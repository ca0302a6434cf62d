package graph

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"kabar"
)

// A golden file has not as many exchanges as a number may have in a second.
func TestThroughputIsRefused(t *testing.T) {
	e := newEnv(t)
	number := e.api.nodeID(int64(e.a.ID))
	_, err := e.engine.ChangeLimits(t.Context(), e.a.ID, func(l *kabar.Limits) error { l.Throughput = kabar.ThroughputStandard; return nil })
	must(t, err)
	send := func() *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/v23.0/"+number+"/messages", strings.NewReader(
			`{"messaging_product":"whatsapp","to":"34600111222","type":"template","template":{"name":"hello_kabar","language":{"code":"en"}}}`))
		r.Header.Set("Authorization", "Bearer "+e.tokens["user"])
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		e.mux.ServeHTTP(w, r)
		return w
	}
	for i := range int(kabar.ThroughputStandard) { // the clock stands still
		if w := send(); w.Code != 200 {
			t.Fatalf("message %d: %d %s", i, w.Code, w.Body)
		}
	}
	w := send()
	want := `"message":"(#130429) Rate limit hit","type":"OAuthException","code":130429,"error_data":{"messaging_product":"whatsapp","details":"the number has had 80 messages in a second`
	if got := fmt.Sprint(w.Code, " ", w.Header().Get("Retry-After")); got != "400 1" || !strings.Contains(w.Body.String(), want) {
		t.Errorf("%s: %s", got, w.Body)
	}
}

// While its throughput is being raised, a number sends nothing, and customers are heard. No golden file has so many customers.
func TestAnUpgradeIsWaitedFor(t *testing.T) {
	e := newEnv(t)
	id := e.api.nodeID(int64(e.a.ID))
	upgrade := func() {
		must(t, e.engine.ChangeSettings(t.Context(), e.a.ID, func(s *kabar.Settings, _ *string) error {
			s.Upgrade = e.now().Add(kabar.UpgradeTime)
			return nil
		}))
	}
	send := func() *httptest.ResponseRecorder {
		return e.ask(e.tokens["user"], "POST", id+"/messages",
			`{"messaging_product":"whatsapp","to":"34600111222","type":"template","template":{"name":"hello_kabar","language":{"code":"en"}}}`)
	}
	upgrade()
	w := send()
	if w.Code == 200 { // the engine's first look at limits came only now, and ended what it did not plan; the next is hours away
		upgrade()
		w = send()
	}
	if got := fmt.Sprint(w.Code, " ", w.Header().Get("Retry-After")); got != "500 60" || !strings.Contains(w.Body.String(), `"code":131057`) {
		t.Errorf("%s: %s", got, w.Body)
	}
	e.advance(kabar.UpgradeTime)
	if w := send(); w.Code != 200 {
		t.Errorf("after a minute: %d %s", w.Code, w.Body)
	}
}
