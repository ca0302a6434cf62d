package graph

import (
	"encoding/json"
	"net/http/httptest"
	"testing"

	"kabar"
)

// TestEdgesHaveCodesOfTheirOwn looks at what a few edges call otherwise, and which no golden exchange can bring about: races, a
// store that fails, a network that is away.
func TestEdgesHaveCodesOfTheirOwn(t *testing.T) {
	a := newEnv(t).api
	for _, c := range []struct {
		own    map[kabar.Reason]refusal
		reason kabar.Reason
		code   int
		status int
	}{
		{nil, kabar.ReasonStore, 131000, 500},
		{nil, kabar.ReasonOverloaded, 2, 503},
		{ofBlocking, kabar.ReasonBlockLimit, 139101, 400},
		{ofBlocking, kabar.ReasonBlockBusy, 139102, 400},
		{ofBlocking, kabar.ReasonStore, 139103, 400},
		{ofBlocking, kabar.ReasonInternal, 139103, 400},
		{ofRegistering, kabar.ReasonNotReady, 133004, 503},
		{ofRegistering, kabar.ReasonUnregistered, 133006, 400},
		{ofRegistering, kabar.ReasonTooMany, 133008, 400},
		{ofMessages, kabar.ReasonInvalid, 131009, 400},
		{nil, kabar.ReasonUsernameOurs, 147005, 400},
		{nil, kabar.ReasonUpgrade, 131057, 500},
	} {
		w := httptest.NewRecorder()
		x := newExchange(w, httptest.NewRequestWithContext(t.Context(), "POST", "/v23.0/1/x", nil))
		x.own = c.own
		a.fail(x, kabar.Refuse(c.reason, "", "why"))
		var got answer
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Error.Code != c.code || w.Code != c.status {
			t.Errorf("%q: %d %s, %v, want %d %d", c.reason, w.Code, w.Body, err, c.status, c.code)
		}
	}
}
