package onprem

import (
	"net/http"
	"strings"
	"testing"

	"kabar"
)

// A number whose name is not approved, or whose throughput is being raised, sends nothing through /v1 either, and nothing is stored. A
// golden file cannot show it: no number that an operator has added is so.
func TestANumberThatMayNotSendYet(t *testing.T) {
	e := newEnv(t)
	send := func() (int, string, string) {
		w := e.ask(e.as("user"), http.MethodPost, "/v1/messages",
			`{"to":"34600111222","type":"template","template":{"name":"hello_kabar","language":{"policy":"deterministic","code":"en"}}}`)
		return w.Code, w.Header().Get("Retry-After"), w.Body.String()
	}
	set := func(change func(*kabar.Settings)) {
		t.Helper()
		must(t, e.engine.ChangeSettings(t.Context(), e.a.ID, func(s *kabar.Settings, _ *string) error { change(s); return nil }))
	}
	set(func(s *kabar.Settings) { s.Naming.Status = kabar.NamePending })
	if status, _, body := send(); status != 403 || !strings.Contains(body, `"code":1005,"title":"Access denied"`) || !strings.Contains(body, "PENDING_REVIEW") {
		t.Errorf("%d %s", status, body)
	}
	set(func(s *kabar.Settings) { s.Naming, s.Upgrade = kabar.Naming{}, e.now().Add(kabar.UpgradeTime) })
	if status, retry, body := send(); status != 503 || retry != "60" || !strings.Contains(body, `"code":1011`) {
		t.Errorf("%d, %s, %s", status, retry, body)
	}
	e.settle()
	if events, err := e.db.Events(t.Context(), e.a.ID, 0, 10); err != nil || len(events) != 0 {
		t.Errorf("%d events, %v", len(events), err)
	}
	e.advance(kabar.UpgradeTime)
	if status, _, body := send(); status != 201 {
		t.Errorf("%d %s", status, body)
	}
}
