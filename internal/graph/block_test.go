package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// As many customers as a body holds are blocked by one request: the contract bounds the list, not the request.
func TestManyCustomersAreBlockedAtOnce(t *testing.T) {
	e := newEnv(t)
	const customers = 1500
	users := make([]string, customers)
	for i := range users {
		users[i] = fmt.Sprintf(`{"user":"3460011%04d"}`, i)
	}
	body := `{"messaging_product":"whatsapp","block_users":[` + strings.Join(users, ",") + `]}`
	for method, want := range map[string]int{"POST": http.StatusBadRequest, "DELETE": http.StatusOK} { // none of them has written
		w := e.ask(e.tokens["user"], method, e.api.nodeID(int64(e.a.ID))+"/block_users", body)
		var got blockAnswer
		must(t, json.Unmarshal(w.Body.Bytes(), &got))
		if n := len(got.Users.Failed) + len(got.Users.Removed); w.Code != want || n != customers {
			t.Errorf("%s: %d with %d customers, want %d with %d: %.300s", method, w.Code, n, want, customers, w.Body)
		}
	}
}
