package main

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"kabar/internal/certs"
)

// sample is a commented configuration file, which is the manual of its keys.
type sample struct {
	t     *testing.T
	file  string
	text  string
	lines []sampleLine
}

// sampleLine is a key in a sample.
type sampleLine struct {
	key, value string
	live       bool // not commented out
	reload     bool // its paragraph is marked (reload)
}

var sampleKey = regexp.MustCompile(`^(# )?([a-z][a-z0-9-]*): (.+)$`)

func readSample(t *testing.T, program string) *sample {
	t.Helper()
	s := &sample{t: t, file: filepath.Join("..", "..", "deploy", "config", program+".yaml")}
	text, err := os.ReadFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	s.text = string(text)
	for paragraph := range strings.SplitSeq(s.text, "\n\n") {
		for line := range strings.Lines(paragraph) {
			if m := sampleKey.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
				s.lines = append(s.lines, sampleLine{m[2], m[3], m[1] == "", strings.HasPrefix(paragraph, "# (reload")})
			}
		}
	}
	return s
}

// A sample names every key of its program once, with its default where it has one, and marks what is reloaded.
func TestSamplesNameEveryKey(t *testing.T) {
	for _, program := range programs {
		s, flags := readSample(t, program), programFlags(t, program)
		found := map[string]int{}
		for _, line := range s.lines {
			found[line.key]++
			f := flags[line.key]
			if f == nil {
				t.Errorf("%s: %q is no key of kabar %s", s.file, line.key, program)
				continue
			}
			if want, ok := defaultOf(f); ok && strings.Trim(line.value, `"`) != want {
				t.Errorf("%s: %s is %s, the default is %s", s.file, line.key, line.value, want)
			}
			if line.reload != f.Tag.Has(tagReload) {
				t.Errorf("%s: %s is marked (reload): %v; it is reloaded: %v", s.file, line.key, line.reload, f.Tag.Has(tagReload))
			}
		}
		for key := range flags {
			if found[key] != 1 {
				t.Errorf("%s: %s stands there %d times, want once", s.file, key, found[key])
			}
		}
	}
}

// defaultOf is the value that holds when a key is left out. Where nothing holds then, the sample has an example.
func defaultOf(f *kong.Flag) (string, bool) {
	switch {
	case f.Name == "acme-directory":
		return certs.LetsEncrypt, true
	case f.IsBool():
		return "false", true
	}
	return f.Default, f.HasDefault
}

// config returns the sample with every key in it, but for those left out.
func (s *sample) config(leaveOut ...string) string {
	var b strings.Builder
	for _, line := range s.lines {
		if !slices.Contains(leaveOut, line.key) {
			b.WriteString(line.key + ": " + line.value + "\n")
		}
	}
	return b.String()
}

// alternatives are the keys that leave room for others, of which a configuration has one kind.
var alternatives = [][]string{
	{"acme-domain", "acme-email", "acme-directory", "acme-accept-terms", "master-key-credential", "master-key-env", "invite", "api-key"},
	{"tls-cert", "tls-key", "master-key-file", "master-key-kms", "master-key-env", "invite-file", "api-key-file"},
	{"tls-cert", "tls-key", "master-key-file", "master-key-kms", "master-key-credential", "invite", "api-key"},
}

// A sample loads as it stands, and with everything in it that can be together; what is checked later than at loading, too.
func TestSamplesLoad(t *testing.T) {
	for _, program := range programs {
		s := readSample(t, program)
		texts := []string{s.text}
		for _, leaveOut := range alternatives {
			texts = append(texts, strings.Replace(s.config(leaveOut...), "acme-accept-terms: false", "acme-accept-terms: true", 1))
		}
		for _, text := range texts {
			conf, _, err := parse([]string{program, "--config", textFile(t, "kabar.yaml", text)}, nil, streams{io.Discard, io.Discard})
			if err != nil {
				t.Errorf("%s: %v\n%s", s.file, err, text)
				continue
			}
			if err := checkLater(program, conf.cli); err != nil {
				t.Errorf("%s: %v\n%s", s.file, err, text)
			}
		}
	}
}

// checkLater does the checks of a start that look at flags alone.
func checkLater(program string, c *cli) error {
	var certificate *tlsFlags
	var debug *debugFlags
	switch program {
	case "serve":
		if err := c.Serve.masterFlags.check(); err != nil {
			return err
		}
		if _, err := c.Serve.egress(); err != nil {
			return err
		}
		if _, err := c.Serve.number(); c.Serve.Number != "" && err != nil {
			return err
		}
		certificate, debug = &c.Serve.tlsFlags, &c.Serve.debugFlags
	case "relay":
		if _, err := c.Relay.Start.limits(); err != nil {
			return err
		}
		certificate, debug = &c.Relay.Start.tlsFlags, &c.Relay.Start.debugFlags
	case "phone":
		certificate, debug = &c.Phone.tlsFlags, &c.Phone.debugFlags
	}
	if err := certificate.check(); err != nil || debug.DebugAddr == "" {
		return err
	}
	return debug.check()
}

// What is commented out in a sample changes nothing that has a default: it shows the default.
func TestSamplesChangeNoDefault(t *testing.T) {
	for _, program := range programs {
		s := readSample(t, program)
		with := func(text string) map[string]any {
			conf, _, err := parse([]string{program, "--config", textFile(t, "kabar.yaml", text)}, nil, streams{io.Discard, io.Discard})
			if err != nil {
				t.Fatal(err)
			}
			values := map[string]any{}
			for _, f := range conf.k.Flags() {
				if _, ok := defaultOf(f); ok && f.Name != "acme-directory" {
					values[f.Name] = conf.k.FlagValue(f)
				}
			}
			return values
		}
		asItStands, full := with(s.text), with(s.config())
		if !reflect.DeepEqual(asItStands, full) {
			t.Errorf("%s: %v with all keys, %v without", s.file, full, asItStands)
		}
		if len(slices.Collect(maps.Keys(full))) < 5 {
			t.Errorf("%s: %d defaults were compared", s.file, len(full))
		}
	}
}
