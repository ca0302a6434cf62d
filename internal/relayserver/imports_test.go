package relayserver_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestTheRelayCannotDecrypt: nothing the relay is built from knows how.
func TestTheRelayCannotDecrypt(t *testing.T) {
	for _, pkg := range []string{"kabar/internal/relayserver", "kabar/internal/relayproto"} {
		out, err := exec.Command("go", "list", "-deps", pkg).CombinedOutput()
		if err != nil {
			t.Fatalf("go list: %v\n%s", err, out)
		}
		deps := strings.Fields(string(out))
		if len(deps) < 50 {
			t.Fatalf("go list found only %d packages: %s", len(deps), out)
		}
		for _, dep := range deps {
			if strings.Contains(dep, "/e2ee") || strings.HasPrefix(dep, "kabar/internal/network") {
				t.Errorf("%s depends on %s", pkg, dep)
			}
		}
	}
}
