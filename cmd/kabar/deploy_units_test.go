package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kabar/internal/patience"
)

// units plays the service manager. The services are children of the test.
type units struct {
	t    *testing.T
	root string // of the machine

	mu      sync.Mutex
	running map[string]*service
}

// service is a unit that runs.
type service struct {
	cmd   *exec.Cmd
	unit  unitFile
	ended chan struct{} // closed when it has
	err   error         // how it has
}

// systemctl does what the program of that name is asked for, for the units that the package has.
func (u *units) systemctl(args []string) (string, error) {
	if len(args) > 1 && args[0] == "enable" && args[1] == "--now" {
		args = append([]string{"start"}, args[2:]...)
	}
	if len(args) != 2 {
		return "", fmt.Errorf("the service manager of this test does not know %q", args)
	}
	name := args[1]
	if !strings.Contains(name, ".") {
		name += ".service"
	}
	switch args[0] {
	case "start":
		return "", u.start(name)
	case "stop":
		return "", u.stop(name)
	case "restart":
		return "", errors.Join(u.stop(name), u.start(name))
	case "reload":
		return "", u.reload(name)
	case "status":
		if u.get(name) == nil {
			return name + " inactive\n", errors.New("inactive")
		}
		return name + " active\n", nil
	}
	return "", fmt.Errorf("the service manager of this test does not know %q", args)
}

func (u *units) get(name string) *service {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.running[name]
}

func (u *units) path(elem ...string) string {
	return filepath.Join(append([]string{u.root}, elem...)...)
}

// journal is where the output of a unit is kept.
func (u *units) journal(name string) string { return u.path("var/log", name) }

// start starts a unit, and waits until it says that it is ready, or has ended when it is of another type.
func (u *units) start(name string) error {
	if u.get(name) != nil {
		return nil
	}
	unit, err := readUnit(u.path("usr/lib/systemd/system", name))
	if err != nil {
		return err
	}
	if timer, ok := strings.CutSuffix(name, ".timer"); ok { // it starts nothing before the night
		_, err = readUnit(u.path("usr/lib/systemd/system", timer+".service"))
		return err
	}
	env, err := u.environment(name, unit)
	if err != nil {
		return err
	}
	if unit.one("Service.Type") == "notify" {
		return u.launch(name, unit, env)
	}
	for _, line := range append(unit["Service.ExecStart"], unit["Service.ExecStartPost"]...) {
		cmd, closeLog, err := u.command(name, line, env)
		if err != nil {
			return err
		}
		if err := errors.Join(cmd.Run(), closeLog()); err != nil {
			return fmt.Errorf("%s: %w\n%s", line, err, u.tail(name))
		}
	}
	return nil
}

// environment makes what a unit asks for: folders for its state, and its credentials.
func (u *units) environment(name string, unit unitFile) ([]string, error) {
	env := []string{"PATH=" + os.Getenv("PATH"), quick}
	for dir := range strings.FieldsSeq(unit.one("Service.StateDirectory")) {
		if err := os.MkdirAll(u.path("var/lib", dir), 0o700); err != nil {
			return nil, err
		}
	}
	for _, c := range unit["Service.LoadCredential"] {
		id, file, _ := strings.Cut(c, ":")
		dir := u.path("run/credentials", name)
		text, err := os.ReadFile(file)
		if err == nil {
			err = errors.Join(os.MkdirAll(dir, 0o700), os.RemoveAll(filepath.Join(dir, id)))
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, id), text, 0o400)
		}
		if err != nil {
			return nil, fmt.Errorf("credential %s: %w", id, err)
		}
		env = append(env, "CREDENTIALS_DIRECTORY="+dir)
	}
	return env, nil
}

func (u *units) command(name, line string, env []string) (cmd *exec.Cmd, closeLog func() error, err error) {
	log, err := os.OpenFile(u.journal(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	words := unitWords(line)
	cmd = exec.Command(words[0], words[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = u.root, env, log, log
	return cmd, log.Close, nil
}

// launch starts a service of the type notify.
func (u *units) launch(name string, unit unitFile, env []string) error {
	socket := u.path("run", name+".notify")
	_ = os.Remove(socket) // of an earlier start
	said, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer said.Close()
	cmd, closeLog, err := u.command(name, unit.one("Service.ExecStart"), append(env, "NOTIFY_SOCKET="+socket))
	if err != nil {
		return err
	}
	if err := errors.Join(cmd.Start(), closeLog()); err != nil {
		return err
	}
	s := &service{cmd: cmd, unit: unit, ended: make(chan struct{})}
	go func() {
		s.err = cmd.Wait()
		close(s.ended)
	}()
	if err := u.ready(said, s); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, u.tail(name))
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.running[name] = s
	return nil
}

// ready waits for READY=1.
func (u *units) ready(said *net.UnixConn, s *service) error {
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); {
		_ = said.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		b := make([]byte, 4096)
		if n, err := said.Read(b); err == nil && bytes.Contains(b[:n], []byte("READY=1")) {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("it has ended before it was ready: %w", s.err)
		default:
		}
	}
	_ = s.cmd.Process.Kill()
	return errors.New("it does not say that it is ready")
}

// stop ends a service as its unit says: it must end by itself and with status 0.
func (u *units) stop(name string) error {
	s := u.get(name)
	if s == nil {
		return nil
	}
	u.mu.Lock()
	delete(u.running, name)
	u.mu.Unlock()
	seconds, err := strconv.Atoi(s.unit.one("Service.TimeoutStopSec"))
	if err != nil {
		return fmt.Errorf("%s: TimeoutStopSec: %w", name, err)
	}
	began := time.Now()
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // when it has ended already, that is told below
	select {
	case <-s.ended:
	case <-time.After(time.Duration(seconds) * time.Second):
		_ = s.cmd.Process.Kill()
		return fmt.Errorf("%s does not end within %d s", name, seconds)
	}
	if s.err != nil {
		return fmt.Errorf("%s ended with %w\n%s", name, s.err, u.tail(name))
	}
	u.t.Logf("%s has ended after %s", name, time.Since(began).Round(time.Millisecond))
	return nil
}

func (u *units) reload(name string) error {
	s := u.get(name)
	if s == nil {
		return fmt.Errorf("%s is not active", name)
	}
	if how := s.unit.one("Service.ExecReload"); how != "/bin/kill -HUP $MAINPID" {
		return fmt.Errorf("%s: this test does not know how to do %q", name, how)
	}
	said := func() int {
		text, _ := os.ReadFile(u.journal(name)) // none: it has said nothing
		return strings.Count(string(text), `msg="the configuration was`)
	}
	before := said()
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		return err
	}
	if !patience.Comes(func() bool { return said() > before }) {
		return fmt.Errorf("%s does not reload\n%s", name, u.tail(name))
	}
	return nil
}

// end stops everything, in the order that the test's end is.
func (u *units) end() {
	for _, name := range []string{"kabar-phone.service", "kabar.service", "kabar-relay.service"} {
		if err := u.stop(name); err != nil {
			u.t.Error(err)
		}
	}
}

// tail is the end of a unit's journal.
func (u *units) tail(name string) string {
	text, _ := os.ReadFile(u.journal(name)) // none: it has said nothing
	lines := strings.Split(string(text), "\n")
	return strings.Join(lines[max(0, len(lines)-25):], "\n")
}
