package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kabar/internal/golden"
)

// goldenMould is a server that the operator's commands and first logins have given all that golden files count on. It is
// stopped, and copied for each file.
type goldenMould struct {
	goldenServer
	key    string            // of the first number
	tokens map[string]string // by who asks
	fresh  string            // the password that the user fresh must change
	hidden string            // the customer who hides the number
	cloud  goldenCloud       // what the Cloud API knows
}

func newGoldenMould(t *testing.T) *goldenMould {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	m := &goldenMould{goldenServer: goldenServer{t: t, dir: dir, kabar: filepath.Join(dir, "kabar")}, tokens: map[string]string{}}
	if err := os.Symlink(self, m.kabar); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.stop)
	if err := os.Mkdir(filepath.Join(dir, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	m.run("key", "master", m.master())
	m.start("--number", golden.Ours, "--name", "Warung")
	m.provision()
	m.login("admin", "admin", m.password("user", "password", "admin"))
	m.people()
	m.cloud = newGoldenCloud(m)
	m.stop()
	m.cloud.readSecret(m)
	return m
}

// provision runs the operator's commands.
func (m *goldenMould) provision() {
	m.t.Helper()
	theirs := "admin-" + golden.Theirs
	m.login("other", theirs, m.password("number", "add", golden.Theirs, "--name", "Toko"))
	for _, number := range []string{golden.Ours, golden.Theirs} {
		m.operate("number", "limits", number, "--throughput", "off", "--pair-rate", "off", "--tier", "off")
	}
	m.login("user", "ops", m.password("user", "add", "ops", "--number", golden.Ours))
	m.fresh = m.password("user", "add", "fresh", "--number", golden.Ours)
	m.key = m.newKey("--number", golden.Ours)
	m.reader = m.newKey("--scopes", "read,lab,review")
	templates, err := json.Marshal(golden.Templates())
	if err != nil {
		m.t.Fatal(err)
	}
	m.operate("template", "import", m.file("templates.json", templates), "--account", "Warung")
	catalogs := map[string][][]string{}
	for _, p := range golden.Products() {
		catalogs[p.Catalog] = append(catalogs[p.Catalog], []string{p.RetailerID, p.Name, priceText(p.Price), p.Currency, p.Image, string(p.Availability)})
	}
	for id, rows := range catalogs {
		var text bytes.Buffer
		if err := csv.NewWriter(&text).WriteAll(append([][]string{productColumns().All()}, rows...)); err != nil {
			m.t.Fatal(err)
		}
		m.operate("catalog", "import", m.file(id+".csv", text.Bytes()), "--catalog", id, "--account", "Warung")
	}
}

// newKey runs a command that prints a key.
func (m *goldenMould) newKey(args ...string) string {
	m.t.Helper()
	out := m.operate(append([]string{"key", "add"}, args...)...)
	key := regexp.MustCompile(`kbr_[A-Z2-7]+`).FindString(out)
	if key == "" {
		m.t.Fatalf("no key in %s", out)
	}
	return key
}

// people gives everybody whom files speak of a handset, switches it off, and waits for what it was sent.
func (m *goldenMould) people() {
	m.t.Helper()
	all := map[string]string{golden.Ana: golden.AnaName, "34600111333": "Ben"}
	for _, number := range []string{"34600111444", "34600111555", "34600333444", "442079460958", "14155552671", "600111222"} {
		all[number] = "Somebody"
	}
	for number, name := range all {
		m.joins(m.tokens["other"], map[string]any{"wa_id": number, "name": name})
	}
	m.hidden = m.joins(m.tokens["other"], map[string]any{"hide_number": true, "name": "Ana"})
}

// joins gives a customer a handset, waits until the server can find it, and switches it off.
func (s *goldenServer) joins(token string, customer map[string]any) (handle string) {
	s.t.Helper()
	var made struct {
		WaID string `json:"wa_id"`
	}
	s.phone(http.MethodPost, "", customer, &made)
	handle = made.WaID
	s.retry(handle+" to be found", func() error {
		r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "/v1/contacts",
			strings.NewReader(fmt.Sprintf(`{"blocking":"wait","force_check":true,"contacts":[%q]}`, handle)))
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		status, _, text, err := s.ask(r)
		if err != nil || !bytes.Contains(text, []byte(`"valid"`)) {
			return fmt.Errorf("%d %s %w", status, text, err)
		}
		return nil
	})
	s.phone(http.MethodPatch, handle, map[string]any{"online": false}, nil)
	return handle
}

// operate runs a command on the running server.
func (m *goldenMould) operate(args ...string) string {
	m.t.Helper()
	return m.run(append(args, "--data", filepath.Join(m.dir, "server"))...)
}

// password runs a command that prints one.
func (m *goldenMould) password(args ...string) string {
	m.t.Helper()
	out := m.operate(args...)
	found := regexp.MustCompile(`(?:the password|not shown again:) (\S+)`).FindStringSubmatch(out)
	if found == nil {
		m.t.Fatalf("no password in %s", out)
	}
	return found[1]
}

// login has a user log in for the first time, and keeps the token.
func (m *goldenMould) login(who, user, password string) {
	m.t.Helper()
	body := fmt.Sprintf(`{"new_password":%q}`, golden.Password)
	r, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, "/v1/users/login", strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	r.SetBasicAuth(user, password)
	status, _, text, err := m.ask(r)
	var answer struct{ Users []struct{ Token string } }
	if err != nil || json.Unmarshal(text, &answer) != nil || len(answer.Users) != 1 {
		m.t.Fatalf("login of %s: %d %s, %v", user, status, text, err)
	}
	m.tokens[who] = answer.Users[0].Token
}

// pour starts a server over a copy of the mould, with a clock that can be shifted or with more flags. It ends with the test.
func (m *goldenMould) pour(t *testing.T, lab bool, more ...string) *goldenServer {
	t.Helper()
	s := m.copy(t, "keys", "server", "relay", "phone")
	s.lab = lab
	s.start(more...)
	return s
}

// pourBare is pour without anybody: the relay knows nobody, and there are no phones.
func (m *goldenMould) pourBare(t *testing.T, more ...string) *goldenServer {
	t.Helper()
	s := m.copy(t, "keys", "server")
	s.bare = true
	s.start(more...)
	return s
}

// copy copies folders of the mould.
func (m *goldenMould) copy(t *testing.T, folders ...string) *goldenServer {
	t.Helper()
	s := &goldenServer{t: t, kabar: m.kabar, dir: t.TempDir(), reader: m.reader}
	for _, folder := range folders {
		if err := os.CopyFS(s.folder(folder), os.DirFS(m.folder(folder))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(s.master(), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}
