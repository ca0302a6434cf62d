package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"kabar/internal/golden"
)

// TestGetStartedPage plays docs/get-started.md, both parts, against kabar dev: every block of commands is run as it stands, but for
// the values that differ on every machine, and what the page says is printed, by a command or by the webhook, is.
func TestGetStartedPage(t *testing.T) {
	for _, program := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("!!! NOT CHECKED: docs/get-started.md, as there is no %s", program)
		}
	}
	page, err := os.ReadFile("../../docs/get-started.md")
	if err != nil {
		t.Fatal(err)
	}
	r := newReader(t)
	step := ""
	for _, part := range regexp.MustCompile("(?ms)^\\*\\*([0-9]+)\\.|^```([a-z]*)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		switch kind, text := part[2], part[3]; {
		case part[1] != "":
			step = part[1]
			r.does(step)
		case kind == "json":
			r.file("parcel.json", []byte(text))
		case kind == "sh" && step != "1": // it is started already
			r.runs(text)
		case kind == "" && step != "1":
			r.sees(step, text)
		}
	}
	if step != "14" {
		t.Errorf("the page ends with step %s", step)
	}
	r.shows("6281234567890", `Dear Budi, your parcel 1042 has been sent`)
}

// reader does what the page says.
type reader struct {
	*goldenServer
	ready  ready
	values *strings.Replacer // what the page writes, and what it is here
	token  string
	said   string // by the last commands

	mu   sync.Mutex
	told bytes.Buffer // the webhook's window
}

func newReader(t *testing.T) *reader {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{goldenServer: &goldenServer{t: t, dir: t.TempDir(), lab: true}}
	r.kabar = filepath.Join(r.dir, "kabar")
	if err := os.Symlink(self, r.kabar); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.stop)
	readyFile := filepath.Join(r.dir, "ready.json")
	r.background("dev", "--data", filepath.Join(r.dir, "kabar-data"), "--addr", anyPort, "--phone-addr", anyPort, "--relay-addr", anyPort, "--ready-file", readyFile)
	r.retry("kabar dev to be ready", func() error {
		text, err := os.ReadFile(readyFile)
		return errors.Join(err, json.Unmarshal(text, &r.ready))
	})
	r.api, r.phones = strings.TrimPrefix(r.ready.API, "http://"), strings.TrimPrefix(r.ready.Phone, "http://")
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body) // what has broken off comes again
		r.mu.Lock()
		defer r.mu.Unlock()
		r.told.Write(append(body, '\n'))
	}))
	t.Cleanup(hook.Close)
	r.values = strings.NewReplacer("http://127.0.0.1:9090", r.ready.API, "http://127.0.0.1:9091", r.ready.Phone, "http://127.0.0.1:3000", hook.URL,
		"mUq5C-vQCRE-UTa8p-9NCjQ", r.ready.OnPrem.Password, "python3 hook.py &\n", "")
	return r
}

// does what a step has a person do.
func (r *reader) does(step string) {
	r.t.Helper()
	switch step {
	case "7": // answer as Ana
		var sent struct{ ID string }
		r.phone(http.MethodPost, golden.Ana+"/messages", map[string]any{"type": "text", "text": map[string]any{"body": "Do you have oat milk?"}}, &sent)
		r.retry("the customer's message at the webhook", func() error {
			id := regexp.MustCompile(`"id":"(AB[^"]*)"[^\n]*oat milk`).FindStringSubmatch(r.window())
			if id == nil {
				return errors.New("it has not come")
			}
			r.values = strings.NewReplacer("ABGGNGABESIvAgoBAdBmU7WVF0WD", id[1], "http://127.0.0.1:9090", r.ready.API)
			return nil
		})
	case "10": // she reads the reply
		id := regexp.MustCompile(`"id":"(gB[^"]*)"`).FindStringSubmatch(r.said)
		if id == nil {
			r.t.Fatalf("no id in %s", r.said)
		}
		r.values = strings.NewReplacer("THE-ID-OF-YOUR-REPLY", id[1], "http://127.0.0.1:9091", r.ready.Phone, "http://127.0.0.1:9090", r.ready.API)
		r.retry("the reply on the phone", func() error {
			if r.shown(golden.Ana, id[1]).ID == "" {
				return errors.New("it is not there")
			}
			return nil
		})
	}
}

func (r *reader) window() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told.String()
}

// runs runs a block of commands, which must succeed.
func (r *reader) runs(block string) {
	r.t.Helper()
	if strings.Contains(block, "export TOKEN=") { // it is "token" of the answer
		block, _, _ = strings.Cut(block, "export TOKEN=")
	}
	script := "set -euo pipefail\n" + r.values.Replace(block)
	cmd := exec.CommandContext(r.t.Context(), "bash", "-c", script)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "PATH="+r.dir+string(os.PathListSeparator)+os.Getenv("PATH"), "TOKEN="+r.token)
	out, err := cmd.CombinedOutput()
	if r.said = string(out); err != nil || strings.Contains(r.said, `"errors"`) {
		r.t.Fatalf("%s\n%v\n%s", block, err, out)
	}
	if token := regexp.MustCompile(`"token":"([^"]+)"`).FindStringSubmatch(r.said); token != nil {
		r.token = token[1]
	}
}

// differing is what is another on every machine.
var differing = regexp.MustCompile(`eyJ[^"]*|(?:gB|AB)G[0-9A-Za-z_-]{20,}|\b[0-9]{10,16}\b|[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:+]+`)

// sees compares what the page says is printed: by the commands before it, or by the webhook.
func (r *reader) sees(step, block string) {
	r.t.Helper()
	plain := func(s string) string { return strings.Join(strings.Fields(differing.ReplaceAllString(s, "…")), " ") }
	want := plain(block)
	r.retry("step "+step+" to print "+want, func() error {
		if !strings.Contains(plain(r.said), want) && !strings.Contains(plain(r.window()), want) {
			return fmt.Errorf("it says\n%s\nand the webhook\n%s", r.said, r.window())
		}
		return nil
	})
}

// shows waits until a customer's phone shows a text.
func (r *reader) shows(who, text string) {
	r.t.Helper()
	r.retry("the phone to show "+text, func() error {
		var all json.RawMessage
		r.phone(http.MethodGet, who+"/messages", nil, &all)
		if !bytes.Contains(all, []byte(text)) {
			return errors.New(string(all))
		}
		return nil
	})
}
