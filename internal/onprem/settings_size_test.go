package onprem

import (
	"net/http"
	"strings"
	"testing"
)

// TestSettingsAreBounded: what is only kept could make a backup of the settings larger than a restore may be.
func TestSettingsAreBounded(t *testing.T) {
	e := newEnv(t)
	long := `"` + strings.Repeat("x", 257) + `"`
	for _, tt := range []struct{ body, field string }{
		{`{"on_call_pager":` + long + `}`, "on_call_pager"},
		{`{"log_level":` + long + `}`, "log_level"},
		{`{"media":{"auto_download":["image"` + strings.Repeat(`,"image"`, 6) + `]}}`, "media.auto_download"},
	} {
		w := e.do(t, http.MethodPatch, "/v1/settings/application", strings.NewReader(tt.body), "Authorization", "Bearer "+e.tokens["admin"])
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), tt.field+":") {
			t.Errorf("%.60s: %d %s, want it refused", tt.body, w.Code, w.Body)
		}
	}
}
