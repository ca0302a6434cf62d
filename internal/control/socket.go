package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// socketName lies in the data folder of the program.
const socketName = "control.sock"

// maxPath is what fits into a socket address everywhere.
const maxPath = 103

// ErrNotRunning says that no program listens in the folder.
var ErrNotRunning = errors.New("no program runs on this data folder")

// Listen opens the socket of a data folder. The caller must own the folder's store: a socket that is there already is one
// that a killed process has left.
func Listen(ctx context.Context, dir string) (net.Listener, error) {
	path := filepath.Join(dir, socketName)
	if len(path) > maxPath {
		return nil, fmt.Errorf("the path of the data folder has %d bytes, the control socket in it takes %d: "+
			"commands such as kabar user need the program stopped", len(dir), maxPath-len(socketName)-1)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return ln, nil
}

// Serve serves m on ln until ctx ends, then waits a moment for operations that run. It closes ln.
func Serve(ctx context.Context, ln net.Listener, m *Mux) error {
	s := &http.Server{Handler: m, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-ctx.Done()
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if s.Shutdown(within) != nil {
			_ = s.Close()
		}
	}()
	if err := s.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-done
	return nil
}

// Dial returns a client of the program that runs on the folder, or ErrNotRunning.
func Dial(ctx context.Context, dir string) (*Client, error) {
	path := filepath.Join(dir, socketName)
	connect := func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "unix", path) }
	probe, err := connect(ctx)
	if errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("%w\nA program runs here as another user: run the command as that user", err)
	}
	if err != nil {
		return nil, ErrNotRunning
	}
	_ = probe.Close()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return connect(ctx) }, DisableKeepAlives: true}
	return &Client{http: &http.Client{Transport: transport}}, nil
}

// Local returns a client that runs the operations in this process, for a program that does not run.
func Local(m *Mux) *Client {
	return &Client{http: &http.Client{Transport: inProcess{m}}, Local: true}
}

// inProcess hands requests to a handler without a network.
type inProcess struct{ m *Mux }

func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	pr, pw := io.Pipe()
	go func() {
		w := &pipeWriter{header: http.Header{}, w: pw}
		defer func() { _ = pw.Close() }()
		t.m.ServeHTTP(w, r)
	}()
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: pr, Request: r}, nil
}

// pipeWriter turns what a handler writes into a body. An answer that is no 200 becomes an error of the body: only an
// unknown operation has one.
type pipeWriter struct {
	header http.Header
	w      *io.PipeWriter
}

func (p *pipeWriter) Header() http.Header { return p.header }

func (p *pipeWriter) WriteHeader(status int) {
	if status != http.StatusOK {
		_ = p.w.CloseWithError(fmt.Errorf("no such operation: %s", http.StatusText(status)))
	}
}

func (p *pipeWriter) Write(b []byte) (int, error) { return p.w.Write(bytes.Clone(b)) }

// Flush implements http.Flusher: a pipe holds nothing back.
func (p *pipeWriter) Flush() {}
