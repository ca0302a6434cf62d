package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"kabar/internal/golden"
	"kabar/internal/patience"
)

// goldenServer is kabar serve beside a relay and phones, each in a process of its own, over the folders server, relay and phone of
// dir; or kabar dev over the same folders, where a clock is needed that can be shifted.
type goldenServer struct {
	t      *testing.T
	kabar  string // the program
	dir    string
	api    string // addresses
	phones string
	relay  string
	reader string           // key of what became of messages, and of the clock
	lab    bool             // it is kabar dev
	bare   bool             // there are no phones, and a line to a relay that knows nobody
	line   *goldenLine      // between server and relay; nil: none
	flags  []string         // of the server
	end    []*goldenProgram // in the order of their start
	down   *goldenProgram   // the relay; nil when it has ended
	out    bytes.Buffer     // of the programs that have ended
}

// start starts everything, and returns when the server is ready and the phones answer.
func (s *goldenServer) start(more ...string) {
	s.t.Helper()
	if s.lab {
		ready := filepath.Join(s.dir, "ready.json")
		s.background("dev", "--data", s.dir, "--addr", anyPort, "--phone-addr", anyPort, "--relay-addr", anyPort, "--ready-file", ready)
		s.retry("kabar dev to be ready", func() error {
			text, err := os.ReadFile(ready)
			var where struct{ API, Phone string }
			if err = errors.Join(err, json.Unmarshal(text, &where)); err == nil {
				s.api, s.phones = strings.TrimPrefix(where.API, "http://"), strings.TrimPrefix(where.Phone, "http://")
			}
			return err
		})
		return
	}
	s.relay = anyPort
	s.startRelay()
	relay := s.relay
	if s.bare {
		s.line = newGoldenLine(s.t, s.relay)
		relay = s.line.address
	}
	s.flags = append([]string{"serve", "--data", s.folder("server"), "--master-key-file", s.master(), "--relay", "ws://" + relay,
		"--host", golden.Host, "--api-key-file", s.file("monitor.key", []byte(golden.Monitor))}, more...)
	s.serve(anyPort)
	if !s.bare {
		phones := s.background("phone", "--data", s.folder("phone"), "--relay", "ws://"+s.relay, "--business", golden.Ours, "--addr", anyPort)
		s.phones = phones.address(`phones at http://(\S+)`)
	}
	s.retry("the server to be ready", func() error {
		r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "/readyz", nil)
		if err != nil {
			return err
		}
		if status, _, text, err := s.ask(r); err != nil || status != http.StatusOK {
			return fmt.Errorf("%d %s %w", status, text, err)
		}
		return nil
	})
}

// serve starts the server.
func (s *goldenServer) serve(addr string) {
	s.t.Helper()
	serve := s.background(append(slices.Clone(s.flags), "--addr", addr)...)
	s.api = "127.0.0.1:" + serve.address(`serves https://\S+:([0-9]+)`)
}

// restart ends the server, which nothing was started after, and starts it where it was.
func (s *goldenServer) restart() {
	s.t.Helper()
	last := len(s.end) - 1
	s.end[last].end()
	s.end = s.end[:last]
	s.serve(s.api)
}

const anyPort = "127.0.0.1:0"

// retry repeats ask until it has no error. When that takes too long, the test ends with what the programs say.
func (s *goldenServer) retry(what string, ask func() error) {
	s.t.Helper()
	if err := retry(patience.Limit, ask); err != nil {
		s.stop()
		s.t.Fatalf("waiting for %s: %v\n%s", what, err, s.out.String())
	}
}

func (s *goldenServer) file(name string, text []byte) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *goldenServer) folder(name string) string { return filepath.Join(s.dir, name) }
func (s *goldenServer) master() string            { return filepath.Join(s.dir, "keys", "master.key") }

// startRelay starts the relay, where it was before if it was.
func (s *goldenServer) startRelay() {
	s.t.Helper()
	relay := s.begin("relay", "--data", s.folder("relay"), "--addr", s.relay, "--open-registration")
	s.relay = relay.address(`relays at ws://(\S+)`)
	s.down = relay
}

// cut reports whether nothing is sent for now.
func (s *goldenServer) cut() bool {
	return s.line != nil && s.line.waits() || s.down == nil && !s.lab
}

func (s *goldenServer) stopRelay() {
	if s.down != nil {
		s.down.end()
	}
	s.down = nil
}

// run runs a command.
func (s *goldenServer) run(args ...string) string {
	s.t.Helper()
	out, err := exec.Command(s.kabar, args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("kabar %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// sql changes the server's database behind its back.
func (s *goldenServer) sql(statement string) {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.folder("server"), "kabar.db")+"?_pragma=busy_timeout(10000)")
	if err == nil {
		_, err = db.ExecContext(s.t.Context(), statement)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// background runs a program until stop.
func (s *goldenServer) background(args ...string) *goldenProgram {
	s.t.Helper()
	p := s.begin(args...)
	s.end = append(s.end, p)
	return p
}

// begin runs a program until end.
func (s *goldenServer) begin(args ...string) *goldenProgram {
	s.t.Helper()
	p := &goldenProgram{s: s, cmd: exec.Command(s.kabar, args...)}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	return p
}

// goldenProgram is one that runs.
type goldenProgram struct {
	s   *goldenServer
	cmd *exec.Cmd

	mu  sync.Mutex
	out bytes.Buffer
}

// Write takes what the program prints.
func (p *goldenProgram) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *goldenProgram) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// address waits until the program says where it listens: the group of a regular expression.
func (p *goldenProgram) address(form string) (address string) {
	p.s.t.Helper()
	p.s.retry(form, func() error {
		found := regexp.MustCompile(form).FindStringSubmatch(p.printed())
		if found == nil {
			return errors.New("it has not said so")
		}
		address = found[1]
		return nil
	})
	return address
}

func (p *goldenProgram) end() {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.s.t.Error(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.s.t.Errorf("kabar %s: %v\n%s", p.cmd.Args[1], err, p.printed())
	}
	p.s.out.WriteString(p.printed())
}

// stop ends what start has started, the relay last; out then has what it printed.
func (s *goldenServer) stop() {
	for _, end := range slices.Backward(s.end) {
		end.end()
	}
	s.end = nil
	s.stopRelay()
}

// ask sends a request, whose URL is a path, to the server.
func (s *goldenServer) ask(r *http.Request) (status int, header http.Header, body []byte, err error) {
	r.RequestURI, r.URL.Scheme, r.URL.Host = "", "http", s.api
	if s.lab {
		r.Host = "" // it has no other name than its address
	}
	res, err := plain.RoundTrip(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, res.Header, body, err
}

// plain shows answers as they came.
var plain = &http.Transport{DisableCompression: true, DisableKeepAlives: true}
