package main

import (
	"cmp"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kabar/internal/golden"
)

// TestClients runs clients of the Cloud API that others have written, as they come from npm, against the real program: the scripts of
// testdata/clients. KABAR_TEST_CLIENTS names a copy of that folder in which npm ci has been run (bash .ci/run clients).
func TestClients(t *testing.T) {
	dir := os.Getenv("KABAR_TEST_CLIENTS")
	if dir == "" {
		t.Skip("!!! NOT CHECKED with clients of others: KABAR_TEST_CLIENTS does not name a folder with them")
	}
	m := newGoldenMould(t)
	scripts, err := filepath.Glob("testdata/clients/*.mjs")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		name := filepath.Base(script)
		if name == "kabar.mjs" { // what they have in common
			continue
		}
		t.Run(strings.TrimSuffix(name, ".mjs"), func(t *testing.T) {
			t.Parallel()
			runClient(t, m, filepath.Join(dir, name))
		})
	}
}

// runClient has a customer write to a fresh server, and a script use it.
func runClient(t *testing.T, m *goldenMould, script string) {
	s := m.pour(t, false, "--egress-allow", "127.0.0.1/32")
	s.phone(http.MethodPatch, golden.Ana, map[string]any{"online": true}, nil)
	s.phone(http.MethodPost, golden.Ana+"/messages", map[string]any{"type": "text", "text": map[string]any{"body": "hola"}}, nil)
	var inbound string
	s.retry("the customer's message to arrive", func() error {
		inbound = s.lastFrom(golden.Ana).ID
		if inbound == "" {
			return os.ErrNotExist
		}
		return nil
	})
	cmd := exec.CommandContext(t.Context(), "node", script)
	cmd.Env = append(os.Environ(), "KABAR_BASE=http://"+s.api, "KABAR_PHONES=http://"+s.phones, "KABAR_TOKEN="+m.cloud.tokens["user"], "KABAR_APP_ID="+m.cloud.app.AppID,
		"KABAR_APP_SECRET="+m.cloud.app.AppSecret, "KABAR_ACCOUNT="+m.cloud.ids["<waba>"], "KABAR_NUMBER="+m.cloud.ids["<phone>"], "KABAR_CUSTOMER="+golden.Ana,
		"KABAR_INBOUND="+golden.CloudID(inbound), "NODE_EXTRA_CA_CERTS="+filepath.Join(s.folder("server"), "tls", "tls.crt"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, cmp.Or(string(out), "it said nothing"))
	}
}
