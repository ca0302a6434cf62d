package main

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/goccy/go-yaml"

	"kabar/internal/certs"
	"kabar/internal/patience"
)

// reloaded is a program in a process of its own, which gets SIGHUP when its file has changed.
type reloaded struct {
	running
	cmd  *exec.Cmd
	file string // the configuration
	conf conf
}

func newReloaded(t *testing.T, program string, c conf) *reloaded {
	t.Helper()
	addr := freeAddress(t)
	r := &reloaded{running: running{t: t, name: program, data: c["data"].(string), addr: addr}, conf: c.with(conf{"addr": addr}), file: textFile(t, "kabar.yaml", "")}
	r.write(nil)
	r.cmd = (&terminated{t: t, dir: t.TempDir()}).command(program, "--config", r.file)
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.log
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.cmd.Process.Signal(syscall.SIGTERM) // it may have ended, which Wait says
		if err := r.cmd.Wait(); err != nil {
			t.Errorf("kabar %s: %v\n%s", program, err, r.log.String())
		}
	})
	patience.Until(t, "address of kabar "+program, func() bool { return announced.MatchString(r.out.String()) })
	return r
}

// write changes some keys in the file.
func (r *reloaded) write(more conf) {
	r.t.Helper()
	r.conf = r.conf.with(more)
	text, err := yaml.Marshal(map[string]any(r.conf))
	if err != nil {
		r.t.Fatal(err)
	}
	r.replace(r.file, string(text))
}

func (r *reloaded) replace(file, text string) {
	r.t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// signal has the program read its file, and waits for what it logs then, which is the last line with want in it.
func (r *reloaded) signal(want string) (line string) {
	r.t.Helper()
	before := strings.Count(r.log.String(), want)
	if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		r.t.Fatal(err)
	}
	patience.Until(r.t, `"`+want+`" in the log`, func() bool { return strings.Count(r.log.String(), want) > before })
	for l := range strings.Lines(r.log.String()) {
		if strings.Contains(l, want) {
			line = l
		}
	}
	return line
}

const (
	tookOver    = "the configuration was reloaded"
	notReloaded = "the configuration was not reloaded: what ran before goes on"
)

// On SIGHUP every program takes over what it can, names what has to wait for a restart, and keeps everything when the file is broken.
func TestReload(t *testing.T) {
	changed := map[string]conf{"serve": {"name": "Another", "addr": "127.0.0.1:1"}, "relay": {"keep": "7d", "mailbox": 3}, "phone": {"business": []string{"628111000200"}, "hsts": "off"}}
	named := map[string]string{"serve": "name addr", "relay": "mailbox keep", "phone": "business hsts"}
	for _, program := range programs {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			first, second := signedFiles(t, "off"), signedFiles(t, "off")
			r := newReloaded(t, program, minimal(t, program).with(conf{"tls-cert": first.TLSCert, "tls-key": first.TLSKey, "log-level": "error"}))
			r.presents(fingerprintOf(t, first.TLSCert), "at the start")

			r.copy(second.TLSCert, first.TLSCert)
			r.copy(second.TLSKey, first.TLSKey)
			r.write(conf{"log-level": "info"}.with(changed[program]))
			line := r.signal(tookOver) // at level info, which is new
			for key := range strings.FieldsSeq(named[program]) {
				if !strings.Contains(line, key) {
					t.Errorf("%s needs a restart, the log says %s", key, line)
				}
			}
			if strings.Contains(line, "log-level") || strings.Contains(line, "tls-cert") || strings.Contains(line, "data") {
				t.Errorf("these need no restart: %s", line)
			}
			r.presents(fingerprintOf(t, second.TLSCert), "after a reload")

			r.replace(r.file, "log-level: [error\n")
			if line = r.signal(notReloaded); !strings.Contains(line, "kabar.yaml") || !strings.Contains(line, "[1:") {
				t.Errorf("of a broken file the log says %s", line)
			}
			r.write(conf{"log-level": "error"})
			r.replace(first.TLSKey, "no key")
			r.signal(notReloaded)
			r.presents(fingerprintOf(t, second.TLSCert), "after a reload with a broken key")
			r.copy(second.TLSKey, first.TLSKey)
			r.write(conf{"log-level": "info"})
			if line = r.signal(tookOver); !strings.Contains(line, "level=INFO") { // it would be missing if "error" had been taken over
				t.Error(line)
			}
		})
	}
}

func (r *reloaded) copy(from, to string) {
	r.t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		r.t.Fatal(err)
	}
	r.replace(to, string(text))
}

func (r *reloaded) presents(want, when string) {
	r.t.Helper()
	if got := certs.Fingerprint(r.get("https").tls.PeerCertificates[0]); got != want {
		r.t.Errorf("%s the certificate is %s, want %s", when, got, want)
	}
}

// A server takes over its names and where its webhooks may go, both or none.
func TestReloadOfAServer(t *testing.T) {
	t.Parallel()
	r := newReloaded(t, "serve", minimal(t, "serve").with(conf{"number": "628111000200", "host": []string{"a.example"}}))
	key := "Authorization: Bearer " + apiKey(t, &r.running)
	check := func(when, host string, webhook int) {
		t.Helper()
		for _, name := range []string{"a.example", "b.example", "c.example"} {
			want := http.StatusMisdirectedRequest
			if name == host {
				want = http.StatusOK
			}
			if got := r.get("http", "Host: "+name); (got.status == http.StatusOK) != (want == http.StatusOK) {
				t.Errorf("%s: under %s the server answers %d", when, name, got.status)
			}
		}
		got := ask(t, http.MethodPatch, "http://"+r.addr+"/v1/settings/application", `{"webhooks":{"url":"http://127.0.0.1:9/hook"}}`, key, "Content-Type: application/json")
		if got.status != webhook {
			t.Errorf("%s: a webhook on loopback is answered %d %s", when, got.status, got.body)
		}
	}
	check("at the start", "a.example", http.StatusBadRequest)
	r.write(conf{"host": []string{"b.example"}, "egress-allow": []string{"127.0.0.0/8"}})
	if line := r.signal(tookOver); !strings.Contains(line, "needs_restart=[]") {
		t.Errorf("nothing needs a restart: %s", line)
	}
	check("after a reload", "b.example", http.StatusOK)
	for text, mistake := range map[string]conf{"want a network": {"egress-allow": []string{"everywhere"}}, "unknown key": {"hosts": "x"}} {
		before := r.conf
		r.write(conf{"host": []string{"c.example"}, "egress-allow": nil}.with(mistake))
		if line := r.signal(notReloaded); !strings.Contains(line, text) {
			t.Errorf("%v: the log says %s", mistake, line)
		}
		check("after a mistake", "b.example", http.StatusOK)
		r.conf = before
	}
}
