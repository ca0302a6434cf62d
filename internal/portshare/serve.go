// Package portshare serves HTTP and HTTPS on one port.
//
// The first byte that a client sends tells what it speaks: a TLS record of type handshake starts with 0x16 (RFC 8446,
// section 5.1), no HTTP method does. Each connection waits for that byte in a goroutine of its own, at most five
// seconds, and is then handed to one of two [http.Server]s. So a client that says nothing delays nobody.
//
// What this package does not do: it has no opinion on what plain HTTP may see (the plain server's handler has), sets no
// limits on requests (the servers do), and knows no certificate (its TLS configuration does).
package portshare

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Defaults of a [Server].
const (
	DefaultMaxConns    = 10_000
	DefaultPeekTimeout = 5 * time.Second
	DefaultDrain       = 5 * time.Second
)

// farewell is how long, after the end has begun, clients that keep their connection are told to close it with their next answer.
const farewell = 250 * time.Millisecond

// Server is a pair of servers that share a port. Set the fields before Serve; a Server serves once.
type Server struct {
	TLS    *tls.Config  // with Certificates or GetCertificate; TLS 1.2 is the least whatever it says
	Secure *http.Server // gets the connections that start with TLS
	Plain  *http.Server // gets all others

	MaxConns    int           // open connections; 0 means DefaultMaxConns. More wait in the operating system's queue
	PeekTimeout time.Duration // for the first byte; 0 means DefaultPeekTimeout
	Drain       time.Duration // how long running requests may go on after the end; 0 means DefaultDrain

	ending atomic.Bool
}

// Serve accepts connections from ln until ctx ends, then closes ln, lets running requests finish (for Drain at most; then
// they are cut) and returns nil. A request that has arrived is answered: no connection is closed as idle from which something
// has been read since the last answer. Connections that have sent nothing yet are closed at once. Any other error means that ln
// failed for good, and has been cleaned up after in the same way. All its goroutines have ended when it returns.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	if s.TLS == nil || len(s.TLS.Certificates) == 0 && s.TLS.GetCertificate == nil {
		return errors.Join(errors.New("serve: no TLS certificate"), ln.Close())
	}
	s.Secure.TLSConfig = s.TLS.Clone()
	s.Secure.TLSConfig.MinVersion = max(s.TLS.MinVersion, tls.VersionTLS12)

	for _, srv := range []*http.Server{s.Secure, s.Plain} {
		srv.Handler, srv.ConnState = s.sayGoodbye(srv.Handler), state
	}
	secure, plain := newHandoff(ln.Addr()), newHandoff(ln.Addr())
	var servers sync.WaitGroup
	servers.Go(func() { _ = s.Secure.ServeTLS(secure, "", "") }) // both return when shut down, and say only that
	servers.Go(func() { _ = s.Plain.Serve(plain) })

	slots := make(chan struct{}, orDefault(s.MaxConns, DefaultMaxConns))
	err := s.accept(ctx, ln, slots, secure, plain)
	s.shutdown(slots, secure, plain)
	servers.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("serve %s: %w", ln.Addr(), err)
}

// accept hands out connections until ctx ends or ln fails. Before it returns, ln is closed and every connection it took
// is either with a server or closed.
func (s *Server) accept(ctx context.Context, ln net.Listener, slots chan struct{}, secure, plain *handoff) error {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() }) // an Accept that waits returns
	var peeking sync.WaitGroup
	defer func() {
		stop()
		cancel() // those who still wait for a first byte end
		_ = ln.Close()
		peeking.Wait()
	}()
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		raw, err := acceptOne(ctx, ln)
		if err != nil {
			<-slots
			return err
		}
		c := &conn{Conn: raw, release: sync.OnceFunc(func() { <-slots }), ending: &s.ending}
		peeking.Go(func() { s.route(ctx, c, secure, plain) })
	}
}

// acceptOne accepts a connection. When the system is short of something (file descriptors, above all) it tries again:
// what others free comes back.
func acceptOne(ctx context.Context, ln net.Listener) (net.Conn, error) {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		c, err := ln.Accept()
		var temporary interface{ Temporary() bool }
		if err == nil || ctx.Err() != nil || !errors.As(err, &temporary) || !temporary.Temporary() {
			return c, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// route waits for the first byte of c and hands c to the server that understands it.
func (s *Server) route(ctx context.Context, c *conn, secure, plain *handoff) {
	first, err := c.peek(ctx, orDefault(s.PeekTimeout, DefaultPeekTimeout))
	if err != nil {
		_ = c.Close() // it said nothing: nobody to tell
		return
	}
	to := plain
	if first == recordHandshake {
		to = secure
	}
	to.give(ctx, c)
}

const recordHandshake = 0x16

// sayGoodbye has answers close their connection once the end has begun.
func (s *Server) sayGoodbye(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.ending.Load() && r.ProtoMajor == 1 { // HTTP/2 has a goodbye of its own
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// shutdown ends both servers at the same time. http.Server.Shutdown alone closes connections that it takes for idle although a
// request has just been read from them: so clients that are at work are asked to leave first, and such a connection stays open
// for its answer (conn.Close).
func (s *Server) shutdown(slots chan struct{}, listeners ...*handoff) {
	ctx, cancel := context.WithTimeout(context.Background(), orDefault(s.Drain, DefaultDrain))
	defer cancel()
	s.ending.Store(true)
	gone := func(within time.Duration) {
		for end := time.Now().Add(within); len(slots) > 0 && time.Now().Before(end) && ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
		}
	}
	gone(farewell)
	var both sync.WaitGroup
	for _, srv := range []*http.Server{s.Secure, s.Plain} {
		both.Go(func() {
			if srv.Shutdown(ctx) != nil { // time is up
				s.ending.Store(false)
				_ = srv.Close()
			}
		})
	}
	both.Wait()
	gone(orDefault(s.Drain, DefaultDrain))
	for _, l := range listeners { // a server that was shut down before it began has not closed its own
		_ = l.Close()
	}
}

func orDefault[T int | time.Duration](value, def T) T {
	if value > 0 {
		return value
	}
	return def
}
