package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kabar/internal/patience"
)

// machine is an empty machine for docs/deploy.md: a folder that the absolute paths of commands, units and configuration are
// moved into, a service manager, and a shell that somebody types the commands into. Everything is on loopback.
type machine struct {
	t     *testing.T
	root  string
	units *units
	pg    *cluster // nil: SQLite

	relay, api, phone string // addresses
	hook              string // URL of the application
	moved             *strings.Replacer

	stdin  io.Writer
	stdout *bufio.Reader
	learnt map[string]string    // what the page writes for what a command before it has printed
	before func(command string) // is told of every command of the page before it is typed
}

func newMachine(t *testing.T, pg *cluster, hook string) *machine {
	t.Helper()
	root := t.TempDir()
	m := &machine{t: t, root: root, pg: pg, hook: hook, learnt: map[string]string{}, before: func(string) {},
		relay: freeAddress(t), api: freeAddress(t), phone: freeAddress(t)}
	m.units = &units{t: t, root: root, running: map[string]*service{}}
	for _, dir := range []string{"etc/kabar", "usr/bin", "usr/lib/systemd/system", "var/log", "var/lib/kabar", "run", "shims"} {
		m.must(os.MkdirAll(m.path(dir), 0o755))
	}
	m.moved = strings.NewReplacer(m.moves()...)
	m.shims()
	m.open()
	t.Cleanup(m.units.end)
	t.Cleanup(func() { m.tellJournals(t.Failed()) })
	return m
}

// moves are pairs: what stands in the page, the samples and the units, and what stands for it on this machine.
func (m *machine) moves() []string {
	pairs := []string{"/etc/kabar", m.path("etc/kabar"), "/var/lib/kabar", m.path("var/lib/kabar"), "/usr/bin/kabar", m.path("usr/bin/kabar"),
		"https://app.example/hook", m.hook, "10.0.0.0/8", "127.0.0.0/8"}
	for port, address := range map[string]string{":9092": m.relay, ":9090": m.api, ":9091": m.phone} {
		_, free, _ := net.SplitHostPort(address)
		for _, host := range []string{"relay.example", "api.example"} {
			pairs = append(pairs, host+port, "localhost:"+free)
		}
		pairs = append(pairs, "0.0.0.0"+port, address, "127.0.0.1"+port, address)
	}
	if m.pg != nil {
		pairs = append(pairs, "postgres://kabar@127.0.0.1/kabar", m.pg.database("kabar"))
	}
	return append(pairs, "relay.example", "localhost", "api.example", "localhost")
}

func (m *machine) path(elem ...string) string { return m.units.path(elem...) }

func (m *machine) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// database is the word for this machine's on the page.
func (m *machine) database() string {
	if m.pg != nil {
		return "postgres"
	}
	return "sqlite"
}

// install does what the package does, with the test's program as kabar.
func (m *machine) install() {
	m.t.Helper()
	self, err := os.Executable()
	m.must(err)
	m.must(os.Symlink(self, m.path("usr/bin/kabar")))
	for _, c := range []struct{ from, to string }{{"../../deploy/config/*.yaml", "etc/kabar"}, {"../../deploy/systemd/kabar*.*", "usr/lib/systemd/system"}} {
		files, err := filepath.Glob(c.from)
		m.must(err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			m.must(err)
			m.must(os.WriteFile(m.path(c.to, filepath.Base(file)), []byte(m.moved.Replace(string(text))), 0o640))
		}
	}
}

// shims puts the programs that stand in for the machine's into place.
func (m *machine) shims() {
	m.t.Helper()
	self, err := os.Executable()
	m.must(err)
	m.must(os.Symlink(self, m.path("shims/deploy-shim")))
	ln, err := net.Listen("unix", m.path("run/shims"))
	m.must(err)
	m.t.Cleanup(func() { _ = ln.Close() })
	programs := map[string]func([]string) (string, error){"systemctl": m.units.systemctl, "curl": curl}
	if m.pg != nil {
		programs["psql"] = m.pg.psql
	}
	go answerShims(ln, programs)
	m.must(writeShims(m.path("shims"), m.path("shims/deploy-shim"), slices.Collect(maps.Keys(programs))))
}

// open opens the shell.
func (m *machine) open() {
	m.t.Helper()
	sh := exec.Command("/bin/sh")
	sh.Dir = m.root
	sh.Env = []string{"PATH=" + m.path("shims") + ":" + m.path("usr/bin") + ":" + os.Getenv("PATH"), "HOME=" + m.root,
		"DEPLOY_ROOT=" + m.root, "DEPLOY_SOCKET=" + m.path("run/shims"), quick}
	in, err := sh.StdinPipe()
	m.must(err)
	out, err := sh.StdoutPipe()
	m.must(err)
	sh.Stderr = sh.Stdout
	m.must(sh.Start())
	m.stdin, m.stdout = in, bufio.NewReader(out)
	m.t.Cleanup(func() {
		_ = in.Close()
		_ = sh.Wait() // with the status of its last command
	})
}

// quick lets a program with the race detector end at once; it waits a second otherwise.
const quick = "GORACE=atexit_sleep_ms=0"

const prompt = "\x01done "

// try types a command, and returns what it prints and whether it ends with 0.
func (m *machine) try(command string) (output string, ok bool) {
	m.t.Helper()
	_, err := fmt.Fprintf(m.stdin, "{ %s\n} </dev/null 2>&1; printf '\\001done %%d\\n' $?\n", m.moved.Replace(command))
	m.must(err)
	var b strings.Builder
	for {
		line, err := m.stdout.ReadString('\n')
		m.must(err)
		before, code, done := strings.Cut(line, prompt)
		b.WriteString(before)
		if done {
			return b.String(), strings.TrimSpace(code) == "0"
		}
	}
}

// do types a command that must succeed.
func (m *machine) do(command string) string {
	m.t.Helper()
	out, ok := m.try(command)
	m.t.Logf("$ %s\n%s", command, out)
	if !ok {
		m.t.Fatalf("%s\nfailed:\n%s", command, out)
	}
	return out
}

// lessons are what a reader takes from the output of a command for those that follow.
var lessons = []struct {
	placeholder string
	from        *regexp.Regexp
}{
	{"PASSWORD", regexp.MustCompile(`Its administrator is admin, the password (\S+)`)},
	{"CODE", regexp.MustCompile(`628111000200 +([0-9]{6}) `)},
	{"TOKEN", regexp.MustCompile(`"token":"([^"]+)"`)},
	{"THE-KEY-THAT-WAS-PRINTED", regexp.MustCompile(`(kbr_[A-Z2-7]+)`)},
}

// awaited are commands that a reader repeats until they show what the page says.
var awaited = []struct{ command, shows string }{
	{"relay codes", `628111000200 +[0-9]{6} `},
	{"number list", `628111000200.* connected`},
	{"curl -s $PHONE/api/customers/34600111222/messages\x00", `"body":"Are you open\?"},"status":"delivered".*"body":"We are\."`},
}

// read types a command of the page.
func (m *machine) read(command string) {
	m.t.Helper()
	for placeholder, value := range m.learnt {
		command = strings.ReplaceAll(command, placeholder, value)
	}
	m.before(command)
	out := m.do(command)
	for _, a := range awaited {
		if strings.Contains(command+"\x00", a.command) {
			out = m.until(command, a.shows)
		}
	}
	if strings.Contains(command, "Are you open?") { // a person answers what they have received
		m.until("curl -s $PHONE/api/customers/34600111222/messages", `"status":"delivered"`)
	}
	for _, l := range lessons {
		if found := l.from.FindStringSubmatch(out); found != nil && m.learnt[l.placeholder] == "" {
			m.learnt[l.placeholder] = found[1]
		}
	}
}

// until repeats a command until its output matches.
func (m *machine) until(command, shows string) string {
	m.t.Helper()
	re := regexp.MustCompile("(?s)" + shows)
	var out string
	for deadline := time.Now().Add(patience.Limit); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if out, _ = m.try(command); re.MatchString(out) {
			return out
		}
	}
	m.t.Fatalf("%s\nnever showed %s:\n%s", command, shows, out)
	return ""
}

// follow does the blocks of a section: of all of them, those for this machine that are, or are not, marked restore.
func (m *machine) follow(page []*block, section string, restore bool) {
	m.t.Helper()
	for _, b := range page {
		if b.section != section || !b.meant(m.database()) || b.is("restore") != restore {
			continue
		}
		switch {
		case b.is("install"):
			m.t.Logf("NOT RUN, THE FILES OF THE PACKAGE ARE PUT IN PLACE INSTEAD:\n%s", b.text)
			m.install()
		case b.is("edit"):
			m.edit(b)
		default:
			for _, command := range b.commands() {
				m.read(command)
			}
		}
	}
}

// edit sets the keys of a block in its file.
func (m *machine) edit(b *block) {
	m.t.Helper()
	file := m.moved.Replace(b.words[len(b.words)-1])
	text, err := os.ReadFile(file)
	m.must(err)
	changed, err := setKeys(string(text), m.moved.Replace(b.text))
	if err != nil {
		m.t.Fatalf("docs/deploy.md, line %d: %v", b.line, err)
	}
	m.must(os.WriteFile(file, []byte(changed), 0o640))
}

// tellJournals shows how the journals end, when a test has failed.
func (m *machine) tellJournals(failed bool) {
	files, _ := filepath.Glob(m.path("var/log/*")) // the pattern is right
	for _, file := range files {
		if name := filepath.Base(file); failed {
			m.t.Logf("%s:\n%s", name, m.units.tail(name))
		}
	}
}
