package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// transport makes requests by HTTP/1.1 over kept connections. It does what [http.Transport] would do for us, by the same code of net/http
// for what is written and read, but in the goroutine of whoever asks: two goroutines a connection, and the switching between them, are a
// good part of what a webhook costs there (docs/decisions/0012).
//
// A request that may be repeated is, over another connection, when a kept one turns out to have been closed before the first byte of an
// answer: one without a body by GET or HEAD, or one whose header has an Idempotency-Key, which may be nil and is not sent then.
type transport struct {
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	tls   *tls.Config
	rules func() *Policy // as they are now: a connection made under others is not used again

	mu   sync.Mutex
	idle map[string][]*connection // by host and port, the one that was used last at the end
}

// withTLS is a transport like t, with connections of its own and another configuration.
func (t *transport) withTLS(c *tls.Config) *transport {
	return &transport{dial: t.dial, tls: c, rules: t.rules, idle: map[string][]*connection{}}
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	for {
		c, err := t.take(req)
		if err != nil {
			return nil, closeBody(req, err)
		}
		res, err := c.exchange(req)
		if err == nil {
			return res, nil
		}
		if ended := req.Context().Err(); ended != nil {
			return nil, ended
		}
		if !c.used || c.heard || !repeatable(req) {
			return nil, err
		}
		if req, err = again(req); err != nil {
			return nil, err
		}
	}
}

// repeatable reports whether it does no harm when the server has a request twice.
func repeatable(req *http.Request) bool {
	if req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
		return false
	}
	_, marked := req.Header["Idempotency-Key"]
	return marked || req.Method == http.MethodGet || req.Method == http.MethodHead
}

// again is a request with its body from the beginning.
func again(req *http.Request) (*http.Request, error) {
	if req.GetBody == nil {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	next := *req
	next.Body = body
	return &next, nil
}

// take finds a connection for a request, or makes one. The socket of a kept one is asked whether it is silent, unless it was in use a moment ago
// and the request may be repeated.
func (t *transport) take(req *http.Request) (*connection, error) {
	ctx, u := req.Context(), req.URL
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	address := net.JoinHostPort(u.Hostname(), strconv.Itoa(int(portOf(u))))
	for c := t.kept(address); c != nil; c = t.kept(address) {
		if c.rules == t.rules() && (time.Since(c.since) < justUsed && repeatable(req) || c.ear.quiet()) {
			return c, nil
		}
		c.close()
	}
	rules := t.rules()
	socket, err := t.dial(ctx, "tcp", address)
	if err != nil {
		return nil, ended(ctx, err)
	}
	conn := socket
	if u.Scheme == "https" {
		if conn, err = t.secured(ctx, socket, u.Hostname()); err != nil {
			_ = socket.Close() // it failed, or is closed already
			return nil, ended(ctx, err)
		}
	}
	return newConnection(t, address, socket, conn, rules), nil
}

// ended is the error of a context that has ended, or else err.
func ended(ctx context.Context, err error) error {
	if over := ctx.Err(); over != nil {
		return over
	}
	return err
}

// secured speaks TLS over a connection.
func (t *transport) secured(ctx context.Context, socket net.Conn, host string) (net.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, connectTimeout, errors.New("TLS handshake timed out"))
	defer cancel()
	config := t.tls.Clone()
	config.ServerName = host
	conn := tls.Client(socket, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	return conn, nil
}

// kept takes an idle connection; nil if there is none.
func (t *transport) kept(address string) *connection {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.idle[address]
	if len(list) == 0 {
		return nil
	}
	c := list[len(list)-1]
	list[len(list)-1] = nil
	if t.idle[address] = list[:len(list)-1]; len(list) == 1 {
		delete(t.idle, address)
	}
	c.forget.Stop()
	return c
}

// keep puts a connection aside for the next request.
func (t *transport) keep(c *connection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.idle[c.address]) >= idlePerHost {
		c.close()
		return
	}
	c.used, c.since = true, time.Now()
	t.idle[c.address] = append(t.idle[c.address], c)
	if c.forget == nil {
		c.forget = time.AfterFunc(idleTimeout, func() { t.drop(c) })
	} else {
		c.forget.Reset(idleTimeout)
	}
}

// drop closes a connection that has been idle for long, unless somebody has just taken it.
func (t *transport) drop(c *connection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := t.idle[c.address]
	if i := slices.Index(list, c); i >= 0 {
		c.close()
		t.idle[c.address] = slices.Delete(list, i, i+1)
	}
	if len(t.idle[c.address]) == 0 {
		delete(t.idle, c.address)
	}
}

// CloseIdleConnections closes the connections that no request uses.
func (t *transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, list := range t.idle {
		for _, c := range list {
			c.forget.Stop()
			c.close()
		}
	}
	clear(t.idle)
}
