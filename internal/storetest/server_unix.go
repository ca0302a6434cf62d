//go:build unix

package storetest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
	"time"
)

// script runs a server in the folder $1 until its standard input ends: when it is closed, or when the test process has
// died, however it did. Then nothing is left. What a server says that does not start goes to standard error.
const script = `cd "$1" || exit 1
trap 'cd /; rm -rf "$1"' EXIT
{ initdb -D data -U kabar -A trust -E UTF8 --locale=C --no-sync >log 2>&1 </dev/null; } || { cat log >&2; exit 1; }
postgres -D data -k "$1" -c listen_addresses= -c shared_buffers=32MB -c max_connections=60 -c jit=off \
	-c unix_socket_permissions=0700 >log 2>&1 </dev/null &
server=$!
read -r _
kill -INT $server
wait $server || cat log >&2`

// serverPatience is how long a server may take to start, and to end.
const serverPatience = 30 * time.Second

// startServer starts a PostgreSQL server in a new temporary folder and waits until it answers. It listens on a Unix socket
// in that folder and nowhere else, and syncs its files as one in production does.
func startServer() (base *url.URL, end func() error, err error) {
	for _, program := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, nil, fmt.Errorf("%w: %w", errNone, err)
		}
	}
	dir, err := os.MkdirTemp("/tmp", "kabar-pg-") // the path of a Unix socket must be short
	if err != nil {
		return nil, nil, err
	}
	who, err := unprivileged(dir)
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	var said bytes.Buffer
	cmd := exec.Command("/bin/sh", "-c", script, "sh", dir)
	cmd.Dir, cmd.Stderr = dir, &said
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who, Setpgid: true} // not ended by the terminal's ^C: the script is
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("start PostgreSQL: %w", err), os.RemoveAll(dir))
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	end = func() error {
		_ = stdin.Close() // it has ended already if this fails
		select {
		case err := <-ended:
			return errors.Join(err, os.RemoveAll(dir))
		case <-time.After(serverPatience):
			return fmt.Errorf("PostgreSQL in %s does not end", dir)
		}
	}
	base = &url.URL{Scheme: "postgres", Path: "/postgres", RawQuery: url.Values{"host": {dir}, "user": {"kabar"}}.Encode()}
	if err := answers(base, ended); err != nil {
		return nil, nil, errors.Join(err, end(), errors.New(said.String()))
	}
	return base, end, nil
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
			ended <- nil // for end, which waits for it too
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
