package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// parseConfig parses a command line with a configuration file.
func parseConfig(t *testing.T, text string, args ...string) (cli, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kabar.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	conf, _, err := parse(append(args, "--config", file), nil, streams{io.Discard, io.Discard})
	if err != nil {
		return cli{}, err
	}
	return *conf.cli, nil
}

func TestConfig(t *testing.T) {
	c, err := parseConfig(t, `
data: /srv/kabar
master-key-file: /srv/master.key
relay: wss://relay.example
number: 628111000200
host: [a.example, "b,c.example"]
egress-allow:
  - 10.0.0.0/8
allow-plain-http: true
`, "serve", "--relay", "wss://other.example")
	if err != nil {
		t.Fatal(err)
	}
	s := c.Serve
	if s.Data != "/srv/kabar" || s.Number != "628111000200" || !s.AllowPlainHTTP || s.Relay != "wss://other.example" ||
		!slices.Equal(s.Host, []string{"a.example", "b,c.example"}) || !slices.Equal(s.EgressAllow, []string{"10.0.0.0/8"}) {
		t.Errorf("parsed %+v", s)
	}
	if c, err = parseConfig(t, "host: one.example\nbusiness: [628111000200, 628111000201]\n", "phone", "--data", "d", "--relay", "ws://r"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.Phone.Host, []string{"one.example"}) || !slices.Equal(c.Phone.Business, []string{"628111000200", "628111000201"}) {
		t.Errorf("parsed %+v", c.Phone)
	}
}

func TestConfigMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"serve:\n  addr: x\n":     `unknown key "serve"`,
		"addr:\n  host: x\n":      "addr: holds more keys",
		"host: [[a], b]\n":        "host: [0] holds more keys",
		"host: [a, {b: c}]\n":     "host: [1] holds more keys",
		"addr: [a, b]\n":          "addr: is a list",
		"addr:\n":                 "addr: has no value",
		"host: [a, ]\nhosts: x\n": `did you mean "host"`,
		"addr: a\naddr: b\n":      "addr",
		"- a\n":                   "",
	} {
		if _, err := parseConfig(t, text, "version"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// Command line before environment before file before default; --print-config says which it was, and shows no secret.
func TestPrintConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kabar.yaml")
	if err := os.WriteFile(file, []byte("data: /srv/kabar\nrelay: wss://file.example\nname: From the file\nhost: [a.example]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	environ := []string{"KABAR_RELAY=wss://environment.example", "KABAR_NAME=From the environment", "HOME=/root"}
	status := run(t.Context(), []string{"serve", "--config", file, "--relay", "wss://flag.example", "--print-config",
		"--database", "postgres://kabar:swordfish@db.example/kabar"}, environ, streams{&out, &errs})
	if status != 0 {
		t.Fatalf("status %d: %s", status, errs.String())
	}
	got := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{"relay: wss://flag.example # command line", "name: From the environment # environment KABAR_NAME",
		"host: [a.example] # file " + file, `addr: "127.0.0.1:9090" # default`, `database: "postgres://kabar:xxxxx@db.example/kabar" # command line`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "swordfish") {
		t.Error("a password is shown")
	}
	printed := filepath.Join(t.TempDir(), "printed.yaml")
	if err := os.WriteFile(printed, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if status := run(t.Context(), []string{"serve", "--config", printed, "--allow-inline-secrets", "--print-config"}, nil, streams{&out, &errs}); status != 0 {
		t.Errorf("what was printed cannot be read: %s", errs.String())
	}
}

// A key belongs to the program whose file it stands in, and the operator's commands read their program's file.
func TestConfigOfAProgram(t *testing.T) {
	for _, c := range []struct{ args, text, want string }{
		{"serve --data d --relay ws://r", "open-registration: true", `"open-registration" is no key of kabar serve`},
		{"relay --data d", "master-key-file: m", `"master-key-file" is no key of kabar relay`},
		{"user add x", "data: d\nrelay: ws://r\nmaster-key-file: m\negress-allow: [10.0.0.0/8]", ""},
		{"user add x", "data: d\nopen-registration: true", "is no key of kabar serve"},
		{"serve --relay ws://r --data d", "database: postgres://u:p@h/d", "database: a secret is not taken from the configuration file"},
		{"serve --relay ws://r --data d", "database: postgres://u:p@h/d\nallow-inline-secrets: true", ""},
		{"serve --relay ws://r --data d", "database: postgres://u@h/d", ""},
		{"serve --relay ws://r --data d", "invite: kri_1", "put it into a file and give --invite-file"},
	} {
		file := filepath.Join(t.TempDir(), "kabar.yaml")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := parse(append(strings.Fields(c.args), "--config", file), nil, streams{io.Discard, io.Discard})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s with %q: %v, want %q", c.args, c.text, err, c.want)
		}
	}
}
