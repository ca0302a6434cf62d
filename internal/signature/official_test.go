package signature_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"kabar/internal/signature"
)

func TestTheOfficialVerifierAgrees(t *testing.T) {
	for _, r := range requests(t) {
		official, err := standardwebhooks.NewWebhook(r.secret)
		if err == nil {
			err = official.Verify([]byte(r.body), r.header())
		}
		if (err == nil) != r.good {
			t.Errorf("%s: the official verifier says %v", r.name, err)
		}
		if err := signature.Verify([]string{r.secret}, r.header(), []byte(r.body), time.Now()); (err == nil) != r.good {
			t.Errorf("%s: ours says %v", r.name, err)
		}
	}
}

// TestClientsVerify has the official verifier in JavaScript judge the same. KABAR_TEST_CLIENTS is as in TestClients of cmd/kabar, whose folder
// it is (bash .ci/run clients).
func TestClientsVerify(t *testing.T) {
	dir := os.Getenv("KABAR_TEST_CLIENTS")
	if dir == "" {
		t.Skip("!!! NOT CHECKED with the official verifier in JavaScript: KABAR_TEST_CLIENTS does not name a folder with it")
	}
	script, err := filepath.Abs(filepath.Join("testdata", "official.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", script)
	cmd.Dir = dir
	judge(t, cmd, requests(t))
}
