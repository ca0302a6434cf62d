//go:build unix

// Package pgserver runs a PostgreSQL server of its own for tests and for the crash harness: in a temporary folder, from the
// programs on PATH, as an unprivileged user when we are root. A Server is for one goroutine.
package pgserver

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// script runs a server in the folder $1, which it sets up first if it is empty, until the server ends by itself or standard
// input ends: when that is closed, or when the test process has died, however it did. What a server says that does not start
// goes to standard error. With $2 it removes the folder in the end, so that nothing is left. $3 is on or off: whether it syncs its files.
const script = `cd "$1" || exit 1
[ -z "$2" ] || trap 'cd /; rm -rf "$1"' EXIT
[ -d data ] || initdb -D data -U kabar -A trust -E UTF8 --locale=C --no-sync >log 2>&1 </dev/null || { cat log >&2; exit 1; }
exec 3<&0
postgres -D data -k "$1" -c listen_addresses= -c shared_buffers=32MB -c max_connections=60 -c jit=off -c fsync="$3" \
	-c unix_socket_permissions=0700 >log 2>&1 </dev/null 3<&- &
server=$!
{ read -r _; kill -INT $server; } <&3 &
reader=$!
wait $server || cat log >&2
kill $reader 2>/dev/null
exit 0`

// serverPatience is how long a server may take to start, and to end.
const serverPatience = time.Minute

// ErrNone says that there is no PostgreSQL to start here.
var ErrNone = errors.New("KABAR_TEST_POSTGRES is not set and there is no server to start")

// Server is a PostgreSQL server in a temporary folder. It listens on a Unix socket in that folder and nowhere else.
type Server struct {
	dir   string
	who   *syscall.Credential
	keep  bool // the folder, when the server ends: it is going to start again
	sync  bool // its files
	stdin io.Closer
	ended chan error
	said  *bytes.Buffer
}

// Run starts a server in a new folder and waits until it answers; end ends it, and removes the folder. With sync it syncs its files as one
// in production does. Tests that make a database each spare that: what they store need not outlive the machine.
func Run(sync bool) (base *url.URL, end func() error, err error) {
	s, err := New(false)
	if err != nil {
		return nil, nil, err
	}
	s.sync = sync
	if err := s.Start(); err != nil {
		return nil, nil, err
	}
	return s.URL(), s.End, nil
}

// New makes a folder for a server that does not run yet, and syncs its files. With keep the folder stays when the server ends, until End: it is going
// to start again. Without the programs of PostgreSQL it is ErrNone.
func New(keep bool) (*Server, error) {
	for _, program := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNone, err)
		}
	}
	dir, err := os.MkdirTemp("/tmp", "kabar-pg-") // the path of a Unix socket must be short
	if err != nil {
		return nil, err
	}
	who, err := unprivileged(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &Server{dir: dir, who: who, keep: keep, sync: true}, nil
}

// URL returns the address of the database that every server has.
func (s *Server) URL() *url.URL {
	return &url.URL{Scheme: "postgres", Path: "/postgres", RawQuery: url.Values{"host": {s.dir}, "user": {"kabar"}}.Encode()}
}

// Start runs the server. One that was killed leaves memory behind for a moment, in which no other one starts.
func (s *Server) Start() error {
	for deadline := time.Now().Add(serverPatience); ; time.Sleep(50 * time.Millisecond) {
		if err := s.launch(); err != nil {
			return errors.Join(fmt.Errorf("start PostgreSQL: %w", err), os.RemoveAll(s.dir))
		}
		err := answers(s.URL(), s.ended)
		if err == nil {
			return nil
		}
		err = errors.Join(err, s.Stop())
		if said := s.said.String(); !strings.Contains(said, "still in use") || time.Now().After(deadline) {
			return errors.Join(err, errors.New(said), os.RemoveAll(s.dir))
		}
	}
}

func (s *Server) launch() (err error) {
	remove := "remove"
	if s.keep {
		remove = ""
	}
	fsync := map[bool]string{true: "on", false: "off"}[s.sync]
	cmd := exec.Command("/bin/sh", "-c", script, "sh", s.dir, remove, fsync)
	s.said, s.ended = new(bytes.Buffer), make(chan error, 1)
	cmd.Dir, cmd.Stderr = s.dir, s.said
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.who, Setpgid: true} // not ended by the terminal's ^C: the script is
	if s.stdin, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := s.ended
	go func() { ended <- cmd.Wait() }()
	return nil
}

// Stop ends the server, if it still runs, and waits for it.
func (s *Server) Stop() error {
	_ = s.stdin.Close() // it has ended already if this fails
	select {
	case err := <-s.ended:
		s.ended <- nil // whoever asks again
		return err
	case <-time.After(serverPatience):
		return fmt.Errorf("PostgreSQL in %s does not end", s.dir)
	}
}

// End ends the server for good.
func (s *Server) End() error { return errors.Join(s.Stop(), os.RemoveAll(s.dir)) }

// PID returns the process of the server that runs.
func (s *Server) PID() (int, error) {
	text, err := os.ReadFile(filepath.Join(s.dir, "data", "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(first)
}

// Kill ends the server with a signal and waits until it is gone.
func (s *Server) Kill(signal syscall.Signal) error {
	pid, err := s.PID()
	if err == nil {
		err = syscall.Kill(pid, signal)
	}
	if err != nil {
		return err
	}
	select {
	case err := <-s.ended:
		s.ended <- nil
		return err
	case <-time.After(serverPatience):
		return fmt.Errorf("PostgreSQL in %s does not end", s.dir)
	}
}

// answers waits until the server takes a connection.
func answers(base *url.URL, ended chan error) error {
	db, err := sql.Open("pgx", base.String())
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it was only tried
	for deadline := time.Now().Add(serverPatience); ; {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		err := db.PingContext(ctx)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case e := <-ended:
			ended <- nil // for stop, which waits for it too
			return fmt.Errorf("PostgreSQL has not started: %w", errors.Join(e, err))
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("PostgreSQL does not answer: %w", err)
		}
	}
}

// unprivileged hands dir to the user "nobody" and returns its credentials, when we are root: PostgreSQL refuses to run as
// root. Otherwise it returns nil.
func unprivileged(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2, os.Chown(dir, int(uid), int(gid))); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
