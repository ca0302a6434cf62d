package graph

import (
	"testing"

	"kabar/internal/network"
)

// TestAPINChangedMeanwhileStays changes the PIN while the network is asked to admit the number.
func TestAPINChangedMeanwhileStays(t *testing.T) {
	e := newEnv(t)
	node := e.api.nodeID(int64(e.a.ID))
	ask := func(path, body string) {
		t.Helper()
		if res := e.ask(e.tokens["user"], "POST", node+path, body); res.Code != 200 {
			t.Fatalf("POST %s %s: %d %s", path, body, res.Code, res.Body)
		}
	}
	ask("", `{"pin":"111111"}`)
	ask("/deregister", "")
	e.net.admit(string(network.RegistrationUnproved))
	e.net.asked = func() {
		ask("", `{"pin":"222222"}`)
		e.net.admit("")
	}
	ask("/register", `{"messaging_product":"whatsapp","pin":"111111"}`)
	e.net.asked = nil
	ask("/register", `{"messaging_product":"whatsapp","pin":"222222"}`)
}
