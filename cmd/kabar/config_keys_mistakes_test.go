package main

import (
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every mistake in a file, a variable or a command line has an error that says where it is, and what is meant instead.
func TestMistakesAreNamed(t *testing.T) {
	for _, c := range []struct{ program, text, environ, args, want string }{
		{"serve", "addrs: x", "", "", `unknown key "addrs", did you mean "addr"?`},
		{"serve", "", "KABAR_HOSTS=x", "", `unknown environment variable KABAR_HOSTS, did you mean "KABAR_HOST"?`},
		{"serve", "", "", "--hosts=x", `unknown flag --hosts, did you mean one of "--hsts", "--host"?`},
		{"serve", "serve: {addr: x}", "", "", `unknown key "serve"`},
		{"serve", "name: a\nname: b", "", "", `"name" already defined at [1:1]`},
		{"serve", "\"name\": a\nname: b", "", "", "already defined"},
		{"serve", "mailbox: 3", "", "", `"mailbox" is no key of kabar serve`},
		{"relay", "egress-allow: [10.0.0.0/8]", "", "", `"egress-allow" is no key of kabar relay`},
		{"phone", "drain-time: 3s", "", "", `"drain-time" is no key of kabar phone`},
		{"serve", "print-config: true", "", "", `"print-config" is no key: it says what one call of a command is to do; give it as --print-config`},
		{"serve", "json: true", "", "", `"json" is no key`},
		{"relay", "expires: 3d", "", "", `"expires" is no key`},
		{"serve", "config: other.yaml", "", "", "config names the file itself"},
		{"serve", "", "KABAR_PRINT_CONFIG=1", "", "unknown environment variable KABAR_PRINT_CONFIG"},
		{"serve", "drain-time: 25", "", "", `kabar.yaml: "25": want a duration such as`},
		{"serve", "", "KABAR_DRAIN_TIME=25", "", `KABAR_DRAIN_TIME: "25": want a duration such as`},
		{"serve", "", "", "--drain-time=25", `--drain-time: "25": want a duration such as`},
		{"serve", "database-connections: 1.5", "", "", "kabar.yaml: expected a valid 64 bit int"},
		{"serve", "database-connections: many", "", "", "kabar.yaml: expected a valid 64 bit int"},
		{"serve", "", "KABAR_DATABASE_CONNECTIONS=many", "", "KABAR_DATABASE_CONNECTIONS: expected a valid 64 bit int"},
		{"relay", "limit-registrations: fast", "", "", "kabar.yaml: expected a float"},
		{"relay", "blob-space: 3 GB", "", "", "kabar.yaml: \"3 GB\": want a size"},
		{"serve", "allow-plain-http: perhaps", "", "", "kabar.yaml: bool value must be"},
		{"serve", "log-level: loud", "", "", `kabar.yaml: "loud": want one of debug, info, warn, error`},
		{"serve", "", "KABAR_LOG_FORMAT=xml", "", `KABAR_LOG_FORMAT: "xml": want one of text, json`},
		{"serve", "name: [a, b]", "", "", "kabar.yaml: is a list, and takes one value"},
		{"serve", "host: {a: b}", "", "", "kabar.yaml: holds more keys"},
		{"serve", "host: [a, [b]]", "", "", "kabar.yaml: [1] holds more keys"},
		{"serve", "name:", "", "", "kabar.yaml: has no value"},
		{"serve", "name: &n Shop", "", "", "kabar.yaml: is given by an anchor"},
		{"serve", "host: &n [a]\nname: *n", "", "", "is given by an anchor"},
		{"serve", "name: !!binary aGVsbG8=", "", "", "kabar.yaml: is given by an anchor, an alias or a tag"},
		{"serve", "<<: {name: a}", "", "", `unknown key "<<"`},
		{"serve", "name: a\n---\nname: b", "", "", "has a second part behind ---"},
		{"serve", "- name", "", "", "want keys with values"},
		{"serve", "name", "", "", "want keys with values"},
		{"serve", "name: [a", "", "", "[1:7]"},
		{"serve", strings.Repeat("a", maxConfig+1), "", "", "has more than 64 KiB"},
	} {
		file := textFile(t, "kabar.yaml", c.text)
		args := append([]string{c.program, "--config", file}, needed(c.program)...)
		_, _, err := parse(append(args, strings.Fields(c.args)...), strings.Fields(c.environ), streams{io.Discard, io.Discard})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40q %s %s: %v, want %q", c.text, c.environ, c.args, err, c.want)
		} else if len(err.Error()) > 600 {
			t.Errorf("%.40q: the error has %d bytes", c.text, len(err.Error()))
		}
	}
}

// A key of one program is refused in the file of each other program that does not have it.
func TestKeysOfOtherPrograms(t *testing.T) {
	for _, program := range programs {
		own := programFlags(t, program)
		for _, other := range programs {
			for key, f := range programFlags(t, other) {
				if own[key] != nil || key == "allow-inline-secrets" {
					continue
				}
				text := key + ": " + kindValues(f)[0]
				_, _, err := parse(append([]string{program, "--config", textFile(t, "kabar.yaml", text)}, needed(program)...), nil, streams{io.Discard, io.Discard})
				if err == nil || !strings.Contains(err.Error(), `"`+key+`" is no key of kabar `+program) {
					t.Errorf("%s in the file of kabar %s: %v", key, program, err)
				}
			}
		}
	}
}

// What is no configuration file at all is refused at once.
func TestFilesThatAreNone(t *testing.T) {
	garbage := make([]byte, 1<<20)
	for i := range garbage {
		garbage[i] = byte(rand.N(256))
	}
	unreadable := textFile(t, "secret.yaml", "name: a")
	if err := os.Chmod(unreadable, 0); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		filepath.Join(t.TempDir(), "none.yaml"):                   "no such file",
		t.TempDir():                                               "is a directory",
		textFile(t, "kabar.yaml", string(garbage)):                "has more than 64 KiB",
		textFile(t, "short.yaml", string(garbage[:maxConfig/16])): "short.yaml",
	}
	if os.Getuid() == 0 {
		t.Log("THIS TEST RUNS AS ROOT, WHO CAN READ EVERYTHING: a file without permission was not tried")
	} else {
		files[unreadable] = "permission denied"
	}
	for file, want := range files {
		for _, environ := range [][]string{nil, {"KABAR_CONFIG=" + file}} {
			args := needed("serve")
			if environ == nil {
				args = append(args, "--config", file)
			}
			var out, log output
			status := run(t.Context(), append([]string{"serve"}, args...), environ, streams{&out, &log})
			if status != 2 || !strings.Contains(log.String(), want) || len(log.String()) > 600 {
				t.Errorf("%s: status %d, %.600q, want %q", file, status, log.String(), want)
			}
		}
	}
}

// Of several --config the last counts, as of every flag.
func TestTheLastConfigCounts(t *testing.T) {
	first, second := textFile(t, "first.yaml", "name: First\n"), textFile(t, "second.yaml", "name: Second\n")
	for _, args := range [][]string{{"--config", first, "--config", second}, {"--config=" + first, "--config=" + second}, {"--config", first, "--config=" + second}} {
		if got := valueOf(t, "serve", "name", args, []string{"KABAR_CONFIG=" + first}); got != "Second" {
			t.Errorf("%v: %v", args, got)
		}
	}
}

// What a program prints as its configuration is a configuration: it says the same of itself when it is read again.
func TestPrintedConfigIsReadAgain(t *testing.T) {
	odd := map[string]string{"serve": "name: \"Toko \\\"Kabar\\\"\\n# 1: {x}\\t\\u0000 🥥 \"\nhost: [\"b,c.example\", \"- d\", \"true\", \"0811\", '']\nnumber: 0628111000200\n" +
		"database: postgres://shop@db.example/shop?sslmode=verify-full\ndrain-time: 1h2m\nallow-plain-http: yes\n",
		"relay": "keep: 2w\nlimit-registrations: -1\nlimit-business-envelopes: 0.5\nmailbox: 0x10\nblob-space: 3GiB\nhost: ['*', '&a']\n",
		"phone": "business: [0628111000200, \"628111000201\"]\nlog-level: debug\nhsts: off\naddr: '[::1]:9'\n"}
	for _, program := range programs {
		for _, text := range []string{readSample(t, program).text, readSample(t, program).config("invite"), odd[program]} {
			once, first := printConfig(t, program, text)
			twice, second := printConfig(t, program, once)
			if !maps.Equal(first, second) {
				t.Errorf("kabar %s: %v, read again %v\n%s\n%s", program, first, second, once, twice)
			}
		}
	}
}

// printConfig returns what --print-config prints, and the values that hold.
func printConfig(t *testing.T, program, text string) (out string, values map[string]string) {
	t.Helper()
	args := append([]string{program, "--config", textFile(t, "kabar.yaml", text)}, needed(program)...)
	conf, settings, err := parse(args, nil, streams{io.Discard, io.Discard})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var b strings.Builder
	if err := settings.print(&b, conf.k); err != nil {
		t.Fatal(err)
	}
	values = map[string]string{}
	for _, f := range conf.k.Flags() {
		if f.Name != "config" {
			if values[f.Name], err = shown(f, conf.k.FlagValue(f)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, key := range programKeys(t, program) {
		elsewhere := key == "backup-dir" || strings.HasPrefix(key, "master-key-") // of another command; alternatives
		if !elsewhere && !strings.Contains(b.String(), "\n"+key+": ") {
			t.Errorf("kabar %s prints no %s:\n%s", program, key, b.String())
		}
	}
	return b.String(), values
}
