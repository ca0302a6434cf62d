package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
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
	ln, err := (&net.ListenConfig{Control: private}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return ln, nil
}

// Serve serves m on ln until ctx ends, then lets operations that run go on for a moment, cancels them, and returns when the
// last has. It closes ln.
func Serve(ctx context.Context, ln net.Listener, m *Mux) error {
	ctx, stop := context.WithCancel(ctx)
	var running sync.RWMutex // read-locked by every operation, locked for good at the end
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if running.TryRLock() {
			defer running.RUnlock()
			m.ServeHTTP(w, r)
		}
	}), ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-ctx.Done()
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		if s.Shutdown(within) != nil {
			_ = s.Close() // what it could not close is closed already
		}
	}()
	err := s.Serve(ln)
	stop()
	<-done
	running.Lock()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve the control socket: %w", err)
}

// drainTime is how long operations may go on after the end has begun.
const drainTime = 2 * time.Second

// Dial returns a client of the program that runs on the folder, or ErrNotRunning.
func Dial(ctx context.Context, dir string) (*Client, error) {
	path := filepath.Join(dir, socketName)
	connect := func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "unix", path) }
	probe, err := connect(ctx)
	if errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("%w\nA program runs here as another user: run the command as that user", err)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil { // no socket, or one that a killed program has left
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
	if _, pattern := t.m.routes.Handler(r); pattern == "" {
		return &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}
	pr, pw := io.Pipe()
	body := &localBody{pr, make(chan struct{})}
	go func() {
		defer close(body.done)
		defer func() { _ = pw.Close() }() // never fails
		t.m.ServeHTTP(&pipeWriter{http.Header{}, pw}, r)
	}()
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body, Request: r}, nil
}

// localBody is an answer whose end is the operation's: what the operation works on may be closed after Close.
type localBody struct {
	*io.PipeReader
	done chan struct{}
}

// Close implements io.Closer.
func (b *localBody) Close() error {
	err := b.PipeReader.Close()
	<-b.done
	return err
}

// pipeWriter turns what an operation writes into a body. Operations answer 200 whatever comes of them.
type pipeWriter struct {
	header http.Header
	w      *io.PipeWriter
}

func (p *pipeWriter) Header() http.Header         { return p.header }
func (p *pipeWriter) WriteHeader(int)             {}
func (p *pipeWriter) Write(b []byte) (int, error) { return p.w.Write(b) }

// Flush implements http.Flusher: a pipe holds nothing back.
func (p *pipeWriter) Flush() {}
