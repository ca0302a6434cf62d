package relayserver_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kabar/internal/relayclient"
	"kabar/internal/relayproto"
	"kabar/internal/relayserver"
)

// pipes is a network without sockets, so that a bubble's time can pass over it.
type pipes struct {
	incoming chan net.Conn
	done     chan struct{}
	mu       sync.Mutex
	held     bool // nothing passes any more, and nobody is told
}

func newPipes() *pipes {
	return &pipes{incoming: make(chan net.Conn), done: make(chan struct{})}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.incoming:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { close(p.done); return nil }

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

// client returns an HTTP client that reaches the listener.
func (p *pipes) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		here, there := net.Pipe()
		select {
		case p.incoming <- &holding{Conn: there, pipes: p}:
			return here, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}}
}

// hold makes both directions silent.
func (p *pipes) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = true
}

// holding is the relay's end of a pipe. While it is held, what is written disappears.
type holding struct {
	net.Conn
	pipes *pipes
}

func (h *holding) Write(b []byte) (int, error) {
	h.pipes.mu.Lock()
	held := h.pipes.held
	h.pipes.mu.Unlock()
	if held {
		return len(b), nil
	}
	return h.Conn.Write(b)
}

// bubble runs a relay under fake time and hands out a device that reaches it.
func bubble(t *testing.T, test func(t *testing.T, p *pipes, d *device)) {
	synctest.Test(t, func(t *testing.T) {
		server, err := relayserver.Open(t.Context(), relayserver.Options{Dir: t.TempDir(), Admit: relayserver.OpenRegistration})
		if err != nil {
			t.Fatal(err)
		}
		p := newPipes()
		ctx, cancel := context.WithCancel(t.Context())
		var served sync.WaitGroup
		served.Go(func() {
			if err := server.Serve(ctx, p); err != nil {
				t.Error(err)
			}
		})
		d := (&relay{t: t, addr: "relay"}).device("6281")
		d.options.HTTPClient = p.client()
		test(t, p, d)
		cancel()
		served.Wait()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestPingsKeepAnIdleConnectionAlive(t *testing.T) {
	bubble(t, func(t *testing.T, _ *pipes, d *device) {
		c := d.open(t)
		defer func() { _ = c.Close() }()
		time.Sleep(time.Hour)
		if err := c.Err(); err != nil {
			t.Errorf("after an hour: %v", err)
		}
		if _, err := c.Lookup(t.Context(), "1"); err != nil {
			t.Errorf("after an hour: %v", err)
		}
	})
}

func TestASilentRelayIsNoticed(t *testing.T) {
	bubble(t, func(t *testing.T, p *pipes, d *device) {
		c := d.open(t)
		defer func() { _ = c.Close() }()
		begun := time.Now()
		p.hold()
		<-c.Done()
		if took := time.Since(begun); !errors.Is(c.Err(), relayclient.ErrSilent) || took > relayproto.SilentAfter {
			t.Errorf("after %s: %v", took, c.Err())
		}
	})
}

// TestKeepStartsOverAfterAStableMinute: a connection that lived shows that the trouble before is over.
func TestKeepStartsOverAfterAStableMinute(t *testing.T) {
	bubble(t, func(t *testing.T, _ *pipes, d *device) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		attempt := 0
		var ended time.Time
		var pause time.Duration
		_ = relayclient.Keep(ctx, func(ctx context.Context) (*relayclient.Conn, error) { // ends with ctx
			switch attempt++; {
			case attempt < 10:
				return nil, errors.New("down")
			case attempt == 10:
				return relayclient.Dial(ctx, d.options)
			}
			pause = time.Since(ended)
			cancel()
			return nil, ctx.Err()
		}, func(context.Context, *relayclient.Conn) error {
			time.Sleep(61 * time.Second)
			ended = time.Now()
			return nil
		})
		if pause < 100*time.Millisecond || pause > 300*time.Millisecond {
			t.Errorf("the pause after a stable minute was %s", pause)
		}
	})
}

// open is dial for a bubble, in which cleanups come too late.
func (d *device) open(t *testing.T) *relayclient.Conn {
	t.Helper()
	c, err := relayclient.Dial(t.Context(), d.options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
