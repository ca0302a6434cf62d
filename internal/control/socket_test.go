package control

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSocketIsPrivate(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, operations())
	info, err := os.Stat(filepath.Join(dir, socketName))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 || info.Mode().Type() != os.ModeSocket {
		t.Errorf("mode %v", info.Mode())
	}
}

// stale leaves what a killed program leaves: a socket that nobody listens on.
func stale(t *testing.T, dir string) {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(dir, socketName))
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSocketOfAKilledProgram(t *testing.T) {
	dir := t.TempDir()
	if _, err := Dial(t.Context(), dir); !errors.Is(err, ErrNotRunning) {
		t.Errorf("without a socket: %v", err)
	}
	stale(t, dir)
	if _, err := Dial(t.Context(), dir); !errors.Is(err, ErrNotRunning) {
		t.Errorf("with a stale socket: %v", err)
	}
	stop := run(t, dir, operations())
	if err := dial(t, dir).Call(t.Context(), "echo", question{}, nil, nil); err != nil {
		t.Error(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, socketName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a socket is left after the end: %v", err)
	}
}

func TestPathsThatCannotBe(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("d", maxPath))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(t.Context(), long); err == nil || !strings.Contains(err.Error(), "need the program stopped") {
		t.Errorf("a long path: %v", err)
	}
	if _, err := Dial(t.Context(), long); !errors.Is(err, ErrNotRunning) {
		t.Errorf("a long path: %v", err)
	}
	if _, err := Listen(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there was listened in")
	}
	blocked := t.TempDir() // a folder in the socket's place is nobody's rest: it is not removed
	if err := os.MkdirAll(filepath.Join(blocked, socketName, "kept"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(t.Context(), blocked); err == nil {
		t.Error("a folder was replaced by a socket")
	}
}

func TestDialGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Dial(ctx, t.TempDir()); !errors.Is(err, context.Canceled) || errors.Is(err, ErrNotRunning) {
		t.Errorf("%v", err)
	}
}

// Another user's program is not a stopped one.
func TestDialWithoutPermission(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("root may open every socket: only the other outcome can be looked at")
	}
	dir := t.TempDir()
	run(t, dir, operations())
	if err := os.Chmod(filepath.Join(dir, socketName), 0); err != nil {
		t.Fatal(err)
	}
	c, err := Dial(t.Context(), dir)
	if os.Getuid() == 0 {
		if err != nil || c == nil {
			t.Errorf("root: %v", err)
		}
		return
	}
	if err == nil || errors.Is(err, ErrNotRunning) || !strings.Contains(err.Error(), "another user") {
		t.Errorf("%v", err)
	}
}

// At the end operations go on for a moment, are then told to stop, and Serve returns after the last.
func TestServeWaitsForOperations(t *testing.T) {
	m := NewMux()
	started, let := make(chan struct{}, 1), make(chan struct{})
	ended := false
	Handle(m, "brief", func(context.Context, question, Report) (answer, error) {
		started <- struct{}{}
		<-let
		return answer{"done"}, nil
	})
	Handle(m, "endless", func(ctx context.Context, _ question, _ Report) (answer, error) {
		started <- struct{}{}
		<-ctx.Done()
		ended = true
		return answer{}, ctx.Err()
	})
	for _, name := range []string{"brief", "endless"} {
		dir := t.TempDir()
		stop := run(t, dir, m)
		c := dial(t, dir)
		result := make(chan error, 1)
		go func() { result <- c.Call(t.Context(), name, question{}, nil, nil) }()
		<-started
		if name == "brief" {
			time.AfterFunc(50*time.Millisecond, func() { close(let) })
		}
		if err := stop(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := <-result; (err == nil) != (name == "brief") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !ended {
		t.Error("Serve returned before its operation")
	}
}

// A socket that breaks ends Serve with an error, and leaves nothing behind that waits for the context.
func TestServeEndsWithItsSocket(t *testing.T) {
	ln, err := Listen(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, func() { _ = ln.Close() })
	if err := Serve(t.Context(), ln, operations()); err == nil {
		t.Error("a broken socket was not told")
	}
}
