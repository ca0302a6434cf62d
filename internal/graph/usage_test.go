package graph

import (
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"
)

func TestUsageIsAShareOfAnHour(t *testing.T) {
	var u usage
	now := time.Date(2031, 5, 2, 10, 59, 0, 0, time.UTC)
	share := func(of int) int {
		t.Helper()
		var told map[string][]struct {
			Type  string `json:"type"`
			Calls int    `json:"call_count"`
		}
		if err := json.Unmarshal([]byte(u.count(1, "123", now)), &told); err != nil || len(told["123"]) != 1 || told["123"][0].Type != "whatsapp" {
			t.Fatalf("after %d: %v, %v", of, told, err)
		}
		return told["123"][0].Calls
	}
	for i := range 2 * hourly {
		if got, want := share(i), min(100, (i+1)*100/hourly); got != want {
			t.Fatalf("after %d calls: %d percent, want %d", i+1, got, want)
		}
	}
	u.count(2, "456", now)
	if now = now.Add(time.Minute); share(0) != 0 {
		t.Error("an hour later it goes on")
	}
}

// TestAnswersAboutAnAccountTellOfItsUsage asks for an account, its edges, and other nodes, which have no such figure.
func TestAnswersAboutAnAccountTellOfItsUsage(t *testing.T) {
	e := newEnv(t)
	account, number := e.api.nodeID(int64(e.a.Account)), e.api.nodeID(int64(e.a.ID))
	for path, want := range map[string]bool{account: true, account + "/phone_numbers": true, account + "/nothing": false, number: false,
		e.api.nodeID(int64(e.b.Account)): false} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/v23.0/"+path, nil)
		r.Header.Set("Authorization", "Bearer "+e.tokens["user"])
		w := httptest.NewRecorder()
		e.mux.ServeHTTP(w, r)
		if got := w.Header().Get(usageHeader); (got != "") != want {
			t.Errorf("%s: %q", path, got)
		}
	}
}
