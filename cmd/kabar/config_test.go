package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// parseConfig parses a command line with a configuration file.
func parseConfig(t *testing.T, text string, args ...string) (cli, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kabar.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var c cli
	resolver, err := readConfig(file)
	if err != nil {
		return c, err
	}
	parser, err := kong.New(&c, kong.Name("kabar"), kong.Resolvers(resolver))
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(args)
	return c, err
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
