package portshare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener without a network, for bubbles.
type pipes struct {
	*handoff
	fail chan error
}

func newPipes() *pipes { return &pipes{newHandoff(&net.TCPAddr{}), make(chan error)} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case err := <-p.fail:
		return nil, err
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours
}

// ask sends a request and returns the whole answer.
func ask(c net.Conn) string {
	fmt.Fprint(c, "GET /ask HTTP/1.0\r\n\r\n")
	answer, _ := io.ReadAll(c)
	return string(answer)
}

// bubble runs f beside a server without network; the server ends after f, and must leave no goroutine behind.
func bubble(t *testing.T, s *Server, f func(ctx context.Context, cancel func(), ln *pipes, done <-chan error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ln, done := newPipes(), make(chan error, 1)
		go func() { done <- s.Serve(ctx, ln) }()
		f(ctx, cancel, ln, done)
	})
}

func TestSilentConnectionsAreClosed(t *testing.T) {
	s, _ := newServer(t)
	bubble(t, s, func(_ context.Context, cancel func(), ln *pipes, done <-chan error) {
		c := ln.dial()
		began := time.Now()
		if _, err := c.Read(make([]byte, 1)); err == nil || time.Since(began) != DefaultPeekTimeout {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		late := ln.dial()
		time.Sleep(DefaultPeekTimeout - time.Millisecond)
		if got := ask(late); !strings.Contains(got, "plain HTTP/1.0 /ask") {
			t.Errorf("one that spoke in time: %q", got)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestMaxConns(t *testing.T) {
	s, _ := newServer(t)
	s.MaxConns = 2
	bubble(t, s, func(_ context.Context, cancel func(), ln *pipes, done <-chan error) {
		first, second := ln.dial(), ln.dial()
		answered := make(chan string)
		go func() { answered <- ask(ln.dial()) }()
		select {
		case <-answered:
			t.Error("a third connection was served")
		case <-time.After(time.Second):
		}
		first.Close()
		if got := <-answered; !strings.Contains(got, "plain") {
			t.Errorf("after one has gone: %q", got)
		}
		second.Close()
		for range 10 { // slots come back however a connection ends
			if got := ask(ln.dial()); !strings.Contains(got, "plain") {
				t.Errorf("later: %q", got)
			}
		}
		full := []net.Conn{ln.dial(), ln.dial()}
		cancel() // ends also when it waits for a slot
		if err := <-done; err != nil {
			t.Error(err)
		}
		for _, c := range full {
			c.Close()
		}
	})
}

func TestDrain(t *testing.T) {
	for _, test := range []struct {
		name     string
		work     time.Duration
		finishes bool
	}{{"short", 4 * time.Second, true}, {"long", time.Hour, false}} {
		t.Run(test.name, func(t *testing.T) {
			s, _ := newServer(t)
			started := make(chan struct{})
			s.Plain.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(started)
				select {
				case <-time.After(test.work):
				case <-r.Context().Done():
				}
				fmt.Fprint(w, "done")
			})
			bubble(t, s, func(_ context.Context, cancel func(), ln *pipes, done <-chan error) {
				answer := make(chan string, 1)
				busy, silent := ln.dial(), ln.dial()
				go func() { answer <- ask(busy) }()
				<-started
				began := time.Now()
				cancel()
				if _, err := silent.Read(make([]byte, 1)); err == nil || time.Since(began) > 0 {
					t.Errorf("the silent connection ended %v later: %v", time.Since(began), err)
				}
				if err := <-done; err != nil {
					t.Error(err)
				}
				if d := time.Since(began); d > DefaultDrain {
					t.Errorf("Serve returned after %v", d)
				}
				if got := <-answer; strings.Contains(got, "done") != test.finishes {
					t.Errorf("answer %q, want finished: %v", got, test.finishes)
				}
			})
		})
	}
}

type temporaryError struct{ error }

func (temporaryError) Temporary() bool { return true }

func TestListenerErrors(t *testing.T) {
	s, _ := newServer(t)
	bubble(t, s, func(_ context.Context, _ func(), ln *pipes, done <-chan error) {
		for range 20 {
			ln.fail <- temporaryError{errors.New("too many open files")}
		}
		if got := ask(ln.dial()); !strings.Contains(got, "plain") {
			t.Errorf("after a shortage: %q", got)
		}
		broken := errors.New("broken")
		ln.fail <- broken
		if err := <-done; !errors.Is(err, broken) {
			t.Errorf("Serve = %v, want the listener's error", err)
		}
	})
}

func TestEndDuringShortage(t *testing.T) {
	s, _ := newServer(t)
	bubble(t, s, func(_ context.Context, cancel func(), ln *pipes, done <-chan error) {
		ln.fail <- temporaryError{errors.New("too many open files")}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
